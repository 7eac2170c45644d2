"""The scripts of the guide for developers of a SIS, as they run night after night: on a second night, with files cut
off, over a network that fails.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from program_enrollments.normalization import INVISIBLE, normalize_identity
from tests.docs.snippets import snippets
from tests.docs.terminals import environment
from tests.docs.unreliable import Network, unreliable_network

PAGE = "docs/sis-integration.rst"
# University B's: no page of the documentation writes to it.
PROGRAM = "bbbbbbbb-0000-4000-8000-000000000001"
PROGRAM_OF_TWO_CURRICULA = "bbbbbbbb-0000-4000-8000-000000000002"
STUDENTS = f"programs/{PROGRAM}/enrollments/"
COURSE = f"programs/{PROGRAM}/courses/BA%2F102/enrollments/"
CREDENTIALS = {"CLIENT_ID": "uni-b-sis", "CLIENT_SECRET": "uni-b-secret"}
MANY = 30
pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save the guide's scripts in a folder."""
    folder = tmp_path_factory.mktemp("scripts")
    for snippet in snippets(PAGE):
        if snippet.name.endswith(".py"):
            (folder / snippet.name).write_text(snippet.text + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def sis_client(scripts: Path) -> ModuleType:
    specification = importlib.util.spec_from_file_location("sis_client", scripts / "sis_client.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def network(demo_url: str) -> Iterator[Network]:
    with unreliable_network(demo_url) as network:
        yield network


@pytest.fixture
def platform(sis_client: ModuleType, network: Network, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The guide's client, over the network, not waiting as long as it says."""
    network.faults.clear()
    network.log.clear()
    waits: list[float] = []
    monkeypatch.setattr(sis_client.time, "sleep", waits.append)
    platform = sis_client.Platform(network.url, CREDENTIALS["CLIENT_ID"], CREDENTIALS["CLIENT_SECRET"])
    platform.waits = waits
    return platform


def write_files(folder: Path, *, platform: Any, students: int, course_students: int) -> int:
    """Write what the SIS exports: those who were there before, and so many others; return how many those before are."""
    before = {key: status for key, status in statuses(platform, STUDENTS).items() if not key.startswith("B-72")}
    lines = ["student_key,email,status", *(f"{key},,{status}" for key, status in before.items())]
    lines += [f"B-72{number:02},,enrolled" for number in range(students)]
    (folder / "students.csv").write_text("\n".join(lines), encoding="utf-8-sig")
    lines = ["course_id,student_key,email,status"]
    lines += [f"BA/102,B-72{number:02},,active" for number in range(course_students)]
    (folder / "courses.csv").write_text("\n".join(lines), encoding="utf-8")
    return len(before)


def sync(scripts: Path, folder: Path, network: Network, *, program: str = PROGRAM) -> subprocess.CompletedProcess[str]:
    """Run the nightly sync as a scheduler would."""
    return subprocess.run(
        [
            sys.executable,
            str(scripts / "nightly_sync.py"),
            program,
            str(folder / "students.csv"),
            str(folder / "courses.csv"),
        ],
        env={**environment(), **CREDENTIALS, "PLATFORM": network.url},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def statuses(platform: Any, path: str) -> dict[str, str]:
    return {row["student_key"]: row["status"] for row in platform.read(path)}


def cursor(platform: Any) -> str:
    page = {"next": f"programs/{PROGRAM}/changes/"}
    while page["next"]:
        page = platform.send("GET", page["next"]).json()
    return str(page["cursor"])


def test_night_after_night(platform: Any, scripts: Path, network: Network, tmp_path: Path) -> None:
    write_files(tmp_path, platform=platform, students=MANY, course_students=MANY)
    first = sync(scripts, tmp_path, network)
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.splitlines() == [
        "enrollments: succeeded, 30 changed, 0 left.",
        "course_enrollments: succeeded, 30 changed, 0 left.",
    ]
    behind = cursor(platform)

    # Nothing happened: nothing is written.
    second = sync(scripts, tmp_path, network)
    assert second.returncode == 0
    assert second.stdout.count("0 changed, 0 left") == 2
    assert cursor(platform) == behind

    # Some students leave; one night later nobody talks of them any more.
    write_files(tmp_path, platform=platform, students=MANY - 2, course_students=MANY - 3)
    third = sync(scripts, tmp_path, network)
    assert third.returncode == 0
    assert third.stdout.splitlines() == [
        "enrollments: succeeded, 2 changed, 2 left.",
        "course_enrollments: succeeded, 3 changed, 3 left.",
    ]
    assert [status for status in statuses(platform, STUDENTS).values() if status == "canceled"] == ["canceled"] * 2
    assert [status for status in statuses(platform, COURSE).values() if status == "inactive"] == ["inactive"] * 3
    assert sync(scripts, tmp_path, network).stdout.count("0 changed, 0 left") == 2


def test_those_leave_too_whose_ids_look_like_addresses_in_a_program_of_two_curricula(
    platform: Any, scripts: Path, network: Network, tmp_path: Path
) -> None:
    path = f"programs/{PROGRAM_OF_TWO_CURRICULA}/enrollments/"
    program = platform.send("GET", f"programs/{PROGRAM_OF_TWO_CURRICULA}/").json()
    active = [curriculum["uuid"] for curriculum in program["curricula"] if curriculum["is_active"]]
    assert len(active) == 2
    stay = [f"{key},,{status}," for key, status in statuses(platform, path).items()]
    leave = [f"B-75@exchange,,enrolled,{active[0]}", f",b-76@uni-b.example,enrolled,{active[1]}"]
    (tmp_path / "courses.csv").write_text("course_id,student_key,email,status\n", encoding="utf-8")

    nights = []
    for rows in (stay + leave, stay):
        text = "\n".join(["student_key,email,status,curriculum_uuid", *rows])
        (tmp_path / "students.csv").write_text(text, encoding="utf-8")
        nights.append(sync(scripts, tmp_path, network, program=PROGRAM_OF_TWO_CURRICULA))

    assert [(night.returncode, night.stderr, night.stdout.splitlines()[0]) for night in nights] == [
        (1, "", "enrollments: succeeded, 2 changed, 0 left."),
        (1, "", "enrollments: succeeded, 2 changed, 2 left."),
    ]
    assert "held, 0 changed, 0 left. The snapshot has no rows." in nights[-1].stdout, (
        "a file without rows is not believed"
    )
    after = statuses(platform, path)
    assert (after["B-75@exchange"], after["b-76@uni-b.example"]) == ("canceled", "canceled")


def test_a_file_that_was_cut_off_lets_nobody_leave(
    platform: Any, scripts: Path, network: Network, tmp_path: Path
) -> None:
    write_files(tmp_path, platform=platform, students=MANY, course_students=MANY)
    assert sync(scripts, tmp_path, network).returncode == 0
    written = statuses(platform, STUDENTS), statuses(platform, COURSE)

    write_files(tmp_path, platform=platform, students=3, course_students=3)
    cut_off = sync(scripts, tmp_path, network)

    assert cut_off.returncode == 1
    assert "enrollments: held, 0 changed, 27 left. The file would remove 27 of " in cut_off.stdout
    assert "course_enrollments: held, 0 changed, 27 left. The file would remove 27 of 30" in cut_off.stdout
    assert (statuses(platform, STUDENTS), statuses(platform, COURSE)) == written


def test_a_network_that_fails_is_not_the_end(scripts: Path, network: Network, tmp_path: Path, platform: Any) -> None:
    write_files(tmp_path, platform=platform, students=MANY, course_students=MANY)
    network.faults += [503, None, 429, "expired", None, "lost answer", None, 502, 504, None, 500]

    night = sync(scripts, tmp_path, network)

    assert (night.returncode, night.stderr) == (0, "")
    assert network.faults == []
    assert len([status for status in statuses(platform, COURSE).values() if status == "active"]) == MANY


@pytest.mark.parametrize("fault", ["lost request", "lost answer", 429, 503])
def test_a_repeated_post_answers_as_the_first_did(platform: Any, network: Network, fault: int | str) -> None:
    network.faults.append(fault)
    row = {"student_key": f"B-73-{fault}", "status": "enrolled"}

    assert platform.write("POST", STUDENTS, [row]) == {row["student_key"]: "enrolled"}

    assert platform.write("POST", STUDENTS, [row]) == {row["student_key"]: "conflict"}, "another call has another key"
    assert platform.waits == ([2] if str(fault).startswith("lost") else [0])


def test_waits_grow_and_end(platform: Any, sis_client: ModuleType, network: Network) -> None:
    network.faults += ["lost request"] * sis_client.TRIES
    with pytest.raises(sis_client.requests.ConnectionError):
        platform.send("GET", STUDENTS)
    assert platform.waits == [2, 4, 8, 16, 32]

    network.faults += [503] * sis_client.TRIES
    with pytest.raises(sis_client.CallRefused, match="503"):
        platform.send("GET", STUDENTS)
    assert network.faults == []


def test_what_will_not_change_is_not_repeated(platform: Any, sis_client: ModuleType, network: Network) -> None:
    for path, code in (
        ("nothing/", "not_found"),
        (f"{STUDENTS}?status=expelled", "invalid_parameter"),
        (f"{STUDENTS}?cursor=x", "bad_cursor"),
    ):
        network.log.clear()
        with pytest.raises(sis_client.CallRefused) as refusal:
            platform.send("GET", path)
        assert refusal.value.code == code
        assert len([request for request in network.log if "/api/" in request[1]]) == 1
    assert platform.waits == []


@pytest.mark.usefixtures("platform")
def test_a_wrong_secret_is_told_at_once(sis_client: ModuleType, network: Network) -> None:
    stranger = sis_client.Platform(network.url, "uni-b-sis", "guessed")

    with pytest.raises(sis_client.CallRefused, match="401 invalid_client"):
        stranger.send("GET", STUDENTS)

    assert network.log == [("POST", "/oauth2/access_token")]


def test_a_token_that_stays_refused_is_renewed_once(platform: Any, sis_client: ModuleType, network: Network) -> None:
    list(platform.read(STUDENTS))
    network.log.clear()
    network.faults += ["expired", "expired"]

    with pytest.raises(sis_client.CallRefused, match="401 not_authenticated"):
        platform.send("GET", STUDENTS)

    assert [path for _method, path in network.log].count("/oauth2/access_token") == 1


def test_lists_are_read_to_their_end(platform: Any, network: Network) -> None:
    platform.write("PUT", STUDENTS, [{"student_key": f"B-74{number}", "status": "pending"} for number in range(5)])
    network.log.clear()

    rows = list(platform.read(STUDENTS, status="pending", page_size=2))

    assert [row["student_key"] for row in rows] == [f"B-74{number}" for number in range(5)]
    assert len(network.log) == 3


def test_the_token_goes_nowhere_else(platform: Any) -> None:
    with pytest.raises(ValueError, match="must not be sent"):
        platform.send("GET", "http://elsewhere.example/api/program_enrollments/v1/programs/")


# The platform drops what nobody can see; the script drops Unicode's format characters, nearly all of what there is.
@example("Z-1001\u200b")
@example("\ufeffZ-1002")
@example("\u200eZ-1003\u00ad")
@given(st.text(st.characters(exclude_categories=["Cf", "Cs"])).filter(lambda name: not INVISIBLE.search(name)))
def test_names_are_compared_as_the_platform_does(sis_client: ModuleType, name: str) -> None:
    assert sis_client.same(name) == normalize_identity(name)
