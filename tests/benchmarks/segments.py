"""What segments cost on a million end users: counts beside hand-written SQL, the live count, one end user, an import.

Counts run as the product runs them (`segments.selectors.bounded`), the hand-written ones under the same settings.
Beside the time stands the CPU that PostgreSQL spent, where it runs on this machine: that is the same however busy the
machine is. The data set is described in the output and made by `_segments_data`.
"""

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import django

from tests.benchmarks.frame import ROOT, Figure, group, in_turn

OURS, BY_HAND = "smartpush", "hand-written SQL"
SLOWER = 1.5  # times what is written by hand
PATIENCE = 600_000  # milliseconds: a slow count is measured too
LIVE_SECONDS = 1.0
EVALUATE_MS = 5.0
EVALUATED = 300
IMPORT_SECONDS, IMPORT_MEGABYTES = 30.0, 64.0
IMPORTED = 1_000_000
COUNTED = "SELECT count(*) FROM ({}) s"


@group
def segments(scale: float) -> Iterator[Figure]:
    """Measure against a clone of the data set."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartpush.settings")
    django.setup()
    # Django is set up only now.
    from tests.benchmarks._segments_database import database  # noqa: PLC0415
    from tests.benchmarks._segments_described import described, indexes  # noqa: PLC0415

    with database(scale, _say) as environment:
        for line in described():
            _say(line)
        yield from _counts()
        yield from _live_counts()
        yield from _evaluating()
        yield from _imports(scale, environment)
        sizes = indexes()
        yield from (Figure(f"segments.index.{name}", size, "MB") for name, size in sizes.items())
        yield Figure("segments.indexes", sum(sizes.values()), "MB")


def _say(text: str) -> None:
    print(f"  {text}", flush=True)


def _counts() -> Iterator[Figure]:
    from segments.compiler import counted_sql  # noqa: PLC0415
    from segments.rules import parse_rules  # noqa: PLC0415
    from segments.selectors.audiences import context_for  # noqa: PLC0415
    from segments.selectors.bounded import rows_within  # noqa: PLC0415
    from tests.benchmarks._segments_data import BRAND, NOW  # noqa: PLC0415
    from tests.benchmarks._segments_questions import QUESTIONS, Question  # noqa: PLC0415

    def ours(question: Question) -> int:
        rules = parse_rules({"version": 1, "rule": question.rule})
        sql = counted_sql(rules, context_for(rules=rules, brand_id=BRAND, now=NOW))
        return int(rows_within(text=COUNTED.format(sql.text), params=sql.params, milliseconds=PATIENCE)[0][0])

    def by_hand(question: Question) -> int:
        return int(rows_within(text=question.sql, params=(), milliseconds=PATIENCE)[0][0])

    for question in QUESTIONS:
        found = {"ours": ours(question), "by hand": by_hand(question)}  # warms up too
        if found["ours"] != found["by hand"]:
            _say(f"{question.name}: the counts differ, {found}")
        spent: dict[str, list[float]] = {OURS: [], BY_HAND: []}
        took = in_turn(
            {
                OURS: lambda question=question, spent=spent: _seconds(lambda: ours(question), spent[OURS]),
                BY_HAND: lambda question=question, spent=spent: _seconds(lambda: by_hand(question), spent[BY_HAND]),
            },
            rounds=3,
        )
        seconds, peer = took[OURS], took[BY_HAND]
        cpu = {f"CPU of the server, {who}": statistics.median(found) for who, found in spent.items() if found}
        yield Figure(
            f"segments.count.{question.name}",
            seconds * 1000,
            f"ms, {found['ours']:,} end users",
            f"<= {SLOWER} of hand-written, < {question.within:g} s",
            found["ours"] == found["by hand"] and seconds <= SLOWER * peer and seconds < question.within,
            {BY_HAND: peer * 1000, **cpu},
        )


def _seconds(call: Callable[[], object], spent: list[float] | None = None) -> float:
    """How long it takes; the milliseconds of CPU that the server's process spends on it are put into `spent`."""
    before, began = _server_cpu_ms() if spent is not None else None, time.perf_counter()
    call()
    took = time.perf_counter() - began
    if spent is not None and before is not None:
        spent.append((_server_cpu_ms() or before) - before)
    return took


