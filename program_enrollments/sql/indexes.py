"""Indexes that cost nothing on the rows they are not for."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q


class NotBlankIndex(models.Index):
    """An index over one text field, of the rows where it isn't blank.

    Of all rows where there are no partial indexes.

    Django's own `condition` does the same, but warns operators of MySQL and MariaDB (models.W037) at every `migrate`.
    A query has to say `exclude(<field>="")` for the index to be used everywhere.
    """

    def create_sql(self, model: Any, schema_editor: Any, using: str = "", **kwargs: Any) -> Any:
        if not schema_editor.connection.features.supports_partial_indexes:
            return super().create_sql(model, schema_editor, using=using, **kwargs)
        (field,) = self.fields
        partial = models.Index(fields=[field], name=self.name, condition=~Q(**{field: ""}))
        return partial.create_sql(model, schema_editor, using=using, **kwargs)


class NotNullIndex(models.Index):
    """An index over the rows whose first field isn't NULL.

    Of all rows where there are no partial indexes. A query that compares the first field with a value uses it.
    """

    def create_sql(self, model: Any, schema_editor: Any, using: str = "", **kwargs: Any) -> Any:
        if not schema_editor.connection.features.supports_partial_indexes:
            return super().create_sql(model, schema_editor, using=using, **kwargs)
        condition = Q(**{f"{self.fields[0]}__isnull": False})
        partial = models.Index(fields=self.fields, name=self.name, condition=condition)
        return partial.create_sql(model, schema_editor, using=using, **kwargs)
