"""The only door to the domain.

Entry points (REST, receivers, admin, commands) and a host's own code call only the functions that are exported here.
"""

from program_enrollments.api.access import Access, Reach, access_of, get_course_run, get_program
from program_enrollments.api.catalog.load import CatalogOutcome, load_catalog
from program_enrollments.api.days import ChangeFilters, fetch_days
from program_enrollments.api.disclosures import fetch_disclosures, record_disclosure
from program_enrollments.api.enrollments.courses import write_course_enrollments
from program_enrollments.api.enrollments.programs import write_program_enrollments
from program_enrollments.api.grades.absences import fetch_absences
from program_enrollments.api.grades.attendance import fetch_attendance, walk_attendance
from program_enrollments.api.grades.freezes import (
    FreezeFailure,
    FrozenVersion,
    freeze_grades,
    freeze_program_grades,
    reopen_grades,
    retire_from_freezes,
)
from program_enrollments.api.grades.frozen_grades import (
    FrozenGrades,
    GradePage,
    fetch_freezes,
    fetch_grades,
    get_freeze,
    walk_grades,
)
from program_enrollments.api.grades.readiness import GradeSummary, RunState, fetch_run_states, summarize_grades
from program_enrollments.api.grants import (
    StaffClient,
    fetch_access_managers,
    fetch_manageable_grants,
    fetch_manageable_schools,
    fetch_staff_clients,
    grant_all_schools,
    may_give,
)
from program_enrollments.api.invitations import (
    Invited,
    accept_invitation,
    fetch_open_invitations,
    get_invitation,
    invite,
    withdraw_invitation,
)
from program_enrollments.api.jobs.decisions import approve_job, cancel_job, resume_job
from program_enrollments.api.jobs.keeps import keep_enrollments, release_enrollments
from program_enrollments.api.jobs.nudges import job_due
from program_enrollments.api.jobs.queue import count_overdue_jobs, has_job_table
from program_enrollments.api.jobs.results import write_result
from program_enrollments.api.jobs.slices import nudge_due_jobs, run_next_slice, run_slice
from program_enrollments.api.jobs.upload import SentFile, UploadOptions, upload_file
from program_enrollments.api.kept_answers import (
    Claim,
    RequestAnswer,
    RequestProgress,
    claim_answer,
    forget_answers,
    keep_answer,
    release_claim,
)
from program_enrollments.api.learners.search import (
    REFUSED,
    count_learners_in_need,
    find_learners,
    find_learners_in_need,
)
from program_enrollments.api.overview import Overview, ProgramCard, fetch_overview
from program_enrollments.api.people import People, Person, change_access, fetch_people, find_account
from program_enrollments.api.reads.changes import ChangesPage, fetch_changes, walk_changes
from program_enrollments.api.reads.course_list import CourseCard, fetch_course_cards
from program_enrollments.api.reads.enrollments import (
    fetch_course_enrollments,
    fetch_program_enrollments,
    walk_course_enrollments,
    walk_program_enrollments,
)
from program_enrollments.api.reads.jobs import (
    JobRowFilters,
    describe_job,
    fetch_job_rows,
    fetch_jobs,
    get_job,
    walk_job_rows,
)
from program_enrollments.api.reads.learner import get_learner, look_up_learner
from program_enrollments.api.reads.own import fetch_own_programs
from program_enrollments.api.reads.programs import describe_program, fetch_course_runs, fetch_programs
from program_enrollments.api.reads.summaries import Counts
from program_enrollments.api.realizing.after_sign_in import email_confirmed, realize_account, realize_at_sign_on
from program_enrollments.api.realizing.promises import realize_learners
from program_enrollments.api.realizing.sweep import SweepReport, sweep
from program_enrollments.api.rosters import fetch_learners, fetch_roster
from program_enrollments.api.schools import Presentation, present_school
from program_enrollments.api.scope import Scope, authorize, authorize_school, get_school
from program_enrollments.api.sso.accounts import (
    AssertedIdentity,
    AssertionUse,
    OpenedAccount,
    connect_account,
    is_email_trusted,
    is_offered,
    open_account,
)
from program_enrollments.api.sso.certificates import (
    SigningCertificate,
    read_certificates,
    read_fingerprint,
)
from program_enrollments.api.sso.host_pipelines import ConfirmedHolder, confirm_holder
from program_enrollments.api.sso.metadata import ProviderMetadata, check_sso_url, read_metadata
from program_enrollments.api.sso.metadata_proposals import (
    MetadataProposal,
    approve_metadata,
    get_metadata_proposal,
    reject_metadata,
)
from program_enrollments.api.sso.metadata_refresh import (
    RefreshedMetadata,
    RefreshOutcome,
    refresh_metadata,
)
from program_enrollments.api.sso.metadata_requests import (
    activate_metadata,
    fetch_metadata_drafts,
    get_metadata_request,
    reject_metadata_draft,
    request_metadata,
    send_metadata,
)
from program_enrollments.api.sso.provider_states import ProviderState, fetch_provider_states
from program_enrollments.api.sso.providers import (
    AttributeNames,
    SamlProvider,
    SignOnProvider,
    fetch_school_choices,
    fetch_sign_on_choices,
    get_identity_provider,
    get_saml_provider,
    get_sign_on_provider,
)
from program_enrollments.api.sso.seen_assertions import forget_expired_assertions
from program_enrollments.api.support.corrections import (
    link_learner,
    settle_conflict,
    try_again,
    unlink_account,
    unlink_learner,
)
from program_enrollments.api.support.expiry import Forgotten, forget_expired
from program_enrollments.api.support.learner_page import PresentedLearner, present_learner
from program_enrollments.api.support.releases import (
    Released,
    release_learner,
    release_student_keys,
    release_student_keys_at,
)
from program_enrollments.api.support.renames import Renamed, Renaming, rename_students, rename_students_at
from program_enrollments.api.support.retirement import Persons, RetiringReport, retire_learners
from program_enrollments.api.support.selections import SelectedOutcome, change_selected
from program_enrollments.api.support.statuses import (
    CoursePlace,
    ProgramPlace,
    change_course_statuses,
    change_program_statuses,
)
from program_enrollments.api.support.take_over import (
    EarlierCourse,
    EarlierEnrollment,
    NotTaken,
    TakeOver,
    TakeOverProblem,
    take_over_enrollments,
)
from program_enrollments.api.transactions import after_commit, get_database_alias
from program_enrollments.metadata_source import check_metadata_url
from program_enrollments.models import CourseRun, Job, Program, School

