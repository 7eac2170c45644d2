"""The sections of a run, on the stands of one database: each takes samples in turns and keeps them in the results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks import (
    api_writes,
    console_pages,
    crowds,
    dashboards,
    floor_realizing,
    floor_writes,
    reads,
    sign_ins,
    sweeps,
)
from benchmarks.client import Client
from benchmarks.crowds import Crowd
from benchmarks.floor_writes import CHUNK, FloorWrite
from benchmarks.plan import WAITING, Plan
from benchmarks.reads import Spot
from benchmarks.sampling import Results, Sample
from benchmarks.serving import Server
from benchmarks.stands import Stand
from benchmarks.world import make_world

OTHERS = "o"
GROWS = 1_000_000
"""From so many enrollments on, what samples leave behind is too little to be cleared away each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A stand, what its tables held before anything was measured, and the client of its server, if it has one."""

    stand: Stand
    marks: dict[str, int]
    client: Client
    server: Server


@dataclass(frozen=True, slots=True)
class Cycle:
    """A bulk write, its update, and its replay, of people who all have an account or of whom nobody has."""

    course: bool
    accounts: bool

    def __str__(self) -> str:
        return f"{'course' if self.course else 'program'}, {'everybody' if self.accounts else 'nobody'} has an account"

    @property
    def steps(self) -> tuple[tuple[str, str], ...]:
        """Names of the steps, and the status that each one writes."""
        first, second = ("active", "inactive") if self.course else ("enrolled", "suspended")
        return (("create", first), ("update", second), ("replay", second))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """One database's part of a run: its stands from the smallest tables to the largest, and where samples go."""

    places: list[Place]
    plan: Plan
    results: Results
    say: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class BulkWrite:
    """A cycle with so many rows, for the so many-th time."""

    cycle: Cycle
    rows: int
    number: int

    def prefix(self, who: str) -> str:
        """Return what the student IDs begin with that one way of writing has to itself."""
        kind = "pc"[self.cycle.course] + "ne"[self.cycle.accounts]
        return f"{who}{kind}{self.rows}x{self.number}"


CYCLES = (Cycle(False, False), Cycle(False, True), Cycle(True, False), Cycle(True, True))


@contextmanager
def cleared(places: list[Place]) -> Iterator[None]:
    """Let what is done in between leave nothing behind."""
    try:
        yield
    finally:
        for place in places:
            if place.stand.others < GROWS:
                place.stand.run(crowds.restore, place.marks)


def measure_writes(bench: Bench) -> None:
    """Bulk writes through `api` and over HTTP, beside the driver's floors."""
    for rows, samples in bench.plan.write_samples.items():
        for cycle in CYCLES:
            bench.say(f"{cycle}: {rows:,} rows")
            for number in range(samples):
                _write_once(bench, bench.places, BulkWrite(cycle, rows, number))
    if bench.plan.large_write:
        bench.say(f"{CYCLES[0]}: {bench.plan.large_write:,} rows")
        ends = list({place.stand.others: place for place in (bench.places[0], bench.places[-1])}.values())
        for number in range(3):
            _write_once(bench, ends, BulkWrite(CYCLES[0], bench.plan.large_write, number))


def _write_once(bench: Bench, places: list[Place], write: BulkWrite) -> None:
    cycle = write.cycle
    with cleared(places):
        for place in places:
            for who in "ahfv" if cycle.accounts or cycle.course else "":
                accounts = "all" if cycle.accounts else "none"
                place.stand.run(crowds.seed, Crowd(write.prefix(who), write.rows, accounts, enrolled=cycle.course))
        for step, status in cycle.steps:
            for place in places:
                for through, work in _doors(bench, place, write, step, status):
                    keep(bench, place, f"{cycle}: {step}", through, work(), rows=write.rows)


