"""Who the demo's universities know."""

from __future__ import annotations

from dataclasses import dataclass

PASSWORD = "student"
"""Of every student, at every university."""


@dataclass(frozen=True, slots=True)
class Student:
    """A student. `username` is also their student ID, which the university asserts as `uid`."""

    username: str
    given_name: str
    family_name: str
    email: str


@dataclass(frozen=True, slots=True)
class University:
    """A university with an identity provider; `key` is the school's key and the provider's slug in the demo LMS."""

    key: str
    name: str
    students: tuple[Student, ...]

    @property
    def entity_id(self) -> str:
        """What the identity provider calls itself: the same wherever the demo is served."""
        return f"https://idp.{self.key}.example/saml"

    def find_student(self, *, username: str) -> Student | None:
        """Return the student with this username, in any case; universities rarely care."""
        wanted = username.strip().lower()
        return next((student for student in self.students if student.username == wanted), None)


def _students(domain: str) -> tuple[Student, ...]:
    names = ("Sasha", "Kim", "Robin", "Jamie", "Toni")
    return tuple(
        Student(f"student{number}", name, "Student", f"student{number}@{domain}")
        for number, name in enumerate(names, start=1)
    )


UNIVERSITIES = (
    University("uni-a", "University A", _students("uni-a.example")),
    University("uni-b", "University B", _students("uni-b.example")),
    # Not known to the demo LMS: for adding a university oneself.
    University("uni-c", "University C", _students("uni-c.example")),
)
