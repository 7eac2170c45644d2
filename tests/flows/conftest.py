"""Who the stories are about: universities whose word the development sign-in gives, and the demo's own, whose identity
providers run in a process of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from pytest_django.live_server_helper import LiveServer

from demo_lms.idp.running import RunningProviders, configure_providers, start_providers
from program_enrollments import api
from program_enrollments.data import CourseEnrollmentRequest, Origin, ProgramEnrollmentRequest, Source, Verb
from program_enrollments.models import CourseRun, Curriculum, PreemptiveCourseEnrollment, School, SchoolEmailDomain
from tests.factories.enrollment import CourseRunFactory, CurriculumFactory, IdentityProviderFactory, SchoolFactory
from tests.flows.people import OnCommit, Student, University

ORIGIN = Origin(source=Source.API.value)


@pytest.fixture
def uni_a(db: None, django_capture_on_commit_callbacks: OnCommit) -> University:
    return University("uni-a", django_capture_on_commit_callbacks)


@pytest.fixture
def uni_b(db: None, django_capture_on_commit_callbacks: OnCommit) -> University:
    return University("uni-b", django_capture_on_commit_callbacks)


@pytest.fixture
def new_student(db: None, django_capture_on_commit_callbacks: OnCommit) -> Callable[[], Student]:
    return lambda: Student(django_capture_on_commit_callbacks)


@pytest.fixture(scope="session")
def universities(live_server: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProviders]:
    folder = tmp_path_factory.mktemp("idp")
    running = start_providers(folder=folder, acs_urls=[f"{live_server.url}/sso/acs/"])
    yield running
    running.stop()
    assert running.process.returncode == 0


@pytest.fixture
def school(transactional_db: None, universities: RunningProviders) -> School:
    """University A and University B, as the demo sets them up; A is returned."""
    schools = [
        SchoolFactory(key=key, name=name) for key, name in (("uni-a", "University A"), ("uni-b", "University B"))
    ]
    for one in schools:
        IdentityProviderFactory(slug=one.key, school=one)
    SchoolEmailDomain.objects.create(school=schools[0], domain="uni-a.example")
    configure_providers(folder=universities.folder, base_url=universities.base_url)
    return schools[0]


@pytest.fixture
def course_run(school: School) -> CourseRun:
    """A course run that University A has put student1 into, before there is an account."""
    curriculum: Curriculum = CurriculumFactory(program__school=school, program__title="Master of Computer Science")
    run: CourseRun = CourseRunFactory(title="Algorithms", curricula=[curriculum])
    api.write_program_enrollments(
        program=curriculum.program,
        rows=[ProgramEnrollmentRequest("student1", "student1", "", "enrolled")],
        verb=Verb.CREATE,
        origin=ORIGIN,
    )
    api.write_course_enrollments(
        program=curriculum.program,
        course_run=run,
        rows=[CourseEnrollmentRequest("student1", "student1", "", "active")],
        verb=Verb.CREATE,
        origin=ORIGIN,
    )
    assert PreemptiveCourseEnrollment.objects.count() == 1
    return run
