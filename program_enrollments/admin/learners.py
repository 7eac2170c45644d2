"""Learners: their accounts, what waits and why, and corrections.

Learners cannot be added, edited or deleted here.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
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
from program_enrollments.admin.messages import staff_origin, tell_realized
from program_enrollments.admin.pages import change_page, change_page_if_any, form_page_context
from program_enrollments.admin.search import LEARNER_HELP
from program_enrollments.data import LinkState
from program_enrollments.exceptions import ProgramEnrollmentsError
from program_enrollments.models import Learner

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

    @admin.display(description=gettext_lazy("problem"))
    def problem(self, learner: Learner) -> str:
        return learner.get_problem_code_display()

    @admin.display(description=gettext_lazy("account"))
    def account(self, learner: Learner) -> str:
        """The username, with a link if the host's accounts are in this admin."""
        if learner.user is None:
            return ""
        username = learner.user.get_username()
        url = change_page_if_any(self.admin_site, learner.user)
        return format_html('<a href="{}">{}</a>', url, username) if url else username

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
        return [*own, *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        learner = kwargs.get("obj")
        if learner is not None:
            context["presented"] = api.present_learner(learner=learner)
            context["corrections"] = self._corrections(request, learner)
        return super().render_change_form(request, context, *args, **kwargs)

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
                form.add_error(None, error.detail)
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
            messages.error(request, error.detail)
        else:
            tell_realized(request=request, report=report)
