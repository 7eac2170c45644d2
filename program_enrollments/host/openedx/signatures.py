"""What the adapter relies on in the platform: the one table, shown in docs/openedx.rst.

`python -m program_enrollments.host.openedx.comparison PATH` compares it with the files of a checkout, and a test with
the stand-ins. Each entry names the commit of openedx/openedx-platform at which the file was read.
"""

from __future__ import annotations

from typing import NamedTuple


class Definition(NamedTuple):
    """One definition in one file.

    `form` is how it has to look:

    - `def (self, users, mode=None)`: a function with these parameters. Further ones must have defaults.
    - `class (Base)`: a class with this base among others.
    - `= models.BooleanField(default=True)`: a value made by this call, with these arguments among others.
    - `= 'staff'`: exactly this value.

    `mentions` are names that a function's body has to contain: exceptions raised, filters run and signals sent.
    """

    name: str
    form: str
    used_for: str
    mentions: tuple[str, ...] = ()


class SourceFile(NamedTuple):
    """A file of the platform, or of a package that the platform needs."""

    path: str
    commit: str
    definitions: tuple[Definition, ...]
    package: str = ""


STUDENT = "common/djangoapps/student"

FILES: tuple[SourceFile, ...] = (
    SourceFile(
        f"{STUDENT}/models/course_enrollment.py",
        "3eb3f98207d043e89cc3c964d59ef26931575d75",
        (
            Definition("CourseEnrollment", "class (models.Model)", "seats"),
            Definition("CourseEnrollment.user", "= models.ForeignKey(User)", "whose seat"),
            Definition(
                "CourseEnrollment.course",
                "= models.ForeignKey(CourseOverview, db_constraint=False)",
                "no constraint: an unknown run would be enrolled in",
            ),
            Definition(
                "CourseEnrollment.is_active", "= models.BooleanField(default=True)", "whether the seat is taken"
            ),
            Definition("CourseEnrollment.mode", "= models.CharField(max_length=100)", "the seat's mode"),
            Definition(
                "CourseEnrollment.enroll",
                "def (cls, user, course_key, mode=None, check_access=False, can_upgrade=False, enterprise_uuid=None)",
                "new seats, and seats that are active again",
                ("CourseEnrollmentStarted", "EnrollmentNotAllowed", "COURSE_ENROLLMENT_CREATED"),
            ),
            Definition(
                "CourseEnrollment.unenroll",
                "def (cls, user, course_id, skip_refund=False)",
                "seats that end",
                ("CourseUnenrollmentStarted", "UnenrollmentNotAllowed"),
            ),
            Definition(
                "CourseEnrollment.get_or_create_enrollment",
                "def (cls, user, course_key)",
                "seats that are inactive from the start",
                ("get_or_create",),
            ),
            Definition(
                "CourseEnrollment.update_enrollment",
                "def (self, mode=None, is_active=None, skip_refund=False, enterprise_uuid=None)",
                "changes of mode",
                ("COURSE_ENROLLMENT_CHANGED", "UNENROLL_DONE", "ENROLLMENT_TRACK_UPDATED"),
            ),
            Definition("CourseEnrollmentException", "class (Exception)", "base of what is raised"),
            Definition("EnrollmentNotAllowed", "class (CourseEnrollmentException)", "a filter refused"),
            Definition("UnenrollmentNotAllowed", "class (CourseEnrollmentException)", "a filter refused"),
        ),
    ),
    SourceFile(
        f"{STUDENT}/models/user.py",
        "0b870c132a5e8e2e1f1c4b3b2b20e329738d3a49",
        (
            Definition(
                "UserProfile.user", "= models.OneToOneField(User, related_name='profile')", "events need a profile"
            ),
            Definition("Registration.user", "= models.OneToOneField(User)", "confirming addresses"),
            Definition("Registration.activate", "def (self)", "confirming addresses", ("USER_ACCOUNT_ACTIVATED",)),
            Definition(
                "AccountRecovery.user",
                "= models.OneToOneField(User, related_name='account_recovery')",
                "recovery addresses",
            ),
            Definition("AccountRecovery.secondary_email", "= models.EmailField(unique=True)", "recovery addresses"),
            Definition("AccountRecovery.is_active", "= models.BooleanField(default=False)", "whether it is confirmed"),
        ),
    ),
    SourceFile(
        f"{STUDENT}/roles.py",
        "c6607476c5fd8e206a850203fd97512edaffa7c1",
        (
            Definition("CourseStaffRole", "class (CourseRole)", "course staff"),
            Definition("CourseStaffRole.ROLE", "= 'staff'", "course staff"),
            Definition("CourseRole.__init__", "def (self, role, course_key)", "course staff"),
            Definition("RoleBase.add_users", "def (self, *users)", "giving the role"),
            Definition("RoleBase.remove_users", "def (self, *users)", "taking the role"),
            Definition("RoleBase.users_with_role", "def (self)", "who holds the role"),
        ),
    ),
    SourceFile(
        f"{STUDENT}/signals/signals.py",
        "e57a655d77b614f19223984e9805b1fb940ab192",
        (
            Definition("ENROLL_STATUS_CHANGE", "= Signal()", "sent for new and ended seats; not received"),
            Definition("UNENROLL_DONE", "= Signal()", "sent for ended seats; not received"),
        ),
    ),
    SourceFile(
        "common/djangoapps/course_modes/models.py",
        "6913dfd7cbf742e40041ce14b76df5072ba6e335",
        (
            Definition("CourseMode.course", "= models.ForeignKey(CourseOverview)", "modes of a run"),
            Definition("CourseMode.mode_slug", "= models.CharField(max_length=100)", "modes of a run"),
        ),
    ),
    SourceFile(
        "openedx/core/djangoapps/content/course_overviews/models.py",
        "22eb254bbc0a8d51b5c02079b4140df14d78242b",
        (
            Definition("CourseOverview.id", "= CourseKeyField(primary_key=True)", "whether a run exists"),
            Definition("CourseOverview.start", "= models.DateTimeField(null=True)", "resume links"),
            Definition("CourseOverview.end", "= models.DateTimeField(null=True)", "when certificates are shown"),
            Definition("CourseOverview.self_paced", "= models.BooleanField(default=False)", "certificates"),
        ),
    ),
    SourceFile(
        "openedx/core/djangoapps/user_api/models.py",
        "e57a655d77b614f19223984e9805b1fb940ab192",
        (Definition("UserRetirementRequest.user", "= models.OneToOneField(User)", "who asked to be forgotten"),),
    ),
    SourceFile(
        "common/djangoapps/third_party_auth/models.py",
        "0287d047783ea903ac6a5e47a7e20d2a68b1758a",
        (
            Definition("ProviderConfig", "class (ConfigurationModel)", "providers: `enabled`, and `current_set`"),
            Definition("ProviderConfig.KEY_FIELDS", "= ('slug',)", "the newest row of a slug counts"),
            Definition("ProviderConfig.name", "= models.CharField(max_length=50)", "adopting providers"),
            Definition("ProviderConfig.slug", "= models.SlugField(max_length=30)", "adopting providers"),
            Definition(
                "ProviderConfig.organization", "= models.ForeignKey(Organization, null=True)", "adopting schools"
            ),
            Definition("SAMLProviderConfig", "class (ProviderConfig)", "adopting providers"),
            Definition("SAMLProviderConfig.display_name", "= models.CharField(max_length=35)", "adopting providers"),
            Definition(
                "SAMLProviderConfig.backend_name", "= models.CharField(default='tpa-saml')", "adopting providers"
            ),
            Definition("SAMLProviderConfig.archived", "= models.BooleanField(default=False)", "adopting providers"),
        ),
    ),
    SourceFile(
        "openedx/core/djangoapps/catalog/utils.py",
        "7ace6aea9a7642168cdfa28a35b43f5bd4670b30",
        (
            Definition(
                "get_programs",
                "def (site=None, uuid=None, uuids=None, course=None, catalog_course_uuid=None, organization=None)",
                "adopting programs",
            ),
        ),
    ),
    SourceFile(
        "organizations/models.py",
        "9.0.0",
        (
            Definition("Organization.name", "= models.CharField(max_length=255)", "adopting schools"),
            Definition(
                "Organization.short_name", "= models.CharField(max_length=255, unique=True)", "adopting schools"
            ),
        ),
        package="edx-organizations",
    ),
    SourceFile(
        "openedx/core/djangoapps/user_api/accounts/signals.py",
        "e57a655d77b614f19223984e9805b1fb940ab192",
        (Definition("USER_RETIRE_LMS_MISC", "= Signal()", "retiring a person here, too"),),
    ),
    SourceFile(
        "lms/djangoapps/grades/models.py",
        "130f7d4705983c202f4bbda24b19ca2a799e4fd1",
        (
            Definition("PersistentCourseGrade.user_id", "= models.IntegerField()", "final grades"),
            Definition("PersistentCourseGrade.course_id", "= CourseKeyField()", "final grades"),
            Definition("PersistentCourseGrade.percent_grade", "= models.FloatField()", "final grades"),
            Definition(
                "PersistentCourseGrade.letter_grade", "= models.CharField()", "final grades; blank is not passed"
            ),
        ),
    ),
    SourceFile(
        "lms/djangoapps/grades/course_grade_factory.py",
        "e57a655d77b614f19223984e9805b1fb940ab192",
        (
            Definition(
                "CourseGradeFactory.update",
                "def (self, user, course=None, collected_block_structure=None, course_structure=None, course_key=None)",
                "computing missing grades, in a command only",
            ),
        ),
    ),
    SourceFile(
        "lms/djangoapps/certificates/models.py",
        "2579a6d6aca7",
        (
            Definition("GeneratedCertificate.user", "= models.ForeignKey(User)", "certificates of a learner"),
            Definition("GeneratedCertificate.course_id", "= CourseKeyField()", "certificates of a learner"),
            Definition(
                "GeneratedCertificate.verify_uuid", "= models.CharField(max_length=32)", "links to certificates"
            ),
            Definition("GeneratedCertificate.status", "= models.CharField()", "certificates that are downloadable"),
        ),
    ),
    SourceFile(
        "openedx/features/course_experience/url_helpers.py",
        "e57a655d77b614f19223984e9805b1fb940ab192",
        (Definition("get_learning_mfe_home_url", "def (course_key, url_fragment=None)", "resume links"),),
    ),
    SourceFile(
        "lms/djangoapps/courseware/models.py",
        "14f7dc8962faf4c8c762c1182add032f181a3180",
        (
            Definition("StudentModule.student", "= models.ForeignKey(User)", "attendance"),
            Definition("StudentModule.course_id", "= LearningContextKeyField()", "attendance"),
            Definition("StudentModule.created", "= models.DateTimeField(auto_now_add=True)", "attendance"),
            Definition("StudentModule.modified", "= models.DateTimeField(auto_now=True)", "attendance"),
        ),
    ),
    SourceFile(
        "completion/models.py",
        "00eeb8b4bfd79967b71ac65feca55f06a3e9052b",
        (
            Definition("BlockCompletion", "class (TimeStampedModel)", "attendance: created, modified"),
            Definition("BlockCompletion.user", "= models.ForeignKey(User)", "attendance"),
            Definition("BlockCompletion.context_key", "= LearningContextKeyField()", "attendance"),
            Definition("BlockCompletion.block_key", "= UsageKeyField()", "resume links"),
            Definition("BlockCompletion.completion", "= models.FloatField()", "attendance"),
        ),
        package="edx-completion",
    ),
    SourceFile(
        "openedx/core/lib/api/authentication.py",
        "e57a655d77b614f19223984e9805b1fb940ab192",
        (Definition("BearerAuthentication", "class (BaseAuthentication)", "opaque tokens of API clients"),),
    ),
    SourceFile(
        "lms/djangoapps/program_enrollments/apps.py",
        "e57a655d77b614f19223984e9805b1fb940ab192",
        (
            Definition(
                "ProgramEnrollmentsConfig.name",
                "= 'lms.djangoapps.program_enrollments'",
                "the platform's own app: its label and root are not ours",
            ),
        ),
    ),
    SourceFile(
        "lms/djangoapps/program_enrollments/models.py",
        "c28edab121e45798ed56367002d87fc88893da63",
        (
            Definition("ProgramEnrollment", "class (TimeStampedModel)", "taking over: modified"),
            Definition("ProgramEnrollment.user", "= models.ForeignKey(User, null=True)", "taking over"),
            Definition("ProgramEnrollment.external_user_key", "= models.CharField(null=True)", "taking over"),
            Definition("ProgramEnrollment.program_uuid", "= models.UUIDField()", "taking over"),
            Definition("ProgramEnrollment.curriculum_uuid", "= models.UUIDField()", "taking over"),
            Definition("ProgramEnrollment.status", "= models.CharField()", "taking over"),
            Definition(
                "ProgramCourseEnrollment.program_enrollment", "= models.ForeignKey(ProgramEnrollment)", "taking over"
            ),
            Definition("ProgramCourseEnrollment.course_key", "= CourseKeyField()", "taking over"),
            Definition("ProgramCourseEnrollment.status", "= models.CharField()", "taking over"),
            Definition("CourseAccessRoleAssignment.role", "= models.CharField()", "taking over promised roles"),
            Definition(
                "CourseAccessRoleAssignment.enrollment",
                "= models.ForeignKey(ProgramCourseEnrollment)",
                "taking over promised roles",
            ),
        ),
    ),
)
