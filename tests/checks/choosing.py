"""Which tests a change is most likely to break, nearest first: by imports, by mirrored rooms and by names."""

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path, PurePosixPath

ROOMS = ("smartpush", "campaigns", "assets", "segments", "devices", "templates", "tests")
# These take browsers, other machines or many minutes; `make test` runs them.
LEFT_OUT = ("browser", "benchmarks", "machines", "npm", "faults", "upgrades", "outages", "seed")
ALWAYS = "tests/test_architecture.py"


class Nearness(IntEnum):
    """How a test belongs to a change; smaller is nearer."""

    ITSELF = 0
    IMPORTS = 1
    NAMES = 2
    HOUSE_RULES = 3
    ROOM = 4
    ONE_BETWEEN = 5


@dataclass(frozen=True)
class Choice:
    """One test file, and why it runs."""

    test: str
    nearness: Nearness
    reason: str


@dataclass
class Map:
    """What each Python file of the repository imports, by path."""

    files: frozenset[str]
    imports: dict[str, frozenset[str]]
    texts: dict[str, str] = field(default_factory=dict)

    @property
    def tests(self) -> list[str]:
        """The files of tests that may run here."""
        return sorted(path for path in self.files if _is_test(path) and not left_out(path))

    def reached(self, test: str) -> set[str]:
        """What a test imports itself, or through helpers under tests/."""
        found: set[str] = set()
        waiting = [test]
        while waiting:
            for path in self.imports.get(waiting.pop(), frozenset()) - found:
                found.add(path)
                if path.startswith("tests/"):
                    waiting.append(path)
        return found


def left_out(path: str) -> bool:
    """Tell whether a file belongs to the tests that are left to `make test`."""
    parts = PurePosixPath(path).parts
    return len(parts) > 2 and parts[0] == "tests" and parts[1] in LEFT_OUT


def repository_map(*, root: Path) -> Map:
    """Read the imports of every Python file in the rooms."""
    paths = [path for room in ROOMS for path in (root / room).rglob("*.py")]
    names = frozenset(path.relative_to(root).as_posix() for path in paths)
    found = Map(files=names, imports={})
    for name in names:
        text = (root / name).read_text()
        found.imports[name] = frozenset(_imports(text, package=PurePosixPath(name).parent, files=names))
        if _is_test(name):
            found.texts[name] = text
    return found


def choose(*, changed: Iterable[str], known: Map) -> list[Choice]:
    """Return the tests for the changed files, each once with its nearest reason, the nearest first."""
    best: dict[str, Choice] = {}
    changed = sorted(changed)
    reached = {test: known.reached(test) for test in known.tests}
    for path in changed:
        for choice in _choices(path, known=known, reached=reached):
            held = best.get(choice.test)
            if held is None or choice.nearness < held.nearness:
                best[choice.test] = choice
    if changed and ALWAYS in known.files:
        best.setdefault(ALWAYS, Choice(ALWAYS, Nearness.HOUSE_RULES, "holds the house rules of all files"))
    return sorted(best.values(), key=lambda choice: (choice.nearness, choice.test))


def _choices(path: str, *, known: Map, reached: dict[str, set[str]]) -> Iterable[Choice]:
    between = {one for one, imported in known.imports.items() if path in imported and not one.startswith("tests/")}
    # Documents belong to the tests that name them, whatever room they lie in.
    room = "" if path.endswith(".md") else _mirrored(path, tests=known.tests)
    file = PurePosixPath(path)
    stem = file.stem.strip("_")
    for test, imported in reached.items():
        if test == path:
            yield Choice(test, Nearness.ITSELF, "has changed")
        elif path in imported:
            yield Choice(test, Nearness.IMPORTS, f"imports {path}")
        elif _conftest_of(path, test):
            yield Choice(test, Nearness.IMPORTS, f"has fixtures from {path}")
        elif file.suffix != ".py" and file.name != "README.md" and file.name in known.texts[test]:
            yield Choice(test, Nearness.NAMES, f"names {file.name}")
        elif room and test.startswith(f"{room}/"):
            near = len(stem) > 3 and stem in PurePosixPath(test).stem
            yield Choice(test, Nearness.NAMES if near else Nearness.ROOM, f"mirrors the room of {path}")
        elif imported & between:
            yield Choice(test, Nearness.ONE_BETWEEN, f"imports {min(imported & between)}, which imports {path}")


def _conftest_of(path: str, test: str) -> bool:
    # Every test has the topmost; only those in a room are told apart by theirs.
    folder = PurePosixPath(path).parent
    return PurePosixPath(path).name == "conftest.py" and len(folder.parts) > 1 and test.startswith(f"{folder}/")


def _mirrored(path: str, *, tests: list[str]) -> str:
    """The deepest folder of tests that mirrors a product file's; "" where there is none."""
    parts = PurePosixPath(path).parent.parts
    if not parts or parts[0] == "tests" or parts[0] not in ROOMS:
        return ""
    # smartpush/api is mirrored as tests/api, devices/services as tests/devices/services.
    inner = parts[1:] if parts[0] in {"smartpush", "templates"} else parts
    for end in range(len(inner), 0, -1):
        folder = "/".join(("tests", *inner[:end]))
        if any(test.startswith(f"{folder}/") for test in tests):
            return folder
    return ""


def _is_test(path: str) -> bool:
    return path.startswith("tests/") and PurePosixPath(path).name.startswith("test_")


def _imports(text: str, *, package: PurePosixPath, files: frozenset[str]) -> Iterable[str]:
    for node in ast.walk(ast.parse(text)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join([*package.parts[: len(package.parts) - node.level + 1]]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            names = [f"{module}.{alias.name}" for alias in node.names] + [module]
        for name in names:
            path = name.replace(".", "/")
            yield from (one for one in (f"{path}.py", f"{path}/__init__.py") if one in files)
