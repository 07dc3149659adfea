"""What every benchmark shares: groups, rounds taken in turn, figures beside their peers, the table and bench.json.

A group is a module of this package with the group's name; its function carries `@group`. It measures what it likes and
gives back figures. A benchmark asserts nothing: `holds` says what it saw.
"""

import json
import os
import platform
import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

ROOT = Path(__file__).resolve().parents[2]
VAR = ROOT / "var" / "bench"
RESULT_FILE = ROOT / "bench.json"
NOT_GROUPS = frozenset({"__main__", "frame"})


@dataclass(frozen=True)
class Figure:
    """One measured value; `holds` is None where there is no target or its peer could not be measured."""

    name: str
    value: float
    unit: str
    target: str = ""
    holds: bool | None = None
    peers: dict[str, float] = field(default_factory=dict)


Group = Callable[[float], Iterable[Figure]]
_GROUPS: dict[str, Group] = {}


def group(function: Group) -> Group:
    """Register the group named as its module; it is called with SCALE (1 = the full size)."""
    _GROUPS[function.__module__.rpartition(".")[2]] = function
    return function


def in_turn(subjects: Mapping[str, Callable[[], float]], *, rounds: int = 3) -> dict[str, float]:
    """Measure every subject once a round, so that the machine's moods meet all of them; return the medians."""
    values: dict[str, list[float]] = {name: [] for name in subjects}
    for _ in range(rounds):
        for name, measure in subjects.items():
            values[name].append(measure())
    return {name: statistics.median(found) for name, found in values.items()}


def group_names() -> list[str]:
    """List the groups there are."""
    modules = (module.name for module in iter_modules([str(Path(__file__).parent)]) if not module.ispkg)
    return sorted(name for name in modules if name not in NOT_GROUPS and not name.startswith("_"))


def run(*, only: Iterable[str], scale: float) -> list[Figure]:
    """Run the named groups, or all; raises SystemExit for a name that is none."""
    names = list(only) or group_names()
    unknown = sorted(set(names) - set(group_names()))
    if unknown:
        raise SystemExit(f"no such group: {', '.join(unknown)}; there are {', '.join(group_names())}")
    figures: list[Figure] = []
    for name in names:
        import_module(f"tests.benchmarks.{name}")
        print(f"measuring {name} at SCALE={scale:g} ...", flush=True)
        figures.extend(_GROUPS[name](scale))
    return figures


def machine() -> dict[str, object]:
    """Describe what the figures were taken on."""
    model = ""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "load_before": os.getloadavg()[0],
        "system": platform.platform(),
        "python": platform.python_version(),
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def write(figures: list[Figure], *, machine: dict[str, object], scale: float, path: Path) -> None:
    """Write bench.json."""
    document = {"machine": machine | {"scale": scale}, "figures": [asdict(figure) for figure in figures]}
    path.write_text(json.dumps(document, indent=1) + "\n")


def table(figures: list[Figure]) -> str:
    """Lay the figures out for reading."""
    rows = [("figure", "value", "unit", "target", "holds")]
    for figure in figures:
        holds = {True: "yes", False: "NO", None: "-"}[figure.holds]
        rows.append((figure.name, _number(figure.value), figure.unit, figure.target, holds))
        rows.extend((f"  {peer}", _number(value), figure.unit, "", "") for peer, value in figure.peers.items())
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if column == 1 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.2f}"
