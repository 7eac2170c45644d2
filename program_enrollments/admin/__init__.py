"""Django admin for support staff: look, find out why, correct.

Whatever is an enrollment, a link or the ledger changes through the `api` alone; what a school or a catalog is, is
edited as usual (docs/operations.rst).
"""

from program_enrollments.admin import (  # noqa: F401  (importing them is what registers the pages)
    access,
    bookkeeping,
    catalog,
    course_enrollments,
    grades,
    grants,
    identity_providers,
    jobs,
    learners,
    ledger,
    program_enrollments,
    schools,
)
