"""Views: the base of every page, from who is signed in to the answer and its headers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.signals import got_request_exception
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views import View

from program_enrollments.pages.failures import UNEXPECTED, Failure, find_failure, log_failure, new_reference
from program_enrollments.pages.frames import Frame
from program_enrollments.pages.headers import protect
from program_enrollments.pages.time_zones import zone_of

ERROR_TEMPLATE = "program_enrollments/pages/error.html"


class PageView(View):
    """A page for people who are signed in.

    A page of your own: say in `authorize` what the request may see, write the methods, and let them `show` a template.
    Whatever they raise becomes a page that says what happened and what to do, with a reference number that the log has.
    """

    template_name: ClassVar[str] = ""
    is_public: ClassVar[bool] = False
    """Whether people need not be signed in."""
    frame: Frame

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., HttpResponseBase]:
        """Return the view.

        `ATOMIC_REQUESTS` of the host does not reach it, since the domain's transactions are short ones.
        """
        view = transaction.non_atomic_requests(super().as_view(**initkwargs))
        # Django's own middleware would send people to sign in who need not.
        return login_not_required(view) if cls.is_public else view

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer in the viewer's time zone, and turn whatever fails on the way into a page."""
        self.frame = Frame(new_reference(), is_partial="HX-Request" in request.headers)
        if not (self.is_public or (request.user.is_authenticated and request.user.is_active)):
            return redirect_to_login(request.get_full_path())
        with timezone.override(zone_of(request)):
            try:
                self.authorize()
                response = super().dispatch(request, *args, **kwargs)
            except Exception as error:  # noqa: BLE001  (none may become a page of the host's; the unforeseen are reported)
                response = self.fail(error)
        logo_url = self.frame.theme.logo_url
        return protect(response, nonce=self.frame.nonce, image_url=logo_url, has_scripts=True)

    def authorize(self) -> None:
        """Find what the request names, within what the person may see, and what is missing to do it."""
        raise NotImplementedError

    def show(self, context: Mapping[str, Any], *, template: str = "", status: int = 200) -> HttpResponse:
        """Return the page."""
        around = {"frame": self.frame, **self.surroundings(), **context}
        return render(self.request, template or self.template_name, around, status=status)

    def surroundings(self) -> dict[str, Any]:
        """Return what every template of these pages may use."""
        return {}

    def fail(self, error: Exception) -> HttpResponse:
        """Return the page that tells a failure, and log it under the page's reference number."""
        failure = find_failure(error)
        if failure is None:
            got_request_exception.send(sender=type(self), request=self.request)
        return self.show_failure(error, failure or UNEXPECTED)

    def show_failure(self, error: Exception, failure: Failure, **context: Any) -> HttpResponse:
        """Return the page of a failure, logged by the page's route: the path could name people."""
        match = self.request.resolver_match
        log_failure(error, route=match.route if match else "?", reference=self.frame.reference)
        shown = {"failure": failure, **context}
        response = self.show(shown, template=context.pop("template", ERROR_TEMPLATE), status=failure.status)
        # Django would log the path.
        response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001  (what Django's own logging looks at)
        return response
