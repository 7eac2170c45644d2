"""The tables."""

from program_enrollments.models.acknowledgements import GradeAcknowledgement
from program_enrollments.models.catalog import CourseRun, Curriculum, CurriculumCourseRun, Program
from program_enrollments.models.disclosures import Disclosure
from program_enrollments.models.enrollments import (
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)
from program_enrollments.models.feeds import Feed, FeedFile, FeedHoliday, FeedLook
from program_enrollments.models.grades import FrozenGrade, GradeBook, GradeFreeze
from program_enrollments.models.grants import Grant
from program_enrollments.models.idempotency import KeptAnswer, KeptProgress
from program_enrollments.models.invitations import AccessChange, Invitation
from program_enrollments.models.jobs import UNDER_WAY, Job, JobPhase, JobRow, KeptEnrollment, StagedRow
from program_enrollments.models.learners import Learner, LinkClaim
from program_enrollments.models.ledger import LedgerEntry, LedgerPosition
from program_enrollments.models.mails import Contact, Mail
from program_enrollments.models.saml import MetadataRequest, ProposedMetadata, SamlConfiguration, SeenAssertion
from program_enrollments.models.schools import IdentityProvider, School, SchoolEmailDomain
from program_enrollments.models.setting_changes import SettingChange
from program_enrollments.models.summaries import ProgramSummary
from program_enrollments.models.webhooks import WebhookEndpoint, WebhookMessage, WebhookPosition

__all__ = [
    "UNDER_WAY",
    "AccessChange",
    "Contact",
    "CourseRun",
    "Curriculum",
    "CurriculumCourseRun",
    "Disclosure",
    "Feed",
    "FeedFile",
    "FeedHoliday",
    "FeedLook",
    "FrozenGrade",
    "GradeAcknowledgement",
    "GradeBook",
    "GradeFreeze",
    "Grant",
    "IdentityProvider",
    "Invitation",
    "Job",
    "JobPhase",
    "JobRow",
    "KeptAnswer",
    "KeptEnrollment",
    "KeptProgress",
    "Learner",
    "LedgerEntry",
    "LedgerPosition",
    "LinkClaim",
    "Mail",
    "MetadataRequest",
    "PreemptiveCourseEnrollment",
    "PreemptiveProgramEnrollment",
    "Program",
    "ProgramCourseEnrollment",
    "ProgramEnrollment",
    "ProgramSummary",
    "ProposedMetadata",
    "SamlConfiguration",
    "School",
    "SchoolEmailDomain",
    "SeenAssertion",
    "SettingChange",
    "StagedRow",
    "WebhookEndpoint",
    "WebhookMessage",
    "WebhookPosition",
]
