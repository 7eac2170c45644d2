"""The base of every endpoint: the order of checks, the objects in the path, and problem documents.

An endpoint of your own: subclass `Endpoint` (nothing of a program in the path), `ProgramEndpoint` (`<segment:program>`
in the path) or `CourseEndpoint` (also `<anything:course>`), say which permission each method takes in `permissions`,
write the methods, and add a path to `v1/urls.py`. A method parses (`bodies`, `parameters`, `lists`), makes one `api`
call with `self.program`, `self.course_run`, `self.access`, `self.origin()`, and returns a DRF `Response`; it raises
what the table of `errors` knows. `POST` takes `Idempotency-Key` automatically. Name each method's query parameters in
`query`, and describe it in `openapi.yaml`; tests compare both.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from django.core.signals import got_request_exception
from django.db import DatabaseError, transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.module_loading import import_string
from rest_framework import exceptions as drf_exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.parsers import JSONParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from program_enrollments import api
from program_enrollments.conf import get_setting
from program_enrollments.data import Origin, Page, Permission, Source
from program_enrollments.exceptions import ProgramDoesNotExist
from program_enrollments.normalization import parse_uuid
from program_enrollments.rest_api import idempotency, request_ids
from program_enrollments.rest_api.errors import TooManyRequests, find_entry, problem_response
from program_enrollments.rest_api.exports import export_blocks, file_response
from program_enrollments.rest_api.lists import render_page
from program_enrollments.rest_api.parameters import Parameters, refuse_unknown
from program_enrollments.rest_api.raw_bodies import refuse_declared_size
from program_enrollments.rest_api.renderers import CsvRenderer, JsonRenderer, Negotiation, ProblemRenderer
from program_enrollments.rest_api.throttling import ClientThrottle
from program_enrollments.sentences import in_english

if TYPE_CHECKING:
    from rest_framework.views import AsView, GenericView

logger = logging.getLogger(__name__)

RETRY_SECONDS = 30
"""`Retry-After` of a 503. The call itself has already tried again, which bridges shorter outages."""

LANGUAGE = "en"
"""What the sentences in answers are written in, whatever the caller or the platform prefers."""

CHALLENGE = 'Bearer realm="api"'
"""`WWW-Authenticate` of a 401 if no authentication class of the host has one of its own."""


class Endpoint(APIView):
    """An endpoint: checks in a fixed order, then the method of the request (docs/api.rst, Access).

    Declared size 413, authentication 401, rate 429, method 405, media type 406, visibility 404, permission 403. The
    method itself then refuses parameters and body (400, 413, 415) before it writes.
    """

    permissions: ClassVar[Mapping[str, str | None]] = {}
    """Permissions by HTTP method, on the program in the path. Methods with None, or left out, need any grant on it."""
    query: ClassVar[Mapping[str, Collection[str]]] = {}
    """Names of query parameters by HTTP method. Others are refused."""
    size_setting: ClassVar[str] = "MAX_BODY_BYTES"
    """The setting that limits the size of a body."""
    public: ClassVar[bool] = False
    """Whether callers need no authentication."""
    exports: ClassVar[bool] = False
    """Whether GET also answers with CSV (see `export_response`)."""

    renderer_classes = [JsonRenderer]
    parser_classes = [JSONParser]
    permission_classes = []
    throttle_classes = [ClientThrottle]
    content_negotiation_class = Negotiation
    versioning_class = None
    schema = None  # openapi.yaml describes the API; a host's own generator leaves it out

    scope: api.Scope
    request_id: str
    claim: api.Claim | None = None

    @classmethod
    def as_view(cls, **initkwargs: Any) -> AsView[GenericView]:
        """Return the view.

        It ignores the host's `ATOMIC_REQUESTS`, because the domain has short transactions of its own.
        """
        return transaction.non_atomic_requests(super().as_view(**initkwargs))

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Return the classes of the setting `AUTHENTICATION_CLASSES`, or else the host's own."""
        paths = get_setting("AUTHENTICATION_CLASSES")
        classes = self.authentication_classes if paths is None else [import_string(path) for path in paths]
        return [authentication() for authentication in classes]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Check and answer the request, in English. Any failure becomes a problem document."""
        with in_english():
            return self._answer(request, *args, **kwargs)

    def _answer(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.request_id = request_ids.choose_request_id(request.headers.get(request_ids.HEADER))
        self.args, self.kwargs = args, kwargs
        self.request = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        claim: api.Claim | None = None
        try:
            self.initial(self.request, *args, **kwargs)
            turn = self.take_turn()
            if isinstance(turn, api.RequestAnswer):
                response = self._finish(idempotency.replay(turn))
            else:
                self.claim = claim = turn
                method = getattr(self, str(request.method).lower())
                self.refuse_unknown_parameters()
                response = self._finish(method(self.request, *args, **kwargs))
        except Exception as error:  # noqa: BLE001  (none may become a page of the host's; the unforeseen ones are reported)
            response = self._finish(self.handle_exception(error))
        if claim is not None:
            idempotency.settle(claim, response)
        return response

    def _finish(self, answer: Any) -> HttpResponseBase:
        """Add headers and render the answer, while a failure can still become a problem document."""
        finished: HttpResponseBase = self.finalize_response(self.request, answer, *self.args, **self.kwargs)
        if isinstance(finished, Response):
            finished.render()
        return finished

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.format_kwarg = None
        # DRF's request hides the size as it was announced.
        refuse_declared_size(request._request, setting=self.size_setting)  # noqa: SLF001
        self.perform_authentication(request)
        if not self.public and not (request.user.is_authenticated and request.user.is_active):
            raise drf_exceptions.NotAuthenticated
        self.check_throttles(request)
        if request.method not in self.allowed_methods:
            raise drf_exceptions.MethodNotAllowed(str(request.method))
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        self.scope = self.authorize(request)

    def get_renderers(self) -> list[BaseRenderer]:
        """Return the forms of an answer: JSON, and CSV where the method gives an export."""
        renderers: list[BaseRenderer] = super().get_renderers()
        if self.exports and self.request.method in {"GET", "HEAD"}:
            renderers.append(CsvRenderer())
        return renderers

    def authorize(self, request: Request) -> api.Scope:
        """Return the objects that the caller may use. Raises exceptions that become 404 and 403."""
        return api.authorize(user=request.user)

    def take_turn(self) -> api.Claim | api.RequestAnswer | None:
        """Return the kept answer or a new claim, or None if the request has no key.

        This comes after the checks, so that callers who lost a grant get no former answers. Raises the exceptions of
        `api.claim_answer` and `idempotency`.
        """
        request = self.request._request  # noqa: SLF001  (the key covers the request as it came)
        key = idempotency.read_key(request)
        if key is None:
            return None
        return api.claim_answer(
            user_id=self.scope.access.user_id,
            key=key,
            fingerprint=self.fingerprint(),
            school_id=self.scope.school_id,
            now=timezone.now(),
        )

    @property
    def progress(self) -> api.RequestProgress | None:
        """The progress that a bulk write stores for a retry under the same key; None without a key."""
        return None if self.claim is None else api.RequestProgress(self.claim)

    def fingerprint(self) -> str:
        """Return what tells this request from another one under the same key."""
        return idempotency.fingerprint_of(self.request._request)  # noqa: SLF001  (as it came)

    def refuse_unknown_parameters(self) -> None:
        """Raise InvalidParameter for a query parameter that the request's method does not take."""
        if self.request.method != "OPTIONS":
            method = "GET" if self.request.method == "HEAD" else str(self.request.method)
            refuse_unknown(self.request.query_params, known=self.query.get(method, ()))

    def permission_for(self, request: Request) -> str | None:
        """Return the permission that the request's method needs."""
        return self.permissions.get("GET" if request.method == "HEAD" else str(request.method))

    def throttled(self, request: Request, wait: float) -> NoReturn:
        raise TooManyRequests(wait=wait)

    def options(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # type: ignore[override]
        """Answer with the header `Allow` alone; the schema describes the rest."""
        return Response(status=204)

    def handle_exception(self, exc: Exception) -> Response:
        """Return a failure as a problem document.

        Unexpected exceptions are reported as Django reports them, and are not shown to the caller.
        """
        self._report(exc)
        self.request.accepted_renderer = ProblemRenderer()
        self.request.accepted_media_type = ProblemRenderer.media_type
        response = problem_response(exc)
        self._log_refusal(response)
        if response.status_code == 401:
            response["WWW-Authenticate"] = self.get_authenticate_header(self.request) or CHALLENGE
        if isinstance(exc, TooManyRequests):
            response["Retry-After"] = str(ceil(exc.wait))
        elif response.status_code == 503:
            response["Retry-After"] = str(RETRY_SECONDS)
        return response

    def _report(self, error: Exception) -> None:
        """Report a failure that nobody foresaw as Django reports those of its own views."""
        if find_entry(error) is None or isinstance(error, DatabaseError):
            got_request_exception.send(sender=type(self), request=self.request._request)  # noqa: SLF001  (as Django would)

    def _log_refusal(self, response: Response) -> None:
        """Log a refusal by the endpoint's route. Django would log the path, which can contain a student ID."""
        match = self.request.resolver_match
        route = match.route if match is not None else "?"
        logger.info("%s %s: %s.", self.request.method, route, response.data["error_code"])
        response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001  (what Django's own logging looks at)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        finished = super().finalize_response(request, response, *args, **kwargs)
        finished[request_ids.HEADER] = self.request_id
        finished["Content-Language"] = LANGUAGE
        # Answers contain student IDs.
        finished.setdefault("Cache-Control", "private, no-store")
        return finished

    @property
    def access(self) -> api.Access:
        """The caller's access."""
        return self.scope.access

    @property
    def parameters(self) -> Parameters:
        """The request's query parameters."""
        return Parameters(self.request.query_params)

    def origin(self, *, reason: str = "") -> Origin:
        """Return the origin of this request's changes, for the ledger."""
        return Origin(source=Source.API, actor_id=self.request.user.pk, request_id=self.request_id, reason=reason)

    def page_response(self, page: Page, *, status: int = 200, **more: Any) -> Response:
        """Return a page in the envelope of lists, with the additional members `more`."""
        return Response(render_page(self.request, page, **more), status=status)

    def export_response(
        self, *, columns: Sequence[str], rows: Iterable[Mapping[str, Any]], name: str
    ) -> HttpResponseBase:
        """Return rows as a CSV file (see `exports`)."""
        return self.file_response(blocks=export_blocks(columns=columns, rows=rows), name=name)

    def file_response(self, *, blocks: Iterator[bytes], name: str) -> HttpResponseBase:
        """Return the blocks of a CSV file, streamed if it is long."""
        return file_response(blocks=blocks, name=name, report=self._report)


class ProgramEndpoint(Endpoint):
    """An endpoint below a program."""

    program: api.Program

    def identity_reach(self) -> api.Reach:
        """Return the part of the program's school where the caller may change learners' identities."""
        return self.access.reach(permission=Permission.WRITE_ENROLLMENTS, school_id=self.program.school_id)

    def authorize(self, request: Request) -> api.Scope:
        uuid = parse_uuid(self.kwargs["program"])
        if uuid is None:
            raise ProgramDoesNotExist
        scope = api.authorize(
            user=request.user,
            program=uuid,
            course=self.kwargs.get("course"),
            permission=self.permission_for(request),
        )
        if scope.program is not None:
            self.program = scope.program
        return scope


class SchoolEndpoint(Endpoint):
    """An endpoint below a school, for callers with the method's permission on the whole school."""

    school: api.School

    def authorize(self, request: Request) -> api.Scope:
        scope = api.authorize_school(
            user=request.user, key=self.kwargs["school"], permission=self.permission_for(request)
        )
        if scope.school is not None:
            self.school = scope.school
        return scope


class CourseEndpoint(ProgramEndpoint):
    """An endpoint below a course run of a program."""

    course_run: api.CourseRun

    def authorize(self, request: Request) -> api.Scope:
        scope = super().authorize(request)
        if scope.course_run is not None:
            self.course_run = scope.course_run
        return scope


class NothingHere(Endpoint):
    """Answers every other path under the root with 404, as a problem document, for authenticated callers."""

    http_method_names = ["get", "post", "put", "patch", "delete", "head", "options"]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise drf_exceptions.NotFound

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        raise drf_exceptions.NotFound

    post = put = patch = delete = get
