"""The only door to the domain.

Entry points (REST, receivers, admin, commands) and a host's own code call only the functions that are exported here.
"""

from program_enrollments.api.access import Access, Reach, access_of, get_course_run, get_program
from program_enrollments.api.account_names import fetch_usernames
from program_enrollments.api.catalog.load import CatalogOutcome, load_catalog
from program_enrollments.api.dashboard.confirmations import CheckedConfirmation, check_confirmation
from program_enrollments.api.dashboard.pages import (
    fetch_dashboard,
    fetch_own_course_keys,
    fetch_own_data,
    get_own_program,
)
from program_enrollments.api.dashboard.records import (
    CourseGroup,
    Dashboard,
    Notice,
    NoticeKind,
    OwnCourse,
    OwnData,
    OwnLearner,
    OwnProgram,
    OwnProgramPage,
)
from program_enrollments.api.days import ChangeFilters, fetch_days
from program_enrollments.api.described_changes import DescribedChange, describe_recorded_changes
from program_enrollments.api.disclosures import fetch_disclosures, record_disclosure
from program_enrollments.api.enrollments.courses import write_course_enrollments
from program_enrollments.api.enrollments.programs import write_program_enrollments
from program_enrollments.api.feeds.collection import Collected, collect_due_feeds, collect_feeds, has_due_feeds
from program_enrollments.api.feeds.drops import has_feed_storage
from program_enrollments.api.feeds.overview import (
    FeedState,
    SchoolFeeds,
    count_unwatched_schools,
    fetch_feeds,
    has_active_feeds,
    has_feed_table,
)
from program_enrollments.api.feeds.plans import (
    FeedPlan,
    add_feed,
    change_feed,
    expect_again,
    feed_root,
    fetch_feed_programs,
    get_feed,
    skip_days,
    switch_feed,
)
from program_enrollments.api.feeds.schedule import days_of
from program_enrollments.api.grades.absences import fetch_absences
from program_enrollments.api.grades.acknowledgements import (
    Acknowledgement,
    AcknowledgementPage,
    AcknowledgementRefusal,
    acknowledge_grades,
    fetch_acknowledgements,
)
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
from program_enrollments.api.jobs.following import follow_job, walk_refused_lines
from program_enrollments.api.jobs.keeps import keep_enrollments, release_enrollments
from program_enrollments.api.jobs.nudges import job_due
from program_enrollments.api.jobs.presentation import FileColumns, PresentedFile, present_file
from program_enrollments.api.jobs.previews import start_previewed
from program_enrollments.api.jobs.queue import count_overdue_jobs, has_job_table
from program_enrollments.api.jobs.refused import write_refused
from program_enrollments.api.jobs.results import has_result, write_result
from program_enrollments.api.jobs.slices import nudge_due_jobs, run_next_slice, run_slice
from program_enrollments.api.jobs.undo.acceptance import undo_job, why_not_undoable
from program_enrollments.api.jobs.upload import (
    RekeyOptions,
    SentFile,
    UploadOptions,
    upload_file,
    upload_rekeys,
    upload_rekeys_by,
)
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
from program_enrollments.api.ledger import changes_recorded
from program_enrollments.api.mails.contacts import add_contact, fetch_contacts, remove_contact
from program_enrollments.api.mails.delivery import deliver_mails, has_due_mails
from program_enrollments.api.mails.derivation import derive_mails
from program_enrollments.api.outbox import webhook_due
from program_enrollments.api.overview import Overview, ProgramCard, fetch_overview
from program_enrollments.api.people import (
    People,
    Person,
    Recipient,
    change_access,
    fetch_confirmed_address,
    fetch_people,
    find_account,
    find_recipient,
)
from program_enrollments.api.reads.changes import ChangesPage, fetch_changes, walk_changes
from program_enrollments.api.reads.course_list import CourseCard, fetch_course_cards
from program_enrollments.api.reads.enrollments import (
    fetch_course_enrollments,
    fetch_program_enrollments,
    walk_course_enrollments,
    walk_program_enrollments,
)
from program_enrollments.api.reads.history import HistoryFilters, fetch_history
from program_enrollments.api.reads.jobs import (
    JobRowFilters,
    describe_job,
    fetch_job_rows,
    fetch_jobs,
    fetch_rekeys,
    get_job,
    walk_job_rows,
)
from program_enrollments.api.reads.learner import get_learner, look_up_learner
from program_enrollments.api.reads.own import fetch_own_programs
from program_enrollments.api.reads.programs import describe_program, fetch_course_runs, fetch_programs
from program_enrollments.api.reads.setting_changes import RecordedSetting, fetch_setting_changes
from program_enrollments.api.reads.summaries import Counts
from program_enrollments.api.realizing.after_sign_in import email_confirmed, realize_account, realize_at_sign_on
from program_enrollments.api.realizing.drift import note_seat_change
from program_enrollments.api.realizing.promises import realize_learners
from program_enrollments.api.realizing.seats import is_writing_seats
from program_enrollments.api.realizing.sweep import SweepReport, sweep
from program_enrollments.api.rosters import ListedLearners, fetch_learner_list, fetch_roster
from program_enrollments.api.schools import Presentation, present_school
from program_enrollments.api.scope import Scope, authorize, authorize_school, get_school
from program_enrollments.api.sso.accounts import (
    AssertedIdentity,
    AssertionUse,
    Offer,
    OpenedAccount,
    connect_account,
    get_offer,
    is_email_trusted,
    open_account,
)
from program_enrollments.api.sso.adoption import AdoptedProvider, Adoption, OfferedProvider, adopt_providers
from program_enrollments.api.sso.certificates import (
    SigningCertificate,
    read_certificates,
    read_fingerprint,
)
from program_enrollments.api.sso.disputes import Dispute, fetch_disputes
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
    SchoolChoices,
    SignOnProvider,
    fetch_sign_on_choices,
    get_identity_provider,
    get_saml_provider,
    get_school_choices,
    get_sign_on_provider,
)
from program_enrollments.api.sso.seen_assertions import forget_expired_assertions
from program_enrollments.api.support.change_wording import (
    WordedChange,
    find_named_accounts,
    word_change,
)
from program_enrollments.api.support.corrections import (
    link_learner,
    record_deletion,
    settle_conflict,
    try_again,
    unlink_account,
    unlink_learner,
)
from program_enrollments.api.support.expiry import Forgotten, forget_expired
from program_enrollments.api.support.learner_page import PresentedClaim, PresentedLearner, present_learner
from program_enrollments.api.support.open_problems import MAX_COUNTED, OpenProblem, count_open_problems
from program_enrollments.api.support.own_enrollments import OwnEnrollment, walk_own_enrollments
from program_enrollments.api.support.releases import (
    Released,
    release_learner,
    release_student_keys,
    release_student_keys_at,
)
from program_enrollments.api.support.renames import Renamed, Renaming, rename_students
from program_enrollments.api.support.retirement import Persons, RetiringReport, retire_learners
from program_enrollments.api.support.sandboxes import (
    EmptiedSandbox,
    MadeSandbox,
    check_sandbox_change,
    empty_sandbox,
    make_sandbox,
)
from program_enrollments.api.support.selections import FilteredChange, SelectedOutcome, change_filtered, change_selected
from program_enrollments.api.support.staff_groups import MadeGroup, make_staff_groups
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
from program_enrollments.api.webhooks.delivery import deliver_webhooks
from program_enrollments.api.webhooks.endpoints import (
    EndpointSecret,
    SchoolWebhooks,
    add_endpoint,
    fetch_webhooks,
    remove_endpoint,
    rotate_secret,
    send_test,
    switch_endpoint,
)
from program_enrollments.metadata_source import check_metadata_url
from program_enrollments.models import AccessChange, CourseRun, Invitation, Job, Program, School

