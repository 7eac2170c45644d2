"""A year of nightly files at one university, in acts. Each act says what registrar, learners and contacts see.

How files arrive, and what does the work, is up to the test that tells the story.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.test import Client
from oauth2_provider.models import get_access_token_model

from demo_lms.models import CourseEnrollment
from demo_lms.models.primary import rows_of
from program_enrollments.data import Permission
from program_enrollments.models import CourseRun, IdentityProvider, Mail, Program
from tests.console.conftest import Desk
from tests.factories.enrollment import GrantFactory, IdentityProviderFactory
from tests.factories.host import UserFactory
from tests.flows.nights import COURSES, PROGRAM, Clock, Delivery, Nights
from tests.flows.people import Student, University
from tests.invariants import find_violations

FRESHMEN = [f"A-{number}" for number in range(1, 41)]
IN_COURSE = FRESHMEN[:20]
MASTERS, NO_SEAT = ("masters", True), ("masters", False)
WEEKDAYS = ["1", "2", "3", "4", "5"]


def at(month: int, day: int, hour: int = 1, minute: int = 0) -> datetime:
    """Return a time of the academic year that begins in September 2026, in UTC."""
    return datetime(2026 if month >= 9 else 2027, month, day, hour, minute, tzinfo=UTC)


@dataclass
class Year:
    """The story's people and places. The university is in Berlin: nights there have two offsets in a year."""

    university: University
    program: Program
    run: CourseRun
    nights: Nights
    new_student: Callable[[], Student]
    manager: Any
    accounts: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def begin(
        cls,
        university: University,
        clock: Clock,
        *,
        delivery: Callable[[Program], Delivery],
        work: Callable[[], None],
        new_student: Callable[[], Student],
    ) -> Year:
        """Open a program with a course, and have a manager with a contact."""
        university.school.time_zone = "Europe/Berlin"
        university.school.save()
        # The story's clock leaves a token's hour behind with the first night.
        for token in get_access_token_model().objects.all():
            token.expires = at(8, 31)
            token.save()
        program = university.open_program()
        run = university.open_course(program)
        manager = UserFactory()
        for permission in (Permission.MANAGE_SCHOOL, Permission.READ_ENROLLMENTS):
            GrantFactory(user=manager, permission=permission, school=university.school)
        nights = Nights(university, delivery(program), work, clock, run.course_id)
        year = cls(university, program, run, nights, new_student, manager)
        assert year.desk().send("contacts", university.school.key, email="registrar@uni-a.example").status == 200
        if nights.delivery.has_feeds:
            year.add_feeds()
        return year

    def live(self) -> None:
        """Go through all acts in order."""
        for act in (
            self.term_begins,
            self.some_join_and_one_leaves,
            self.a_bad_file,
            self.half_a_file,
            self.a_night_without_a_file,
            self.a_leave_and_a_readmission,
            self.ids_change_with_a_word,
            self.an_id_changes_without_a_word,
            self.the_wrong_file_is_undone,
            self.the_provider_moves,
            self.some_graduate,
        ):
            act()
            assert find_violations() == [], act.__name__

    def desk(self) -> Desk:
        """A manager who has just signed in: no session lasts a year."""
        return Desk(self.manager, Client())

    def add_feeds(self) -> None:
        common = {
            "program": str(self.program.uuid),
            "leaving_status": "ended",
            "hour": "04:00",
            "folder": self.nights.delivery.folder,
        }
        snapshot = {"kind": "program_enrollments", "mode": "snapshot", "cascade": "on", "days": WEEKDAYS}
        courses = {"kind": "course_enrollments", "mode": "upsert", "days": []}
        for name, options in ((PROGRAM, snapshot), (COURSES, courses)):
            page = self.desk().send(
                "feed-add", self.university.school.key, **common, **options, pattern=f"{name}-*.csv"
            )
            assert page.redirected_to, page.text

    def sign_on(self, student_key: str, *, slug: str = "uni-a", **options: str) -> Student:
        student = self.new_student()
        student.sign_on(student_key, slug=slug, **options)
        return student

    def seat(self, student_key: str) -> tuple[str, bool] | None:
        """Return mode and activity of the seat of the account that first signed on with this ID."""
        seats = rows_of(CourseEnrollment).filter(user=self.accounts[student_key], course_run_id=self.run.course_id)
        return seats.values_list("mode", "is_active").first()

    def statuses(self) -> dict[str, str]:
        answer = self.university.sis.get(f"programs/{self.program.uuid}/enrollments/", query={"page_size": "100"})
        return {row["student_key"]: row["status"] for row in answer.json()["results"]}

    def mails(self) -> list[str]:
        """Return the kinds of mails that contacts were sent, oldest first."""
        return list(Mail.objects.filter(sent_at__isnull=False).order_by("pk").values_list("kind", flat=True))

    def change(self, student_key: str) -> dict[str, Any]:
        """Return the newest change of a learner."""
        newest: dict[str, Any] = self.university.look_up(self.program, student_key)["changes"][0]
        return newest

    def decide(self, job: dict[str, Any], decision: str, **body: Any) -> dict[str, Any]:
        response = self.university.sis.post(f"jobs/{job['id']}/{decision}/", body)
        assert response.status_code in {200, 202}, response.content
        self.nights.work()
        return self.nights.job(response.json()["id"])

    def change_id(self, old: str, new: str, **query: str) -> dict[str, Any]:
        """Send a table of one student ID, and return its job once it is done."""
        return self.upload(
            f"schools/{self.university.school.key}/student_keys/",
            f"old_student_key,new_student_key\n{old},{new}\n",
            **query,
        )

    def upload(self, path: str, text: str, **query: str) -> dict[str, Any]:
        """Send a file by hand, and return its job once it is done."""
        sis = self.university.sis
        response = sis.post(f"{path}upload/", text.encode(), content_type="text/csv", query=query)
        assert response.status_code == 202, response.content
        self.nights.work()
        return self.nights.job(response.json()["id"])

    # The acts.

    def term_begins(self) -> None:
        roster = self.nights.roster
        roster.add(*FRESHMEN)
        roster.seats = dict.fromkeys(IN_COURSE, "active")
        night = self.nights.run(at(9, 7), rows=len(FRESHMEN))
        assert night.states == ["succeeded", "succeeded"]
        assert (night.jobs[0]["changed"], night.jobs[1]["changed"]) == (40, 20)
        for key in ("A-1", "A-2", "A-3"):
            student = self.sign_on(key)
            self.accounts[key] = student.account
            assert student.seat(self.run) == MASTERS
            assert self.run.title in student.dashboard()
        # The next night changes nothing, and a weekend expects nothing.
        assert [job["changed"] for job in self.nights.run(at(9, 8)).jobs] == [0, 0]
        for day in (9, 10, 11):
            self.nights.run(at(9, day))
        self.nights.pass_by(at(9, 12, 3))
        assert self.mails() == []

    def some_join_and_one_leaves(self) -> None:
        roster = self.nights.roster
        roster.add("A-41", "A-42")
        del roster.statuses["A-3"], roster.seats["A-3"]
        night = self.nights.run(at(9, 14))
        assert night.states == ["succeeded", "succeeded"]
        assert (night.job["changed"], night.job["removals"]) == (3, 1)
        assert self.statuses()["A-3"] == "ended"
        assert self.seat("A-3") == NO_SEAT
        assert self.change("A-41")["after"] == "enrolled"
        entries = self.university.look_up(self.program, "A-3")["changes"]
        assert {(one["after"], one["job_id"]) for one in entries[:2]} == {
            ("ended", night.job["id"]),
            ("inactive", night.job["id"]),
        }

    def a_bad_file(self) -> None:
        before = self.statuses()
        # The export wrote an error page, and the next night one line of it was cut short.
        night = self.nights.run(at(9, 15), text="<html><body>ORA-01555: snapshot too old</body></html>", courses=False)
        assert night.jobs == []
        assert len(night.complaints) == 1
        assert "This is a web page" in night.complaints[0]
        cut = self.nights.roster.program_file().replace("A-5,a-5@students.uni-a.example,enrolled", "A-5,,enrol")
        night = self.nights.run(at(9, 16), text=cut)
        assert night.states == ["succeeded", "succeeded"]
        assert (night.job["refused"], night.job["removals"]) == (1, 0)
        assert self.statuses() == before
        assert self.mails()[-1:] == ["rows.refused"]

    def half_a_file(self) -> None:
        before, roster = self.statuses(), self.nights.roster
        half = "\n".join(roster.program_file().splitlines()[:21]) + "\n"
        # With the number of rows it is refused at once; without it, the guard holds it.
        night = self.nights.run(at(9, 17), text=half, rows=len(roster.statuses), courses=False)
        assert (night.jobs, len(night.complaints)) == ([], 1)
        assert "20 rows" in night.complaints[0]
        assert self.statuses() == before
        held = self.nights.run(at(9, 17, 2), text=half)
        assert held.job["state"] == "held"
        assert self.mails()[-1:] == ["job.held"]
        assert self.statuses() == before
        assert self.seat("A-1") == MASTERS
        # The whole file of the next night takes its place.
        night = self.nights.run(at(9, 18))
        assert (night.job["state"], night.job["changed"]) == ("succeeded", 0)
        assert self.nights.job(held.job["id"])["state"] == "superseded"

    def a_night_without_a_file(self) -> None:
        """Expected by four in Berlin, which is another hour in UTC after October. A holiday expects nothing."""
        key = self.university.school.key
        if not self.nights.delivery.has_feeds:
            return
        self.nights.run(at(10, 15))
        before = self.mails()
        self.nights.pass_by(at(10, 16, 2, 10))
        assert self.mails() == before
        self.nights.pass_by(at(10, 16, 2, 20))
        assert self.mails() == [*before, "feed.late"]
        self.nights.run(at(10, 26))
        before = self.mails()
        self.nights.pass_by(at(10, 27, 3, 10))
        assert self.mails() == before
        self.nights.pass_by(at(10, 27, 3, 20))
        assert self.mails() == [*before, "feed.late"]
        # It comes late, and the page says so no more.
        self.nights.run(at(10, 27, 9))
        assert "Late since" not in self.desk().open("feeds", key).text
        self.desk().send("feed-holidays", key, first_day="2026-12-24", last_day="2027-01-03")
        self.nights.run(at(12, 23))
        before = self.mails()
        for day in (24, 28, 31):
            self.nights.pass_by(at(12, day, 12))
        assert self.mails() == before
        self.nights.run(at(1, 4))

    def a_leave_and_a_readmission(self) -> None:
        roster = self.nights.roster
        roster.statuses["A-2"], roster.seats["A-2"] = "suspended", "inactive"
        night = self.nights.run(at(1, 5))
        # The program's file ends the course as well.
        assert [job["changed"] for job in night.jobs] == [1, 0]
        assert (self.statuses()["A-2"], self.seat("A-2")) == ("suspended", NO_SEAT)
        # In spring one comes back from leave, and another who had left in September is admitted again.
        roster.add("A-2", "A-3")
        roster.seats.update({"A-2": "active", "A-3": "active"})
        night = self.nights.run(at(3, 1))
        assert [job["changed"] for job in night.jobs] == [2, 2]
        assert (self.seat("A-2"), self.seat("A-3")) == (MASTERS, MASTERS)
        again = self.sign_on("A-3")
        assert again.account == self.accounts["A-3"]
        ledger = [one["after"] for one in self.university.look_up(self.program, "A-2")["changes"]]
        assert ledger[:4] == ["active", "enrolled", "suspended", "inactive"]

    def ids_change_with_a_word(self) -> None:
        """The registrar sends a table first; the sign-on still has the old ID for a while."""
        assert self.change_id("A-1", "N-1", honor_old_until="2027-03-31")["counts"] == {"renamed": 1}
        self.nights.roster.rename("A-1", "N-1")
        night = self.nights.run(at(3, 3))
        assert [job["changed"] for job in night.jobs] == [0, 0]
        self.accounts["N-1"] = self.accounts.pop("A-1")
        for key in ("A-1", "N-1"):
            assert self.sign_on(key).account == self.accounts["N-1"]
        assert self.seat("N-1") == MASTERS
        # The day has passed: the old ID means nobody.
        self.nights.clock.move_to(at(4, 1))
        stranger = self.sign_on("A-1", email="stranger@mail.uni-a.example")
        assert stranger.account != self.accounts["N-1"]
        assert "A-1" not in self.statuses()

    def an_id_changes_without_a_word(self) -> None:
        """One ID is gone and another has its address: the contact is asked, and the registrar changes the ID."""
        roster = self.nights.roster
        roster.rename("A-2", "N-2")
        night = self.nights.run(at(4, 2))
        assert night.job["state"] == "succeeded"
        assert sorted(self.mails()[-2:]) == ["ids.changed", "rows.refused"]
        assert "N-2" not in self.statuses()
        # No file names the old ID any more, so the student has left under it.
        assert (self.statuses()["A-2"], self.seat("A-2")) == ("ended", NO_SEAT)
        assert self.change_id("A-2", "N-2")["counts"] == {"renamed": 1}
        assert [job["changed"] for job in self.nights.run(at(4, 5)).jobs] == [1, 1]
        self.accounts["N-2"] = self.accounts.pop("A-2")
        assert self.sign_on("N-2").account == self.accounts["N-2"]
        assert self.seat("N-2") == MASTERS

    def the_wrong_file_is_undone(self) -> None:
        """Somebody sends last year's list by hand. It is taken back before the next night."""
        before = self.statuses()
        path = f"programs/{self.program.uuid}/enrollments/"
        wrong = self.upload(path, "student_key,status\nN-1,canceled\nA-6,canceled\nZ-1,enrolled\n", cascade="true")
        assert wrong["changed"] == 3
        assert self.seat("N-1") == NO_SEAT
        undone = self.decide(wrong, "undo", reason="Last year's list")
        assert (undone["state"], undone["undoes"]) == ("succeeded", wrong["id"])
        assert self.statuses() == before
        assert self.seat("N-1") == MASTERS
        assert self.change("N-1")["reason"] == "Last year's list"
        assert [job["changed"] for job in self.nights.run(at(4, 6)).jobs] == [0, 0]

    def the_provider_moves(self) -> None:
        """The new identity provider sends the same IDs, and the old one is switched off."""
        IdentityProviderFactory(slug="uni-a-new", school=self.university.school)
        IdentityProvider.objects.filter(slug="uni-a").update(is_enabled=False)
        for key in ("N-1", "N-2", "A-3"):
            again = self.sign_on(key, slug="uni-a-new")
            assert again.account == self.accounts[key]
            assert again.seat(self.run) == MASTERS
        # Somebody who never signed on before gets the place that waited since September.
        newcomer = self.sign_on("A-4", slug="uni-a-new")
        assert newcomer.seat(self.run) == MASTERS
        assert [job["changed"] for job in self.nights.run(at(4, 7)).jobs] == [0, 0]

    def some_graduate(self) -> None:
        """Thirty leave in one night: the file is held, and the registrar approves it."""
        roster, before = self.nights.roster, self.statuses()
        graduates = ["N-1", *(f"A-{number}" for number in range(4, 33))]
        for key in graduates:
            del roster.statuses[key]
            roster.seats.pop(key, None)
        held = self.nights.run(at(7, 15))
        assert (held.job["state"], held.job["held"]["scopes"][0]["removals"]) == ("held", 30)
        assert self.mails()[-1:] == ["job.held"]
        assert self.statuses() == before
        effects = held.job["held"]["effects"]
        done = self.decide(held.job, "approve", effects=effects, removals=True, reason="Graduation")
        assert (done["state"], done["removals"]) == ("succeeded", 30)
        assert self.statuses() == before | dict.fromkeys(graduates, "ended")
        assert (self.seat("N-1"), self.seat("N-2")) == (NO_SEAT, MASTERS)
        newest = self.university.look_up(self.program, "N-1")["changes"][:2]
        assert {(one["after"], one["reason"], one["job_id"]) for one in newest} == {
            ("ended", "Graduation", done["id"]),
            ("inactive", "Graduation", done["id"]),
        }
        assert done["result_url"]
        result = self.university.sis.get(done["result_url"]).getvalue().decode()
        assert result.count(",left,") == 30
        assert [job["changed"] for job in self.nights.run(at(7, 16)).jobs] == [0, 0]
