"""Columns whose comparison is the same on every database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

from program_enrollments.normalization import MAX_IDENTITY_LENGTH, normalize_identity

if TYPE_CHECKING:
    CharField = models.CharField[Any, Any]
else:
    CharField = models.CharField


def exact_collation(connection: Any) -> str | None:
    """Return the collation that compares code points, or None if that is the default.

    `utf8mb4_bin` ignores trailing spaces on MySQL and MariaDB alike; each has another name for one that does not.
    """
    if connection.vendor == "mysql":
        return "utf8mb4_nopad_bin" if connection.mysql_is_mariadb else "utf8mb4_0900_bin"
    return "C" if connection.vendor == "postgresql" else None


class ExactCharField(CharField):
    """A string that every database compares and orders by code points.

    The database's default collation does not matter.
    """

    def db_parameters(self, connection: Any) -> Any:
        parameters = super().db_parameters(connection)
        parameters["collation"] = exact_collation(connection)
        return parameters


class NormalizedField(ExactCharField):
    """The normalized form of another column, kept in step with it on every save and bulk create.

    NULL where the other column is empty, so that a unique constraint lets any number of rows have none.
    """

    def __init__(self, *args: Any, source: str, **kwargs: Any) -> None:
        self.source = source
        kwargs.setdefault("max_length", MAX_IDENTITY_LENGTH)
        kwargs.update(null=True, blank=True, editable=False)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs["source"] = self.source
        for implied in ("null", "blank", "editable"):
            kwargs.pop(implied, None)
        return name, path, args, kwargs

    def pre_save(self, model_instance: models.Model, add: bool) -> str | None:
        value = normalize_identity(getattr(model_instance, self.source)) or None
        setattr(model_instance, self.attname, value)
        return value
