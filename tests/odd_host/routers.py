"""Routers of databases: some that the app can work with, some that it cannot."""

from __future__ import annotations

import random
from typing import Any

TRANSACTIONAL = {"university_enrollments", "odd_host", "social_django", "auth"}


class ReadsFromReplica:
    """All reads go to a replica."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "replica"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "default"

    def allow_relation(self, *models: Any, **hints: Any) -> bool:
        return True


class ReadsFromAny(ReadsFromReplica):
    """Reads go to a database drawn at random."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return random.choice(["default", "replica"])


class AccountsElsewhere(ReadsFromReplica):
    """Accounts are in a database of their own."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return self.db_for_write(model)

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "replica" if model._meta.app_label == "odd_host" else "default"


class ProxiesElsewhere(ReadsFromReplica):
    """Accounts are written to a database of their own by the apps that call them members."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "default"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "replica" if model._meta.model_name == "member" else "default"


class PermissionsFromReplica(ReadsFromReplica):
    """Who may do what is read from a replica; nothing else is."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "replica" if model._meta.label == "auth.Permission" else "default"


class OthersReadFromReplica(ReadsFromReplica):
    """Reads go to a replica, unless a write of this app may depend on them."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "default" if model._meta.app_label in TRANSACTIONAL else "replica"


class HostReadsFromReplica:
    """Reads of the host's own tables go to a replica, which has no tables of this app at all.

    What was made a moment ago and is needed at once, sessions, stays on the primary. Nothing is said of relations.
    """

    PRIMARY = {*TRANSACTIONAL, "contenttypes", "sessions"}
    NOT_REPLICATED = {"university_enrollments", "social_django"}

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "default" if model._meta.app_label in self.PRIMARY else "replica"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "default"

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return False if db == "replica" and app_label in self.NOT_REPLICATED else None
