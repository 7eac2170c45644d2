"""The tests that every host adapter must pass, to be run by the host's own test suite.

Subclass `HostContract`, implement the methods that create users, course runs, grades and activity, and let pytest run
it with a database::

    @pytest.mark.django_db
    class TestMyHost(HostContract):
        host = MyHost()

        def make_user(self, *, email: str = "") -> int: ...

The rules tested are those of `program_enrollments.host.ports`; nothing here needs pytest to be installed.
"""

# ruff: noqa: S101  (these are tests)

from __future__ import annotations

from program_enrollments.host.contracts.accounts import AccountContract
from program_enrollments.host.contracts.courses import CourseEnrollmentContract, CourseRoleContract
from program_enrollments.host.contracts.learning import AttendanceContract, GradeContract
from program_enrollments.host.contracts.optional_ports import OptionalPortsContract


class HostContract(
    AccountContract,
    CourseEnrollmentContract,
    CourseRoleContract,
    GradeContract,
    AttendanceContract,
    OptionalPortsContract,
):
    """All ports of a host. The tests of an optional port that the adapter lacks are skipped."""

    def test_the_sign_in_page_is_a_path_of_this_site(self) -> None:
        path = self.checked_host.login_url()
        assert path.startswith("/")
        assert not path.startswith("//")