__all__ = [
    "MAX_COUNTED",
    "REFUSED",
    "Access",
    "AccessChange",
    "Acknowledgement",
    "AcknowledgementPage",
    "AcknowledgementRefusal",
    "AdoptedProvider",
    "Adoption",
    "AssertedIdentity",
    "AssertionUse",
    "AttributeNames",
    "CatalogOutcome",
    "ChangeFilters",
    "ChangesPage",
    "CheckedConfirmation",
    "Claim",
    "Collected",
    "ConfirmedHolder",
    "Counts",
    "CourseCard",
    "CourseGroup",
    "CoursePlace",
    "CourseRun",
    "Dashboard",
    "DescribedChange",
    "Dispute",
    "EarlierCourse",
    "EarlierEnrollment",
    "EmptiedSandbox",
    "EndpointSecret",
    "FeedPlan",
    "FeedState",
    "FileColumns",
    "FilteredChange",
    "Forgotten",
    "FreezeFailure",
    "FrozenGrades",
    "FrozenVersion",
    "GradePage",
    "GradeSummary",
    "HistoryFilters",
    "Invitation",
    "Invited",
    "Job",
    "JobRowFilters",
    "ListedLearners",
    "MadeGroup",
    "MadeSandbox",
    "MetadataProposal",
    "NotTaken",
    "Notice",
    "NoticeKind",
    "Offer",
    "OfferedProvider",
    "OpenProblem",
    "OpenedAccount",
    "Overview",
    "OwnCourse",
    "OwnData",
    "OwnEnrollment",
    "OwnLearner",
    "OwnProgram",
    "OwnProgramPage",
    "People",
    "Person",
    "Persons",
    "Presentation",
    "PresentedClaim",
    "PresentedFile",
    "PresentedLearner",
    "Program",
    "ProgramCard",
    "ProgramPlace",
    "ProviderMetadata",
    "ProviderState",
    "Reach",
    "Recipient",
    "RecordedSetting",
    "RefreshOutcome",
    "RefreshedMetadata",
    "RekeyOptions",
    "Released",
    "Renamed",
    "Renaming",
    "RequestAnswer",
    "RequestProgress",
    "RetiringReport",
    "RunState",
    "SamlProvider",
    "School",
    "SchoolChoices",
    "SchoolFeeds",
    "SchoolWebhooks",
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
    "WordedChange",
    "accept_invitation",
    "access_of",
    "acknowledge_grades",
    "activate_metadata",
    "add_contact",
    "add_endpoint",
    "add_feed",
    "adopt_providers",
    "after_commit",
    "approve_job",
    "approve_metadata",
    "authorize",
    "authorize_school",
    "cancel_job",
    "change_access",
    "change_course_statuses",
    "change_feed",
    "change_filtered",
    "change_program_statuses",
    "change_selected",
    "changes_recorded",
    "check_confirmation",
    "check_metadata_url",
    "check_sandbox_change",
    "check_sso_url",
    "claim_answer",
    "collect_due_feeds",
    "collect_feeds",
    "confirm_holder",
    "connect_account",
    "count_learners_in_need",
    "count_open_problems",
    "count_overdue_jobs",
    "count_unwatched_schools",
    "days_of",
    "deliver_mails",
    "deliver_webhooks",
    "derive_mails",
    "describe_job",
    "describe_program",
    "describe_recorded_changes",
    "email_confirmed",
    "empty_sandbox",
    "expect_again",
    "feed_root",
    "fetch_absences",
    "fetch_access_managers",
    "fetch_acknowledgements",
    "fetch_attendance",
    "fetch_changes",
    "fetch_confirmed_address",
    "fetch_contacts",
    "fetch_course_cards",
    "fetch_course_enrollments",
    "fetch_course_runs",
    "fetch_dashboard",
    "fetch_days",
    "fetch_disclosures",
    "fetch_disputes",
    "fetch_feed_programs",
    "fetch_feeds",
    "fetch_freezes",
    "fetch_grades",
    "fetch_history",
    "fetch_job_rows",
    "fetch_jobs",
    "fetch_learner_list",
    "fetch_manageable_grants",
    "fetch_manageable_schools",
    "fetch_metadata_drafts",
    "fetch_open_invitations",
    "fetch_overview",
    "fetch_own_course_keys",
    "fetch_own_data",
    "fetch_own_programs",
    "fetch_people",
    "fetch_program_enrollments",
    "fetch_programs",
    "fetch_provider_states",
    "fetch_rekeys",
    "fetch_roster",
    "fetch_run_states",
    "fetch_setting_changes",
    "fetch_sign_on_choices",
    "fetch_staff_clients",
    "fetch_usernames",
    "fetch_webhooks",
    "find_account",
    "find_learners",
    "find_learners_in_need",
    "find_named_accounts",
    "find_recipient",
    "follow_job",
    "forget_answers",
    "forget_expired",
    "forget_expired_assertions",
    "freeze_grades",
    "freeze_program_grades",
    "get_course_run",
    "get_database_alias",
    "get_feed",
    "get_freeze",
    "get_identity_provider",
    "get_invitation",
    "get_job",
    "get_learner",
    "get_metadata_proposal",
    "get_metadata_request",
    "get_offer",
    "get_own_program",
    "get_program",
    "get_saml_provider",
    "get_school",
    "get_school_choices",
    "get_sign_on_provider",
    "grant_all_schools",
    "has_active_feeds",
    "has_due_feeds",
    "has_due_mails",
    "has_feed_storage",
    "has_feed_table",
    "has_job_table",
    "has_result",
    "invite",
    "is_email_trusted",
    "is_writing_seats",
    "job_due",
    "keep_answer",
    "keep_enrollments",
    "link_learner",
    "load_catalog",
    "look_up_learner",
    "make_sandbox",
    "make_staff_groups",
    "may_give",
    "note_seat_change",
    "nudge_due_jobs",
    "open_account",
    "present_file",
    "present_learner",
    "present_school",
    "read_certificates",
    "read_fingerprint",
    "read_metadata",
    "realize_account",
    "realize_at_sign_on",
    "realize_learners",
    "record_deletion",
    "record_disclosure",
    "refresh_metadata",
    "reject_metadata",
    "reject_metadata_draft",
    "release_claim",
    "release_enrollments",
    "release_learner",
    "release_student_keys",
    "release_student_keys_at",
    "remove_contact",
    "remove_endpoint",
    "rename_students",
    "reopen_grades",
    "request_metadata",
    "resume_job",
    "retire_from_freezes",
    "retire_learners",
    "rotate_secret",
    "run_next_slice",
    "run_slice",
    "send_metadata",
    "send_test",
    "settle_conflict",
    "skip_days",
    "start_previewed",
    "summarize_grades",
    "sweep",
    "switch_endpoint",
    "switch_feed",
    "take_over_enrollments",
    "try_again",
    "undo_job",
    "unlink_account",
    "unlink_learner",
    "upload_file",
    "upload_rekeys",
    "upload_rekeys_by",
    "walk_attendance",
    "walk_changes",
    "walk_course_enrollments",
    "walk_grades",
    "walk_job_rows",
    "walk_own_enrollments",
    "walk_program_enrollments",
    "walk_refused_lines",
    "webhook_due",
    "why_not_undoable",
    "withdraw_invitation",
    "word_change",
    "write_course_enrollments",
    "write_program_enrollments",
    "write_refused",
    "write_result",
]