def _server_cpu_ms() -> float | None:
    from django.db import connection  # noqa: PLC0415

    connection.ensure_connection()
    process = Path(f"/proc/{connection.connection.info.backend_pid}")
    try:
        if not process.joinpath("comm").read_text().startswith("postgres"):
            return None
        # User and system time, fields 14 and 15 of proc_pid_stat(5).
        fields = process.joinpath("stat").read_text().rpartition(")")[2].split()
    except OSError:  # the server is on another machine
        return None
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def _live_counts() -> Iterator[Figure]:
    """The first answer that the builder shows, and how far it is from the exact number."""
    from segments.rules import parse_rules  # noqa: PLC0415
    from segments.selectors.audiences import context_for  # noqa: PLC0415
    from segments.selectors.counting import audience_count  # noqa: PLC0415
    from tests.benchmarks._segments_data import BRAND, NOW  # noqa: PLC0415
    from tests.benchmarks._segments_questions import QUESTIONS  # noqa: PLC0415

    slowest, inside, estimates = 0.0, 0, 0
    for question in QUESTIONS:
        rules = parse_rules({"version": 1, "rule": question.rule})
        context = context_for(rules=rules, brand_id=BRAND, now=NOW)
        began = time.perf_counter()
        first = audience_count(rules=rules, context=context, exact=False)
        took = time.perf_counter() - began
        slowest = max(slowest, took)
        if first.exact:
            _say(f"live count {question.name}: {first.selected:,} exactly, {took:.2f} s")
            continue
        began = time.perf_counter()
        exact = audience_count(rules=rules, context=context, exact=True, budget=PATIENCE / 1000).selected
        estimates += 1
        inside += abs(first.selected - exact) <= first.error
        _say(
            f"live count {question.name}: {first.selected:,} give or take {first.error:,} in {took:.2f} s,"
            f" then {exact:,} exactly in {time.perf_counter() - began:.2f} s with who is reachable"
        )
    yield Figure("segments.live_count", slowest, "s, the slowest", f"<= {LIVE_SECONDS:g} s", slowest <= LIVE_SECONDS)
    # Nineteen of twenty is what a 95 % error promises.
    yield Figure(
        "segments.live_count_inside_error",
        inside,
        f"of {estimates} estimates",
        ">= 95 %, one may miss",
        inside >= estimates - 1,
    )


def _evaluating() -> Iterator[Figure]:
    """One end user against ten nested rules, by the product and by hand."""
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    from segments.rules import parse_rules  # noqa: PLC0415
    from segments.selectors.audiences import context_for, matches  # noqa: PLC0415
    from tests.benchmarks._segments_data import BRAND, NOW  # noqa: PLC0415
    from tests.benchmarks._segments_questions import EVALUATE_BY_HAND, TEN_RULES  # noqa: PLC0415

    data = {"version": 1, "rule": TEN_RULES}
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM devices_enduser WHERE brand_id = %s", [BRAND])
        people = random.Random(4).sample(range(1, cursor.fetchone()[0] + 1), EVALUATED)

    def ours(person: int) -> bool:
        rules = parse_rules(data)
        return matches(rules=rules, context=context_for(rules=rules, brand_id=BRAND, now=NOW), end_user_id=person)

    def by_hand(person: int) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(EVALUATE_BY_HAND, {"person": person})
            return bool(cursor.fetchone()[0])

    differing = sum(ours(person) != by_hand(person) for person in people)
    if differing:
        _say(f"evaluating: {differing} of {len(people)} end users are evaluated otherwise by hand")
    took: dict[str, list[float]] = {OURS: [], BY_HAND: []}
    queries = set()
    for person in people:
        took[OURS].append(_seconds(lambda person=person: ours(person)))
        took[BY_HAND].append(_seconds(lambda person=person: by_hand(person)))
    for person in people[:20]:
        with CaptureQueriesContext(connection) as captured:
            ours(person)
        queries.add(len(captured))
    value = statistics.median(took[OURS]) * 1000
    peers = {BY_HAND: statistics.median(took[BY_HAND]) * 1000}
    yield Figure(
        "segments.evaluate_one",
        value,
        f"ms, {len(people)} end users against ten rules",
        f"< {EVALUATE_MS:g} ms",
        not differing and value < EVALUATE_MS,
        peers,
    )
    yield Figure("segments.evaluate_queries", max(queries), "statements", "a fixed number", len(queries) == 1)


def _imports(scale: float, environment: dict[str, str]) -> Iterator[Figure]:
    """A file of ids of which some are unknown and some stand twice; memory is looked at in a process of its own."""
    count = max(1_000, round(IMPORTED * scale))
    with tempfile.TemporaryDirectory() as name:
        runs = {size: _imported(Path(name), size, environment) for size in (count // 10, count)}
    found = runs[count]
    _say(f"import of {count:,} ids: {json.dumps(found)}")
    yield Figure(
        "segments.import",
        found["receive_seconds"] + found["run_seconds"],
        f"s for {count:,} ids",
        f"< {IMPORT_SECONDS:g} s",
        found["receive_seconds"] + found["run_seconds"] < IMPORT_SECONDS,
        {"COPY and INSERT by hand": found["by_hand_seconds"]},
    )
    grown = (found["max_kb"] - found["before_kb"]) / 1024
    yield Figure(
        "segments.import_memory",
        grown,
        f"MB above the {found['before_kb'] / 1024:.0f} before; {found['after_kb'] / 1024:.0f} after",
        f"<= {IMPORT_MEGABYTES:g} MB",
        grown <= IMPORT_MEGABYTES,
        {"a tenth of the ids": (runs[count // 10]["max_kb"] - runs[count // 10]["before_kb"]) / 1024},
    )


def _imported(folder: Path, count: int, environment: dict[str, str]) -> dict[str, float]:
    file = folder / "ids.csv"
    with file.open("w") as out:
        out.write("external_id\n")
        # Of a hundred lines two name nobody, and one says what an earlier one said.
        for n in range(1, count + 1):
            out.write(f"unknown-{n}\n" if n % 50 == 0 else f"c{n - 1 if n % 100 == 3 else n}\n")
    command = [sys.executable, "-m", "tests.benchmarks._segments_import", str(file)]
    run = subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, check=True, stdout=subprocess.PIPE, text=True, timeout=900
    )
    answer: dict[str, float] = json.loads(run.stdout.splitlines()[-1])
    return answer