def _doors(
    bench: Bench, place: Place, write: BulkWrite, step: str, status: str
) -> Iterator[tuple[str, Callable[[], Sample]]]:
    """Yield the ways of writing that take turns; each has people of its own."""
    cycle, rows, run = write.cycle, write.rows, place.stand.run
    through_api = api_writes.write_courses if cycle.course else api_writes.write_programs
    yield "api", lambda: run(through_api, write.prefix("a"), rows, status)
    if place.stand.others in bench.plan.http_others:
        yield (
            "http",
            lambda: place.client.put(course=cycle.course, prefix=write.prefix("h"), count=rows, status=status),
        )
    if step == "replay":
        return

    def floor(form: str, who: str) -> Callable[[], Sample]:
        asked = FloorWrite(write.prefix(who), rows, status, form, cycle.accounts, cycle.course)
        return lambda: run(floor_writes.write_floor, asked)

    yield "driver, VALUES", floor("values", "f")
    if place.stand.vendor == "postgresql":
        yield "driver, arrays", floor("arrays", "v")
        if step == "create" and cycle == CYCLES[0]:
            yield "driver, COPY", floor("copy", "c")


def keep(bench: Bench, place: Place, work: str, through: str, sample: Sample, *, rows: int = 1) -> None:
    """Keep a sample with the results."""
    stand = place.stand
    bench.results.add(vendor=stand.vendor, others=stand.others, work=work, through=through, rows=rows, sample=sample)


def note(bench: Bench, place: Place, what: str, value: float, *, unit: str, limit: float | None = None) -> None:
    """Keep a figure that is no time of a piece of work."""
    stand = place.stand
    bench.results.note(vendor=stand.vendor, others=stand.others, what=what, value=value, unit=unit, at_most=limit)


def measure_sign_ins(bench: Bench) -> None:
    """First sign-ins with nothing, one and twenty course runs waiting, and later ones."""
    places, count = bench.places, bench.plan.sign_in_samples + 1
    for waiting in WAITING:
        bench.say(f"sign-ins, {waiting} course runs waiting")
        with cleared(places):
            for place in places:
                for who in "wb":
                    place.stand.run(crowds.seed, Crowd(f"{who}{waiting}", count, enrolled=True, runs=waiting))
            # The first one of each kind is not counted: it fills caches.
            for number in range(1, count + 1):
                for place in places:
                    _sign_in_once(bench, place, waiting, number)


def _sign_in_once(bench: Bench, place: Place, waiting: int, number: int) -> None:
    run, first, later = place.stand.run, f"first sign-in, {waiting} course runs waiting", "later sign-in"
    samples = [
        (first, "app", run(sign_ins.first_sign_in, f"w{waiting}", number)),
        (later, "app", run(sign_ins.later_sign_in, f"w{waiting}", number)),
        (first, "without the app", run(sign_ins.first_sign_in_without_the_app, f"x{waiting}", number)),
        (later, "without the app", run(sign_ins.later_sign_in_without_the_app, f"x{waiting}", number)),
        (first, "set-based SQL", _floor_sign_in(place.stand, f"b{waiting}", number)),
    ]
    for work, through, sample in samples if number > 1 else ():
        keep(bench, place, work, through, sample)


def _floor_sign_in(stand: Stand, prefix: str, number: int) -> Sample:
    # The account is there already: only what the app would add is the floor's to do.
    stand.run(sign_ins.first_sign_in_without_the_app, prefix, number)
    return stand.run(floor_realizing.realize_one, prefix, number)


def measure_sweeps(bench: Bench) -> None:
    """Everybody signed in while the app was not there, and now all of them are realized; on the smallest tables."""
    place, swept = bench.places[0], bench.plan.swept
    bench.say(f"sweep of {swept:,} learners")
    crowd = Crowd("s", swept, "unknown", enrolled=True, course=True, ledger=True)
    doors: tuple[tuple[str, Callable[[], Sample]], ...] = (
        ("api", lambda: place.stand.run(sweeps.sweep, swept)),
        ("set-based SQL", lambda: place.stand.run(floor_realizing.realize_all)),
    )
    for _ in range(bench.plan.sweep_samples):
        for through, work in doors:
            with cleared([place]):
                place.stand.run(crowds.seed, crowd)
                keep(bench, place, "sweep", through, work(), rows=swept)


