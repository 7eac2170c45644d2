"""Django admin for support staff: they find learners, see why something waits, and correct it.

Enrollments, links and the ledger change through the `api` alone. Schools and the catalog are edited as usual in Django
admin (docs/operations.rst).
"""

from program_enrollments.admin import (  # noqa: F401  (importing them is what registers the pages)
    access,
    bookkeeping,
    catalog,
    course_enrollments,
    feeds,
    grades,
    grants,
    identity_providers,
    jobs,
    learners,
    ledger,
    mails,
    program_enrollments,
    schools,
    webhooks,
)
