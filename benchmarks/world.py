"""The world that is measured in: one school, one program, its course runs, and the client that writes."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

SCHOOL, PROGRAM_UUID, CURRICULUM_UUID = "bench", UUID(int=0xB1), UUID(int=0xB2)
PROVIDER, SLUG = "tpa-saml", "bench"
CLIENT_ID, CLIENT_SECRET = "bench-sis", "bench-secret"
RUNS_OF_A_SIGN_IN = 20


def course_id(number: int) -> str:
    """Return the key of a course run; number 0 is the one that bulk writes are about."""
    return f"course-v1:Bench+R{number}+2026"


def student_key(prefix: str, number: int) -> str:
    """Return a student ID: consecutive within a cohort, as universities hand them out, and all of one length."""
    return f"{prefix}-{10_000_000 + number}"


@dataclass(frozen=True, slots=True)
class World:
    """Primary keys of what there is: bare SQL names things so."""

    school: int
    program: int
    curriculum: int
    runs: tuple[int, ...]
    actor: int


def make_world() -> World:
    """Migrate the stand's database and make a school with a program, 21 course runs and an OAuth2 client."""
    from django.contrib.auth.models import User  # noqa: PLC0415  (models need the stand's settings)
    from django.core.management import call_command  # noqa: PLC0415
    from oauth2_provider.models import get_application_model  # noqa: PLC0415

    from demo_lms.models import CourseRun as HostCourseRun  # noqa: PLC0415
    from program_enrollments import models  # noqa: PLC0415
    from program_enrollments.data import Permission  # noqa: PLC0415

    call_command("migrate", verbosity=0, interactive=False)
    school = models.School.objects.create(key=SCHOOL, name="Bench University")
    models.IdentityProvider.objects.create(school=school, slug=SLUG)
    program = models.Program.objects.create(uuid=PROGRAM_UUID, school=school, key="bench", title="Master of Measures")
    curriculum = models.Curriculum.objects.create(uuid=CURRICULUM_UUID, program=program)
    for number in range(RUNS_OF_A_SIGN_IN + 1):
        curriculum.course_runs.create(course_id=course_id(number), title=f"Course {number}")
        HostCourseRun.objects.create(course_id=course_id(number), title=f"Course {number}")
    user = User.objects.create(username=CLIENT_ID)
    for permission in Permission.values:
        models.Grant.objects.create(user=user, school=school, permission=permission)
    application = get_application_model()
    application.objects.create(
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        user=user,
        client_type=application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=application.GRANT_CLIENT_CREDENTIALS,
    )
    return get_world()


def get_world() -> World:
    """Return the stand's world."""
    from django.contrib.auth.models import User  # noqa: PLC0415  (models need the stand's settings)

    from program_enrollments import models  # noqa: PLC0415

    program = models.Program.objects.get(uuid=PROGRAM_UUID)
    return World(
        school=program.school_id,
        program=program.pk,
        curriculum=program.curricula.get().pk,
        runs=tuple(models.CourseRun.objects.order_by("pk").values_list("pk", flat=True)),
        actor=User.objects.get(username=CLIENT_ID).pk,
    )