def measure_reads(bench: Bench) -> None:
    """Pages of lists, look-ups and the feed at the start, in the middle and at the end, beside the bare queries."""
    bench.say("pages and look-ups")
    places = bench.places
    with cleared(places):
        spots: dict[int, dict[str, Spot]] = {}
        for place in places:
            prefix, count = OTHERS, place.stand.others
            if not count:
                prefix, count = "l", bench.plan.small_list
                place.stand.run(crowds.seed, Crowd(prefix, count, "half", enrolled=True, course=True, ledger=True))
            spots[place.stand.others] = place.stand.run(reads.find_spots, prefix, count)
        for number in range(bench.plan.read_samples + 1):
            for place in places:
                for where, spot in spots[place.stand.others].items():
                    _read_once(bench, place, where, spot, counts=number > 0)


def _read_once(bench: Bench, place: Place, where: str, spot: Spot, *, counts: bool) -> None:
    """Read everything once, each thing through `api`, over HTTP, and by the bare query."""
    run = place.stand.run
    doors: Mapping[tuple[str, str], Callable[[], Sample]] = {
        ("program list", "api"): lambda: run(reads.program_page, spot.list_cursor),
        ("program list", "http"): lambda: place.client.read_programs(spot.list_cursor),
        ("program list", "bare query"): lambda: run(reads.bare_program_page, spot.learner),
        ("course list", "api"): lambda: run(reads.course_page, spot.list_cursor),
        ("course list", "http"): lambda: place.client.read_courses(spot.list_cursor),
        ("course list", "bare query"): lambda: run(reads.bare_course_page, spot.learner),
        ("changes", "api"): lambda: run(reads.changes_page, spot.feed_cursor),
        ("changes", "http"): lambda: place.client.read_changes(spot.feed_cursor),
        ("changes", "bare query"): lambda: run(reads.bare_changes_page, spot.position),
        ("look-up", "api"): lambda: run(reads.look_up, spot.student_key),
        ("look-up", "http"): lambda: place.client.look_up(spot.student_key),
        ("look-up", "bare query"): lambda: run(reads.bare_look_up, spot.student_key),
    }
    for (what, through), work in doors.items():
        sample = work()
        if counts:
            keep(bench, place, f"{what}, {where}", through, sample)


def measure_dashboards(bench: Bench) -> None:
    """The learner's pages, for the first, a middle and the last learner."""
    bench.say("the learner's dashboard")
    places = bench.places
    with cleared(places):
        learners = {}
        for place in places:
            if not place.stand.others:
                crowd = Crowd("d", bench.plan.small_list, "half", enrolled=True, course=True, ledger=True)
                place.stand.run(crowds.seed, crowd)
            learners[place.stand.others] = place.stand.run(dashboards.find_learners)
        for number in range(bench.plan.read_samples + 1):
            for place in places:
                for user_id, program in learners[place.stand.others]:
                    for page in dashboards.PAGES:
                        sample = place.stand.run(dashboards.open_page, page, user_id, program)
                        # The first one of each is not counted: it fills caches.
                        if number:
                            keep(bench, place, f"dashboard, {page}", "page", sample)


def measure_pages(bench: Bench) -> None:
    """Pages of the console, from the address to the last byte: by the clock, and by the processor time of Django."""
    bench.say("pages of the console")
    for place in bench.places:
        if not place.stand.others:
            continue
        # Databases that people use have statistics; this one was filled a moment ago.
        place.stand.run(console_pages.gather_statistics)
        spot = place.stand.run(reads.find_spots, OTHERS, place.stand.others)["middle"]
        pages = place.stand.run(console_pages.addresses, spot.list_cursor, spot.student_key)
        for name, address in pages.items():
            shown = [place.stand.run(console_pages.show, address) for _ in range(bench.plan.page_samples + 1)]
            # The first one fills caches and counts what is kept for a while.
            for one in shown[1:]:
                keep(bench, place, f"page: {name}", "clock", one.clock)
                keep(bench, place, f"page: {name}", "processor", one.processor)


