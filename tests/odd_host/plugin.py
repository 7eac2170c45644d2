"""What pytest needs to run stories over the odd host.

That is `python -m pytest -p tests.odd_host.plugin --ds tests.odd_host.settings tests/flows`.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

STEP = 1_000
"""Primary keys begin beyond it, so that each one that a page shows or a form sends could be localized, and so far apart
that no table's can stand for another's.
"""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let every test use both databases."""
    for item in items:
        marker = item.get_closest_marker("django_db")
        options = {**marker.kwargs} if marker else {}
        item.add_marker(pytest.mark.django_db(**{**options, "databases": "__all__"}), append=False)


@pytest.fixture(scope="session", autouse=True)
def odd_database(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Let primary keys begin beyond a thousand, and the tokens of API clients be replicated."""
    # Neither models nor settings are there yet when pytest imports its plugins.
    from django.apps import apps  # noqa: PLC0415
    from django.db.models import AutoField, BigAutoField  # noqa: PLC0415
    from django.db.models.signals import post_save  # noqa: PLC0415
    from oauth2_provider.models import get_access_token_model  # noqa: PLC0415

    tables: dict[str, str] = {}
    for model in apps.get_models(include_auto_created=True):
        key = model._meta.pk
        if isinstance(key, AutoField | BigAutoField) and key.column and model._meta.managed:
            tables[model._meta.db_table] = key.column
    with django_db_blocker.unblock():
        for number, (table, column) in enumerate(tables.items(), start=1):
            _count_from(STEP * number, table=table, column=column)
    post_save.connect(replicate_token, sender=get_access_token_model(), dispatch_uid="odd_host_replicates")


def replicate_token(instance: Any, using: str, raw: bool = False, **kwargs: Any) -> None:
    """Copy an API client's token and account to the replica, as they are at this moment."""
    if using != "default" or raw:
        return
    for original in (instance.user, instance):
        deepcopy(original).save_base(using="replica", raw=True)


def _count_from(last: int, *, table: str, column: str) -> None:
    """Let the next row of a table have the primary key behind `last`."""
    from django.db import connection  # noqa: PLC0415

    name = connection.ops.quote_name
    with connection.cursor() as cursor:
        match connection.vendor:
            case "sqlite":
                cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
                cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, last])
            case "postgresql":
                cursor.execute("SELECT setval(pg_get_serial_sequence(%s, %s), %s)", [name(table), column, last])
            case "mysql":
                cursor.execute(f"ALTER TABLE {name(table)} AUTO_INCREMENT = {last + 1}")
