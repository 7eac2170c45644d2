"""Two universities, their programs and course runs. Everything is fixed, so that the documentation can quote it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import Q

from demo_lms.models import Assignment
from demo_lms.models import CourseRun as HostCourseRun
from program_enrollments.models import (
    CourseRun,
    Curriculum,
    IdentityProvider,
    Program,
    School,
    SchoolEmailDomain,
)


@dataclass(frozen=True, slots=True)
class SeedCourse:
    """A course run, in the LMS and in the catalog's mirror."""

    course_id: str
    external_key: str
    title: str


@dataclass(frozen=True, slots=True)
class SeedCurriculum:
    """A curriculum and its course runs."""

    uuid: UUID
    name: str
    courses: tuple[SeedCourse, ...]


@dataclass(frozen=True, slots=True)
class SeedProgram:
    """A program; all its curricula are active."""

    uuid: UUID
    key: str
    title: str
    curricula: tuple[SeedCurriculum, ...]


@dataclass(frozen=True, slots=True)
class SeedSchool:
    """A university. `key` is also its identity provider's slug. Where it has an e-mail domain, no other counts."""

    key: str
    name: str
    color: str
    email_domain: str
    programs: tuple[SeedProgram, ...]


CS101 = SeedCourse("course-v1:UniA+CS101+2026", "CS-101", "Algorithms")
CS102 = SeedCourse("course-v1:UniA+CS102+2026", "CS-102", "Operating Systems")
DS201 = SeedCourse("course-v1:UniA+DS201+2026", "DS-201", "Statistical Learning")
BA101 = SeedCourse("course-v1:UniB+BA101+2026", "BA/101", "Accounting")
BA102 = SeedCourse("course-v1:UniB+BA102+2026", "BA/102", "Marketing")
PH201 = SeedCourse("course-v1:UniB+PH201+2026", "PH/201", "Epidemiology")

COMPUTER_SCIENCE = SeedProgram(
    UUID("aaaaaaaa-0000-4000-8000-000000000001"),
    "uni-a-mcs",
    "Master of Computer Science",
    (SeedCurriculum(UUID("aaaaaaaa-0000-4000-8000-000000000011"), "MCS 2026", (CS101, CS102)),),
)
DATA_SCIENCE = SeedProgram(
    UUID("aaaaaaaa-0000-4000-8000-000000000002"),
    "uni-a-mds",
    "Master of Data Science",
    (
        SeedCurriculum(UUID("aaaaaaaa-0000-4000-8000-000000000021"), "MDS 2025", (CS101,)),
        SeedCurriculum(UUID("aaaaaaaa-0000-4000-8000-000000000022"), "MDS 2026", (CS101, DS201)),
    ),
)
BUSINESS = SeedProgram(
    UUID("bbbbbbbb-0000-4000-8000-000000000001"),
    "uni-b-mba",
    "Master of Business Administration",
    (SeedCurriculum(UUID("bbbbbbbb-0000-4000-8000-000000000011"), "MBA 2026", (BA101, BA102)),),
)
PUBLIC_HEALTH = SeedProgram(
    UUID("bbbbbbbb-0000-4000-8000-000000000002"),
    "uni-b-mph",
    "Master of Public Health",
    (
        SeedCurriculum(UUID("bbbbbbbb-0000-4000-8000-000000000021"), "MPH 2025", (PH201,)),
        SeedCurriculum(UUID("bbbbbbbb-0000-4000-8000-000000000022"), "MPH 2026", (PH201, BA101)),
    ),
)
SCHOOLS = (
    SeedSchool("uni-a", "University A", "#7a1f2b", "uni-a.example", (COMPUTER_SCIENCE, DATA_SCIENCE)),
    SeedSchool("uni-b", "University B", "#1f5a3a", "", (BUSINESS, PUBLIC_HEALTH)),
)


def seed_schools(*, base_url: str, now: datetime) -> None:
    """Make the universities and what they teach; the course runs began six weeks before `now`."""
    start = datetime.combine(now.date() - timedelta(weeks=6), datetime.min.time(), UTC)
    for seed in SCHOOLS:
        school, _made = School.objects.get_or_create(
            key=seed.key, defaults={"name": seed.name, "primary_color": seed.color, "text_color": "#ffffff"}
        )
        IdentityProvider.objects.get_or_create(
            slug=seed.key, defaults={"school": school, "name": f"Sign-in of {seed.name}"}
        )
        if seed.email_domain:
            SchoolEmailDomain.objects.get_or_create(school=school, domain=seed.email_domain)
        for program in seed.programs:
            _seed_program(school=school, seed=program, base_url=base_url, start=start)


def _seed_program(*, school: School, seed: SeedProgram, base_url: str, start: datetime) -> None:
    program, _made = Program.objects.get_or_create(
        uuid=seed.uuid,
        defaults={
            "school": school,
            "key": seed.key,
            "title": seed.title,
            "type": "Masters",
            "url": f"{base_url}/dashboard/",
            "advisor_name": "Study advice",
            "advisor_email": f"advice@{school.key}.example",
            "documents": f"Handbook | https://{school.key}.example/handbook",
        },
    )
    for one in seed.curricula:
        curriculum, _made = Curriculum.objects.get_or_create(
            uuid=one.uuid, defaults={"program": program, "name": one.name}
        )
        curriculum.course_runs.add(*(_seed_course(course, base_url, start) for course in one.courses))


def _seed_course(seed: SeedCourse, base_url: str, start: datetime) -> CourseRun:
    dates = {"start": start, "end": start + timedelta(weeks=16)}
    HostCourseRun.objects.get_or_create(course_id=seed.course_id, defaults={"title": seed.title, **dates})
    Assignment.objects.get_or_create(
        course_run_id=seed.course_id, title="Problem set 4", defaults={"due": start + timedelta(weeks=8)}
    )
    run, _made = CourseRun.objects.get_or_create(
        course_id=seed.course_id,
        defaults={
            "external_key": seed.external_key,
            "title": seed.title,
            "url": f"{base_url}/courses/{seed.course_id}/",
            **dates,
        },
    )
    return run


def point_links_at(*, base_url: str) -> None:
    """Let the links of the demo's programs and course runs lead to this address of the site, where they don't yet."""
    programs = [program.uuid for school in SCHOOLS for program in school.programs]
    own = Program.objects.filter(Q(uuid__in=programs) | Q(school__is_sandbox=True))
    own.exclude(url__startswith=f"{base_url}/").update(url=f"{base_url}/dashboard/")
    courses = {
        course.course_id
        for school in SCHOOLS
        for program in school.programs
        for curriculum in program.curricula
        for course in curriculum.courses
    }
    for run in CourseRun.objects.filter(course_id__in=courses).exclude(url__startswith=f"{base_url}/"):
        run.url = f"{base_url}/courses/{run.course_id}/"
        run.save(update_fields=["url", "modified"])