__all__ = [
    "REFUSED",
    "Access",
    "AssertedIdentity",
    "AssertionUse",
    "AttributeNames",
    "CatalogOutcome",
    "ChangeFilters",
    "ChangesPage",
    "Claim",
    "ConfirmedHolder",
    "Counts",
    "CourseCard",
    "CoursePlace",
    "CourseRun",
    "EarlierCourse",
    "EarlierEnrollment",
    "Forgotten",
    "FreezeFailure",
    "FrozenGrades",
    "FrozenVersion",
    "GradePage",
    "GradeSummary",
    "Invited",
    "Job",
    "JobRowFilters",
    "MetadataProposal",
    "NotTaken",
    "OpenedAccount",
    "Overview",
    "People",
    "Person",
    "Persons",
    "Presentation",
    "PresentedLearner",
    "Program",
    "ProgramCard",
    "ProgramPlace",
    "ProviderMetadata",
    "ProviderState",
    "Reach",
    "RefreshOutcome",
    "RefreshedMetadata",
    "Released",
    "Renamed",
    "Renaming",
    "RequestAnswer",
    "RequestProgress",
    "RetiringReport",
    "RunState",
    "SamlProvider",
    "School",
    "Scope",
    "SelectedOutcome",
    "SentFile",
    "SignOnProvider",
    "SigningCertificate",
    "StaffClient",
    "SweepReport",
    "TakeOver",
    "TakeOverProblem",
    "UploadOptions",
    "accept_invitation",
    "access_of",
    "activate_metadata",
    "after_commit",
    "approve_job",
    "approve_metadata",
    "authorize",
    "authorize_school",
    "cancel_job",
    "change_access",
    "change_course_statuses",
    "change_program_statuses",
    "change_selected",
    "check_metadata_url",
    "check_sso_url",
    "claim_answer",
    "confirm_holder",
    "connect_account",
    "count_learners_in_need",
    "count_overdue_jobs",
    "describe_job",
    "describe_program",
    "email_confirmed",
    "fetch_absences",
    "fetch_access_managers",
    "fetch_attendance",
    "fetch_changes",
    "fetch_course_cards",
    "fetch_course_enrollments",
    "fetch_course_runs",
    "fetch_days",
    "fetch_disclosures",
    "fetch_freezes",
    "fetch_grades",
    "fetch_job_rows",
    "fetch_jobs",
    "fetch_learners",
    "fetch_manageable_grants",
    "fetch_manageable_schools",
    "fetch_metadata_drafts",
    "fetch_open_invitations",
    "fetch_overview",
    "fetch_own_programs",
    "fetch_people",
    "fetch_program_enrollments",
    "fetch_programs",
    "fetch_provider_states",
    "fetch_roster",
    "fetch_run_states",
    "fetch_school_choices",
    "fetch_sign_on_choices",
    "fetch_staff_clients",
    "find_account",
    "find_learners",
    "find_learners_in_need",
    "forget_answers",
    "forget_expired",
    "forget_expired_assertions",
    "freeze_grades",
    "freeze_program_grades",
    "get_course_run",
    "get_database_alias",
    "get_freeze",
    "get_identity_provider",
    "get_invitation",
    "get_job",
    "get_learner",
    "get_metadata_proposal",
    "get_metadata_request",
    "get_program",
    "get_saml_provider",
    "get_school",
    "get_sign_on_provider",
    "grant_all_schools",
    "has_job_table",
    "invite",
    "is_email_trusted",
    "is_offered",
    "job_due",
    "keep_answer",
    "keep_enrollments",
    "link_learner",
    "load_catalog",
    "look_up_learner",
    "may_give",
    "nudge_due_jobs",
    "open_account",
    "present_learner",
    "present_school",
    "read_certificates",
    "read_fingerprint",
    "read_metadata",
    "realize_account",
    "realize_at_sign_on",
    "realize_learners",
    "record_disclosure",
    "refresh_metadata",
    "reject_metadata",
    "reject_metadata_draft",
    "release_claim",
    "release_enrollments",
    "release_learner",
    "release_student_keys",
    "release_student_keys_at",
    "rename_students",
    "rename_students_at",
    "reopen_grades",
    "request_metadata",
    "resume_job",
    "retire_from_freezes",
    "retire_learners",
    "run_next_slice",
    "run_slice",
    "send_metadata",
    "settle_conflict",
    "summarize_grades",
    "sweep",
    "take_over_enrollments",
    "try_again",
    "unlink_account",
    "unlink_learner",
    "upload_file",
    "walk_attendance",
    "walk_changes",
    "walk_course_enrollments",
    "walk_grades",
    "walk_job_rows",
    "walk_program_enrollments",
    "withdraw_invitation",
    "write_course_enrollments",
    "write_program_enrollments",
    "write_result",
]
