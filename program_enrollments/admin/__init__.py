"""Django admin for support staff: look, find out why, correct. Whatever is an enrollment, a link or the ledger changes
through the `api` alone; what a school or a catalog is, is edited as usual (docs/operations.rst).
"""

from program_enrollments.admin import (  # noqa: F401  (importing them is what registers the pages)
    catalog,
    enrollments_in_courses,
    enrollments_in_programs,
    grades,
    grants,
    identity_providers,
    kept_answers,
    learners,
    ledger,
    schools,
)
