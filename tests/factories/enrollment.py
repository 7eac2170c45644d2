"""Things of the app: schools, their catalog, their learners and enrollments, and who may do what."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

import factory
from django.contrib.auth.models import Permission as DjangoPermission
from django.utils import timezone
from factory.django import DjangoModelFactory
from social_django.models import UserSocialAuth

from demo_lms.models import CourseRun as HostCourseRun
from program_enrollments.data import CourseStatus, LinkHow, Permission, ProgramStatus
from program_enrollments.models import (
    CourseRun,
    Curriculum,
    Grant,
    IdentityProvider,
    Learner,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    Program,
    ProgramCourseEnrollment,
    ProgramEnrollment,
    School,
    SchoolEmailDomain,
)
from tests.factories.host import UserFactory


class SchoolFactory(DjangoModelFactory[School]):
    """A school without identity provider, e-mail domains or programs."""

    class Meta:
        model = School

    key = factory.Sequence(lambda n: f"school-{n}")
    name = factory.Sequence(lambda n: f"School {n}")


class SchoolEmailDomainFactory(DjangoModelFactory[SchoolEmailDomain]):
    class Meta:
        model = SchoolEmailDomain

    school = factory.SubFactory(SchoolFactory)
    domain = factory.Sequence(lambda n: f"school-{n}.example")


class IdentityProviderFactory(DjangoModelFactory[IdentityProvider]):
    class Meta:
        model = IdentityProvider

    school = factory.SubFactory(SchoolFactory)
    slug = factory.Sequence(lambda n: f"idp-{n}")
    name = factory.LazyAttribute(lambda provider: f"Sign-in of {provider.slug}")


class ProgramFactory(DjangoModelFactory[Program]):
    """A program without curricula; `CurriculumFactory` makes both at once."""

    class Meta:
        model = Program

    uuid = factory.LazyFunction(uuid.uuid4)
    school = factory.SubFactory(SchoolFactory)
    key = factory.Sequence(lambda n: f"program-{n}")
    title = factory.Sequence(lambda n: f"Master of Subject {n}")
    type = "Masters"


class CurriculumFactory(DjangoModelFactory[Curriculum]):
    class Meta:
        model = Curriculum

    uuid = factory.LazyFunction(uuid.uuid4)
    program = factory.SubFactory(ProgramFactory)
    name = factory.Sequence(lambda n: f"Curriculum {n}")
    is_active = True


class CourseRunFactory(DjangoModelFactory[CourseRun]):
    """A course run of the catalog, and the LMS's own of the same key unless `in_host=False`.

    `curricula=[…]` puts it into those curricula.
    """

    class Meta:
        model = CourseRun
        skip_postgeneration_save = True

    course_id = factory.Sequence(lambda n: f"course-v1:Uni+CS{n}+2026")
    external_key = factory.Sequence(lambda n: f"CS{n}-2026")
    title = factory.Sequence(lambda n: f"Course {n}")

    @factory.post_generation
    def curricula(self: CourseRun, create: bool, extracted: Iterable[Curriculum] | None, **kwargs: object) -> None:
        self.curricula.add(*(extracted or ()))

    @factory.post_generation
    def in_host(self: CourseRun, create: bool, extracted: bool | None, **kwargs: object) -> None:
        if extracted is not False:
            HostCourseRun.objects.get_or_create(course_id=self.course_id, defaults={"title": self.title})


class LearnerFactory(DjangoModelFactory[Learner]):
    """A learner without account, known by student ID alone."""

    class Meta:
        model = Learner

    school = factory.SubFactory(SchoolFactory)
    student_key = factory.Sequence(lambda n: f"student-{n}")


class LinkedLearnerFactory(LearnerFactory):
    """A learner whose account is known by single sign-on. The social-auth row is made by `UserSocialAuthFactory`."""

    user = factory.SubFactory(UserFactory)
    link_how = LinkHow.SSO
    linked_at = factory.LazyFunction(timezone.now)


class PreemptiveProgramEnrollmentFactory(DjangoModelFactory[PreemptiveProgramEnrollment]):
    class Meta:
        model = PreemptiveProgramEnrollment

    curriculum = factory.SubFactory(CurriculumFactory)
    program = factory.SelfAttribute("curriculum.program")
    learner = factory.SubFactory(LearnerFactory, school=factory.SelfAttribute("..program.school"))
    status = ProgramStatus.ENROLLED


class ProgramEnrollmentFactory(DjangoModelFactory[ProgramEnrollment]):
    class Meta:
        model = ProgramEnrollment

    curriculum = factory.SubFactory(CurriculumFactory)
    program = factory.SelfAttribute("curriculum.program")
    learner = factory.SubFactory(LinkedLearnerFactory, school=factory.SelfAttribute("..program.school"))
    status = ProgramStatus.ENROLLED


class PreemptiveCourseEnrollmentFactory(DjangoModelFactory[PreemptiveCourseEnrollment]):
    """The learner's program enrollment isn't made with it."""

    class Meta:
        model = PreemptiveCourseEnrollment

    program = factory.SubFactory(ProgramFactory)
    course_run = factory.SubFactory(CourseRunFactory)
    learner = factory.SubFactory(LearnerFactory, school=factory.SelfAttribute("..program.school"))
    status = CourseStatus.ACTIVE


class ProgramCourseEnrollmentFactory(DjangoModelFactory[ProgramCourseEnrollment]):
    """Neither the learner's program enrollment nor the host's seat is made with it."""

    class Meta:
        model = ProgramCourseEnrollment

    program = factory.SubFactory(ProgramFactory)
    course_run = factory.SubFactory(CourseRunFactory)
    learner = factory.SubFactory(LinkedLearnerFactory, school=factory.SelfAttribute("..program.school"))
    status = CourseStatus.ACTIVE


class GrantFactory(DjangoModelFactory[Grant]):
    """A grant on a school; for one on a program give `school=None, program=…`."""

    class Meta:
        model = Grant

    user = factory.SubFactory(UserFactory)
    school = factory.SubFactory(SchoolFactory)
    permission = Permission.METADATA


def grant_everything(*, user: Any, school: School) -> None:
    """Give the user every permission on the school."""
    for permission in Permission.values:
        GrantFactory(user=user, school=school, permission=permission)


def act_for_all_schools(user: Any) -> Any:
    """Give the user Django's permission to act for all schools, and return the user."""
    user.user_permissions.add(DjangoPermission.objects.get(codename="act_for_all_schools"))
    return user


class UserSocialAuthFactory(DjangoModelFactory[UserSocialAuth]):
    """What social-auth keeps of a sign-on through a school's identity provider; saving it is what a sign-on does."""

    class Meta:
        model = UserSocialAuth

    user = factory.SubFactory(UserFactory)
    provider = "tpa-saml"
    uid = factory.Sequence(lambda n: f"idp:student-{n}")
