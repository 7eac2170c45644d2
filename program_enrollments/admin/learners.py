"""Learners: their accounts, what waits and why, and corrections.

Learners cannot be added, edited or deleted here.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from program_enrollments import api
from program_enrollments.admin.corrections import CORRECTIONS, Correction
from program_enrollments.admin.filters import AccountFilter, NeedsPersonFilter, SchoolFilter
from program_enrollments.admin.large_tables import ViewOnlyAdmin
from program_enrollments.admin.learner_places import change_place, may_change
from program_enrollments.admin.messages import staff_origin, tell_realized
from program_enrollments.admin.pages import change_page, form_page_context, linked, may_view, viewable_page
from program_enrollments.admin.search import LEARNER_HELP
from program_enrollments.conf import get_setting
from program_enrollments.data import LinkState
from program_enrollments.exceptions import ProgramEnrollmentsError
from program_enrollments.models import (
    Learner,
    LedgerEntry,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)
from program_enrollments.sentences import translated

MAX_AT_ONCE = 1_000
"""The most learners of one bulk action. One transaction locks them, and others must not wait for long."""


@admin.register(Learner)
class LearnerAdmin(ViewOnlyAdmin):
    """A list with a search, and a page that shows everything about one learner."""

    list_display = ["key", "email", "school", "user", "state", "problem", "modified"]
    list_display_links = ["key"]
    list_prefetch_related = ("school", "user")
    list_filter = [NeedsPersonFilter, AccountFilter, SchoolFilter]
    search_fields = ["student_key"]  # shows the box; what it does is in get_search_results
    search_help_text = LEARNER_HELP
    actions = ["try_again"]
    fieldsets = [
        (None, {"fields": ["student_key", "email", "school"]}),
        (gettext_lazy("Account"), {"fields": ["account", "link_how", "linked_at"]}),
        (gettext_lazy("Problem"), {"fields": ["problem_code", "problem_detail", "problem_at"]}),
        (gettext_lazy("Record"), {"fields": ["created", "modified", "retired_at"]}),
    ]
    readonly_fields = ["account"]

    @admin.display(description=gettext_lazy("student ID"))
    def key(self, learner: Learner) -> str:
        return learner.display_key

    @admin.display(description=gettext_lazy("state"))
    def state(self, learner: Learner) -> str:
        if learner.honored_for_id is not None:
            return _("former ID of another learner")
        return _("retired") if learner.retired_at else str(LinkState(learner.link_state).label)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Learner]:
        given_up = PreemptiveCourseEnrollment.objects.exclude(problem_code="").filter(
            refusals__gte=get_setting("MAX_TRIES")
        )
        refused = Prefetch("preemptive_course_enrollments", queryset=given_up, to_attr="given_up")
        learners: QuerySet[Learner] = super().get_queryset(request).prefetch_related(refused)
        return learners

    @admin.display(description=gettext_lazy("needs a person"))
    def problem(self, learner: Any) -> str:
        """Why a person has to look at the learner, with the cause."""
        if learner.problem_code:
            label = learner.get_problem_code_display()
            return format_html("{}<br><small>{}</small>", label, translated(learner.problem_detail))
        if learner.user_id is None or not learner.given_up:
            return ""
        details = list(dict.fromkeys(translated(promise.problem_detail) for promise in learner.given_up))
        return format_html("{}<br><small>{}</small>", _("refused by the learning platform"), " ".join(details))

    @admin.display(description=gettext_lazy("account"))
    def account(self, learner: Any) -> str:
        """The username, with a link if the host's accounts are in this admin and the viewer may see them."""
        return linked(learner.user.get_username(), learner.account_url) if learner.user is not None else ""

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        learner: Any = super().get_object(request, object_id, from_field)
        if learner is not None and learner.user is not None:
            learner.account_url = viewable_page(self.admin_site, request, learner.user)
        return learner

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Learner], search_term: str
    ) -> tuple[QuerySet[Learner], bool]:
        if not search_term.strip():
            return queryset, False
        return queryset.filter(pk__in=api.find_learners(text=search_term)), False

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"<int:learner_id>/{correction.name}/",
                self.admin_site.admin_view(partial(self.correct, correction)),
                name=f"{self.opts.app_label}_{self.opts.model_name}_{correction.name}",
            )
            for correction in CORRECTIONS
        ]
        name = f"{self.opts.app_label}_{self.opts.model_name}_status"
        status = path("<int:learner_id>/status/", self.admin_site.admin_view(self.change_status), name=name)
        return [*own, status, *super().get_urls()]

    def change_status(self, request: HttpRequest, learner_id: int) -> HttpResponse:
        """Show the form for the status of one of the learner's enrollments, real or waiting, and write it."""
        learner = self.get_object(request, str(learner_id)) if self.has_view_permission(request) else None
        if learner is None:
            raise Http404
        return change_place(request, model_admin=self, learner=learner)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        learner = kwargs.get("obj")
        if learner is not None:
            presented = api.present_learner(learner=learner)
            context["presented"] = presented
            context["claims"] = self._claims(request, presented.claims)
            context["corrections"] = self._corrections(request, learner)
            context["may_correct"] = self.may_change(request) and learner.retired_at is None
            context["may"] = self._allowances(request)
        return super().render_change_form(request, context, *args, **kwargs)

    def _claims(self, request: HttpRequest, claims: list[api.PresentedClaim]) -> list[dict[str, Any]]:
        """Return the claims, each with the page of its account if the viewer may see that."""
        pages = {one.user_id: get_user_model()(pk=one.user_id) for one in claims}
        return [{"claim": one, "url": viewable_page(self.admin_site, request, pages[one.user_id])} for one in claims]

    def _allowances(self, request: HttpRequest) -> dict[str, bool]:
        """Return which links the viewer may follow, and which statuses they may change."""
        tables = {
            "program": ProgramEnrollment,
            "waiting_program": PreemptiveProgramEnrollment,
            "course": ProgramCourseEnrollment,
            "waiting_course": PreemptiveCourseEnrollment,
        }
        site = self.admin_site
        return {
            "view_ledger": may_view(site, request, LedgerEntry),
            **{f"view_{name}": may_view(site, request, model) for name, model in tables.items()},
            **{f"change_{name}": may_change(request, model) for name, model in tables.items()},
        }

    def _corrections(self, request: HttpRequest, learner: Learner) -> list[Correction]:
        if not self.may_change(request):
            return []
        return [correction for correction in CORRECTIONS if correction.makes_sense(learner)]

    def correct(self, correction: Correction, request: HttpRequest, learner_id: int) -> HttpResponse:
        """Show the form of a correction, or carry it out and go back to the learner's page."""
        if not self.may_change(request):
            raise PermissionDenied
        learner = self.get_object(request, str(learner_id))
        if learner is None:
            raise Http404
        page = HttpResponseRedirect(change_page(self.admin_site, learner))
        if not correction.makes_sense(learner):
            messages.warning(
                request,
                _("“%(correction)s” does not apply to this learner any more.") % {"correction": correction.title},
            )
            return page
        form = correction.form(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                correction.carry_out(request, learner.pk, form.cleaned_data)
            except ProgramEnrollmentsError as error:
                form.add_error(None, error.message)
            else:
                return page
        return self._ask(request, learner, correction, form)

    def _ask(self, request: HttpRequest, learner: Learner, correction: Correction, form: Form) -> HttpResponse:
        context = {
            **form_page_context(model_admin=self, request=request, form=form),
            "title": correction.title,
            "subtitle": str(learner),
            "original": learner,
            "correction": correction,
        }
        return TemplateResponse(request, "admin/university_enrollments/learner/correction.html", context)

    def has_correct_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may use the actions below (Django calls a method of this name)."""
        return self.may_change(request)

    @admin.action(description=gettext_lazy("Try again to make enrollments real"), permissions=["correct"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[Learner]) -> None:
        """For the chosen learners, look for accounts and try their enrollments at the host once more."""
        ids = list(queryset.order_by().values_list("pk", flat=True)[: MAX_AT_ONCE + 1])
        if len(ids) > MAX_AT_ONCE:
            text = _("Choose at most %(limit)d learners at a time, or let the sweep do it.")
            messages.error(request, text % {"limit": MAX_AT_ONCE})
            return
        try:
            report = api.try_again(learner_ids=ids, origin=staff_origin(request=request, reason=""))
        except ProgramEnrollmentsError as error:
            messages.error(request, error.message)
        else:
            tell_realized(request=request, report=report)