def measure_memory(bench: Bench) -> None:
    """Memory of a server of its own: a large body, and the largest list walked to its end."""
    place, rows = bench.places[-1], bench.plan.body_rows
    bench.say(f"memory: a body of {rows:,} rows, and a list of {place.stand.others:,} walked")
    with Server(place.stand) as server:
        client = Client(server.port)
        client.put(course=False, prefix="mw", count=10, status="enrolled")
        idle = server.memory
        with cleared([place]), server.peak_memory() as peak:
            client.put(course=False, prefix="m", count=rows, status="enrolled")
        note(bench, place, f"memory over idle, a body of {rows:,} rows", peak() - idle, unit="MB", limit=100)
        walk = client.walk_programs()
        next(walk)
        before, walked, seconds = server.memory, 0, 0.0
        with server.peak_memory() as peak:
            for count, sample in walk:
                walked, seconds = walked + count, seconds + sample.seconds
        note(bench, place, f"memory that grew while {walked:,} rows were walked", peak() - before, unit="MB", limit=64)
        note(bench, place, "rows a second in that walk", walked / seconds, unit="rows/s")
        client.close()


def measure_crossings(bench: Bench) -> None:
    """How long sign-ins take while a large body for the same school is written over HTTP."""
    place, rows = bench.places[0], bench.plan.body_rows
    bench.say("sign-ins that meet a running write")
    waits, longest, chunks, calm = [], [], [], []
    for number in range(bench.plan.crossings):
        prefix = f"k{number}"

        def write(status: str, prefix: str = prefix) -> float:
            return place.client.put(course=False, prefix=prefix, count=rows, status=status).seconds

        with cleared([place]), ThreadPoolExecutor(max_workers=1) as beside:
            write("enrolled")
            seconds = write("pending")
            written = beside.submit(write, "enrolled")
            met = place.stand.run(sign_ins.sign_in_for, prefix, seconds, 1)
            waits += met
            longest.append(max(met))
            chunks.append(written.result() / (rows / CHUNK))
            calm += place.stand.run(sign_ins.sign_in_for, prefix, seconds / 2, rows // 2)
    note(bench, place, "a sign-in with nothing else going on, median", median(calm) * 1000, unit="ms")
    note(bench, place, f"a sign-in during a write of {rows:,} rows, median", median(waits) * 1000, unit="ms")
    note(bench, place, "the longest during a write, of all writes", max(longest) * 1000, unit="ms")
    note(bench, place, "a chunk of such a write, median", median(chunks) * 1000, unit="ms")
    # SQLite has one writer at a time and no queue: who waits asks again now and then, and may ask in vain.
    queues = place.stand.vendor != "sqlite"
    # A disk that stalls for half a second once in a while is met by whoever commits then: hence the median.
    waited = median((each - median(calm)) / chunk for each, chunk in zip(longest, chunks, strict=True))
    note(bench, place, "longest wait during a write, median", waited, unit="chunks", limit=1 if queues else None)


SECTIONS: dict[str, Callable[[Bench], None]] = {
    "reads": measure_reads,
    "dashboards": measure_dashboards,
    "pages": measure_pages,
    "sign_ins": measure_sign_ins,
    "crossings": measure_crossings,
    "memory": measure_memory,
    "sweeps": measure_sweeps,
    "writes": measure_writes,
}


def prepare(stand: Stand, plan: Plan) -> dict[str, Any]:
    """Fill a stand's tables with what is to be there before anything is measured, and return its marks."""
    stand.run(make_world)
    stand.run(crowds.make_numbers, count=max(stand.others, plan.swept, plan.large_write or 0, *plan.write_samples))
    stand.run(crowds.start_feed)
    if stand.others:
        stand.run(crowds.seed, Crowd(OTHERS, stand.others, "half", enrolled=True, course=True, ledger=True))
    return stand.run(crowds.marks)
