"""A registrar takes files out, corrects them in a spreadsheet, and sends them back in."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

from program_enrollments.models import Program
from program_enrollments.tabular_files import open_table
from tests.flows.people import Student, University

Sheet = list[dict[str, str]]
MASTERS = ("masters", True)


class Registrar:
    """Opens a program's files in a European spreadsheet, which saves them its own way."""

    def __init__(self, university: University, program: Program) -> None:
        self.university, self.path = university, f"programs/{program.uuid}/"

    def take_out(self, name: str, **filters: str) -> Sheet:
        response = self.university.sis.get(f"{self.path}{name}/", query={"format": "csv", **filters})
        assert response["Content-Disposition"].startswith("attachment")
        return list(csv.DictReader(io.StringIO(response.getvalue().decode(), newline="")))

    def send_in(self, name: str, sheet: Sheet, *, key: str = "") -> dict[str, str]:
        """Save the sheet with semicolons, a byte order mark and old line ends; send what a reader makes of it."""
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, sheet[0], delimiter=";", lineterminator="\r")
        writer.writeheader()
        writer.writerows(sheet)
        columns = [name for name in ("student_key", "email", "status", "course_staff") if name in sheet[0]]
        file = io.BytesIO(text.getvalue().encode("utf-8-sig"))
        table = open_table(file=file, columns=columns, required=["status", ("student_key", "email")])
        rows = [dict(zip(columns, record.cells, strict=True)) for record in table.records()]
        given = [{name: cell for name, cell in row.items() if cell} for row in rows]
        for row in given:
            if row.get("student_key") == row.get("email"):
                del row["student_key"]
        path = f"{self.path}courses/{key}/" if key else self.path
        with self.university.on_commit(execute=True):
            answer: dict[str, str] = self.university.sis.put(f"{path}enrollments/", given).json()
        return answer


def test_what_was_not_touched_stays_and_what_was_corrected_is_done(
    uni_a: University, new_student: Callable[[], Student]
) -> None:
    program = uni_a.open_program()
    run = uni_a.open_course(program)
    uni_a.enroll(
        program,
        {"student_key": "0012é", "email": "zoe@uni-a.example", "status": "enrolled"},
        {"student_key": "=1+1", "status": "enrolled"},
        {"email": "lou@uni-a.example", "status": "pending"},
    )
    uni_a.enroll(
        program, {"student_key": "0012é", "status": "active"}, {"student_key": "=1+1", "status": "active"}, run=run
    )
    student = new_student()
    student.sign_on("0012é", email="private@home.example")
    assert student.seat(run) == MASTERS
    registrar = Registrar(uni_a, program)

    sheet = registrar.take_out("enrollments")
    assert {row["student_key"]: row["email"] for row in sheet} == {
        "0012é": "zoe@uni-a.example",
        "'=1+1": "",
        "lou@uni-a.example": "lou@uni-a.example",
    }
    before = len(registrar.take_out("changes"))
    assert set(registrar.send_in("enrollments", sheet).values()) == {"enrolled", "pending"}
    assert len(registrar.take_out("changes")) == before, "a file that nobody touched changes nothing"

    for row in sheet:
        row["status"] = "ended" if row["student_key"] == "'=1+1" else row["status"]
    assert registrar.send_in("enrollments", sheet)["=1+1"] == "ended"
    assert uni_a.students(program)["=1+1"]["status"] == "ended"
    changes = registrar.take_out("changes")[before:]
    assert [(row["student_key"], row["before"], row["after"]) for row in changes] == [("'=1+1", "enrolled", "ended")]


def test_one_file_of_all_course_runs(uni_a: University, new_student: Callable[[], Student]) -> None:
    program = uni_a.open_program()
    first, second = uni_a.open_course(program), uni_a.open_course(program)
    uni_a.enroll(program, *({"student_key": key, "status": "enrolled"} for key in ("S-1", "S-2")))
    for run in (first, second):
        uni_a.enroll(program, *({"student_key": key, "status": "active"} for key in ("S-1", "S-2")), run=run)
    student = new_student()
    student.sign_on("S-1")
    registrar = Registrar(uni_a, program)

    sheet = registrar.take_out("course_enrollments")

    assert [(row["course_id"], row["student_key"]) for row in sheet] == [
        (run.course_id, key) for run in (first, second) for key in ("S-1", "S-2")
    ]
    of_second = [{**row, "status": "inactive"} for row in sheet if row["course_id"] == second.course_id]
    assert registrar.send_in("enrollments", of_second, key=second.course_id) == {"S-1": "inactive", "S-2": "inactive"}
    assert (student.seat(first), student.seat(second)) == (MASTERS, ("masters", False))
    assert [row["course_id"] for row in registrar.take_out("course_enrollments", status="active")] == [
        first.course_id,
        first.course_id,
    ]
