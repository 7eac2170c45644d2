"""Lists of tables that can have millions of rows.

They count only as many rows as they have pages for, and read only the rows that they show.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Field, ForeignKey, Model, QuerySet, URLField
from django.http import HttpRequest

if TYPE_CHECKING:
    AnyModelAdmin = admin.ModelAdmin[Any]
    AnyPaginator = Paginator[Any]
    AnyQuerySet = QuerySet[Any, Any]
else:
    AnyModelAdmin = admin.ModelAdmin
    AnyPaginator = Paginator
    AnyQuerySet = QuerySet

MAX_LISTED = 10_000
"""How many rows a list has pages for. Others are found by searching or filtering."""


COLUMN_FILTERS = ("__exact", "__id__exact", "__isnull")
"""The endings of the parameters of Django's column filters."""


class BoundedPaginator(AnyPaginator):
    """A paginator that counts at most `MAX_LISTED` rows.

    The first page costs the same for every size of the table. `has_more` tells whether there are rows beyond the pages.
    """

    @cached_property
    def _counted(self) -> int:
        rows = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        return rows.order_by().values("pk")[: MAX_LISTED + 1].count()

    @cached_property
    def count(self) -> int:
        return min(self._counted, MAX_LISTED)

    @property
    def has_more(self) -> bool:
        return self._counted > MAX_LISTED


class LargeTableAdmin(AnyModelAdmin):
    """A list that stays as quick as its first page.

    Counting is bounded, there are no facets, and the newest rows come first: any other order would sort the whole
    table.

    Related rows are fetched by one statement per table (`list_prefetch_related`), not by a join: MariaDB starts a join
    with the smaller table, and then sorts all of the larger one.
    """

    class Media:
        css: ClassVar[dict[str, list[str]]] = {"all": ["program_enrollments/admin.css"]}
        js: ClassVar[list[str]] = ["program_enrollments/admin.js"]

    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_max_show_all = 0
    ordering = ["-pk"]
    sortable_by = ()
    list_select_related: ClassVar[bool | list[str] | tuple[str, ...]] = ()
    list_prefetch_related: tuple[str, ...] = ()
    formfield_overrides = {URLField: {"assume_scheme": "https"}}

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Return whether a parameter in a list's address is one of its own filters.

        Django itself allows any lookup of a column, such as a regular expression or a year. Those read the whole
        table, and many of their values make the database fail.
        """
        return "\x00" not in value and lookup in self._own_parameters(request)

    def _own_parameters(self, request: HttpRequest) -> set[str]:
        """The parameters of `list_filter`, simple filters and those of columns."""
        names: set[str] = set()
        for item in cast("Sequence[Any]", self.get_list_filter(request)):
            if isinstance(item, type) and issubclass(item, admin.SimpleListFilter):
                names.add(str(item.parameter_name))
            elif not isinstance(item, type):
                column = item if isinstance(item, str) else item[0]
                names |= {f"{column}{suffix}" for suffix in COLUMN_FILTERS}
        return names

    def get_queryset(self, request: HttpRequest) -> AnyQuerySet:
        return super().get_queryset(request).prefetch_related(*self.list_prefetch_related)


class ViewOnlyAdmin(LargeTableAdmin):
    """A table that nobody edits here: its rows are neither added, changed nor deleted.

    Users who may view or change the rows see them. Everything else is done by buttons and actions.
    """

    actions_on_bottom = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show related rows as text, not as links, if the viewer may not see their table."""
        related = [field for field in self.opts.fields if isinstance(field, ForeignKey)]
        plain: dict[Any, Any] = {
            field.name: _as_text(field) for field in related if not self._may_follow(request, field.related_model)
        }
        return [
            (title, {**options, "fields": [plain.get(name, name) for name in options["fields"]]})
            for title, options in super().get_fieldsets(request, obj)
        ]

    def _may_follow(self, request: HttpRequest, model: Any) -> bool:
        site = self.admin_site
        return site.is_registered(model) and site.get_model_admin(model).has_view_permission(request)

    def may_change(self, request: HttpRequest) -> bool:
        """Return whether the user holds Django's permission to change this model. Buttons and actions need it."""
        return bool(request.user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}"))


class DeletedOneByOne(LargeTableAdmin):
    """An admin without deletion of many rows at once: each is looked at before."""

    def get_actions(self, request: HttpRequest, action_location: Any = None) -> dict[str, Any]:
        # Django 6.1 names the page that shows the actions; earlier versions show them on lists only.
        place = {} if action_location is None else {"action_location": action_location}
        actions = super().get_actions(request, **place)
        actions.pop("delete_selected", None)
        return actions


def _as_text(field: Field[Any, Any]) -> Callable[[Any], str]:
    """Return a column of a page that shows a related row as text."""

    @admin.display(description=field.verbose_name)
    def show(row: Any) -> str:
        related = getattr(row, field.name)
        return "" if related is None else str(related)

    return show


class PlumbingAdmin(ViewOnlyAdmin):
    """A table of the app's own bookkeeping, which explains nothing to support staff.

    The index shows it to superusers only. Those with the permission to view it still reach it by a link.
    """

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)
