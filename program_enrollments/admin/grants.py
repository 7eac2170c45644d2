"""Grants: what an API user may do."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from program_enrollments import api
from program_enrollments.admin.large_tables import LargeTableAdmin
from program_enrollments.admin.search import naming_program
from program_enrollments.data import SCHOOL_PERMISSIONS
from program_enrollments.models import Grant, Program, School
from program_enrollments.pages.access_mails import mail_access_change

if TYPE_CHECKING:
    GrantModelForm = forms.ModelForm[Grant]
else:
    GrantModelForm = forms.ModelForm


NOT_HELD = _("You can give only what you hold yourself, at schools whose access you manage.")


class GrantForm(GrantModelForm):
    """A grant on a school or on a program. It is refused if its giver does not hold that permission."""

    giver: Any = None
    """The user who fills in the form. Each request gets a class of its own, see `giving_as`."""

    class Meta:
        model = Grant
        fields = ["user", "school", "program", "permission"]
        help_texts = {
            "school": _("For all programs of a school, also those to come. Leave the program empty then."),
            "program": _("For this program alone. Leave the school empty then."),
        }

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        school, program = cleaned.get("school"), cleaned.get("program")
        if school is not None and program is not None:
            text = _("Choose the school or the program, not both: a grant on the school already covers the program.")
            self.add_error("program", ValidationError(text, code="both"))
        elif school is None and program is None and not {"school", "program"} & self.errors.keys():
            self.add_error("school", ValidationError(_("Choose a school, or one program of it."), code="neither"))
        elif program is not None and cleaned.get("permission") in SCHOOL_PERMISSIONS:
            text = _("This permission concerns the school as a whole. Choose the school instead of a program.")
            self.add_error("program", ValidationError(text, code="schools_only"))
        elif not self.errors:
            refuse_ungivable(
                giver=self.giver,
                permission=cleaned["permission"],
                school_id=school.pk if school is not None else None,
                program=program,
            )
        return cleaned


def giving_as(form: type[forms.ModelForm[Grant]], *, giver: Any) -> type[forms.ModelForm[Grant]]:
    """Return a form class for this giver."""
    return type(form.__name__, (form,), {"giver": giver})


def refuse_ungivable(
    *, giver: Any, permission: str, school_id: int | None = None, program: Program | None = None
) -> None:
    """Raise ValidationError unless `giver` may give this permission."""
    if not api.may_give(user=giver, permission=permission, school_id=school_id, program=program):
        raise ValidationError(NOT_HELD, code="not_held")


def mail_grant(request: HttpRequest, grant: Grant, *, is_taken: bool = False) -> None:
    """Mail a grant that was given or taken to the user whom it concerns, once it is committed."""
    school = grant.program.school if grant.program is not None else grant.school
    if school is None:
        return
    words = {"taken" if is_taken else "given": [grant.permission]}
    mail = partial(mail_access_change, request, user_id=grant.user_id, school=school, program=grant.program, **words)
    transaction.on_commit(mail)


@admin.register(Grant)
class GrantAdmin(LargeTableAdmin):
    """One permission of one user, on a school or on a program. Viewers see those whose access they manage."""

    form = GrantForm
    list_display = ["user", "permission", "school", "program", "created"]
    list_prefetch_related = ("user", "school", "program")
    list_filter = ["permission", ("school", admin.RelatedOnlyFieldListFilter)]
    search_fields = ["school__name"]  # shows the box; what it does is in get_search_results
    search_help_text = _("The exact username, part of the school's name or key, or the program's title, key or UUID.")
    raw_id_fields = ["user"]  # not every host's accounts can be searched in its admin
    autocomplete_fields = ["school", "program"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Grant]:
        manageable = api.fetch_manageable_grants(user=request.user).values("pk")
        grants: QuerySet[Grant] = super().get_queryset(request).filter(pk__in=manageable)
        return grants

    def get_form(self, request: HttpRequest, obj: Grant | None = None, change: bool = False, **kwargs: Any) -> Any:
        return giving_as(super().get_form(request, obj, change=change, **kwargs), giver=request.user)

    def save_model(self, request: HttpRequest, obj: Grant, form: Any, change: bool) -> None:
        before = Grant.objects.select_related("school", "program__school").get(pk=obj.pk) if change else None
        super().save_model(request, obj, form, change)
        if before is not None and not form.has_changed():
            return
        if before is not None:
            mail_grant(request, before, is_taken=True)
        mail_grant(request, obj)

    def delete_model(self, request: HttpRequest, obj: Grant) -> None:
        super().delete_model(request, obj)
        mail_grant(request, obj, is_taken=True)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Grant]) -> None:
        taken = list(queryset.select_related("school", "program__school"))
        super().delete_queryset(request, queryset)
        for grant in taken:
            mail_grant(request, grant, is_taken=True)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Grant], search_term: str
    ) -> tuple[QuerySet[Grant], bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        users = get_user_model()._default_manager.filter(**{get_user_model().USERNAME_FIELD: text})
        schools = School.objects.filter(name__icontains=text) | School.objects.filter(key__icontains=text)
        programs = Program.objects.filter(naming_program(text=text))
        found = queryset.filter(user__in=users) | queryset.filter(school__in=schools)
        return found | queryset.filter(program__in=programs), False
