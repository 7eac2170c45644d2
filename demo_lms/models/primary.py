"""Reading where one writes, whatever a host's routers say: what happened a moment ago counts."""

from __future__ import annotations

from typing import TypeVar

from django.db import router
from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)


def rows_of(model: type[Row]) -> QuerySet[Row]:
    """Return all rows, from the database that they are written to.

    A replica may not know yet who was given a seat, or which address was confirmed.
    """
    return model._default_manager.using(router.db_for_write(model))
