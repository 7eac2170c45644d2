"""Routers of databases: some that the app can work with, some that it cannot."""

from __future__ import annotations

import random
from typing import Any

TRANSACTIONAL = {"university_enrollments", "odd_host", "social_django"}


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


class OthersReadFromReplica(ReadsFromReplica):
    """Reads go to a replica, unless a write of this app may depend on them."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "default" if model._meta.app_label in TRANSACTIONAL else "replica"
