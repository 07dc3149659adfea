"""The house rules that a reader would otherwise have to check by eye."""

import re
import subprocess
from collections import Counter
from io import StringIO
from pathlib import Path

from django.core.management import call_command
from django.db import models
from importlinter.api import use_cases

from tests.support.models import fields_in, our_models

ROOT = Path(__file__).resolve().parent.parent
TOP_LEVEL = {
    "smartpush",
    "campaigns",
    "assets",
    "segments",
    "devices",
    "templates",
    "manage.py",
    "requirements.txt",
    "requirements-dev.txt",
    "tests",
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "LICENSE",
    "Makefile",
    "pyproject.toml",
    "package.json",
    "package-lock.json",
    "docs",
    ".ci",
    ".editorconfig",
    ".gitignore",
    ".pre-commit-config.yaml",
    "bench.json",
}
# Written by the million, by COPY and set statements: the audit command proves what a constraint would (docs/adr/0005).
WITHOUT_CONSTRAINTS = {
    "devices.CapCounter",
    "devices.Delivery",
    "devices.DeliveryChunk",
    "devices.Event",
    "devices.PopupOffer",
    "campaigns.Enrolment",
    "campaigns.StepRun",
    "segments.ImportLine",
    "segments.ListEntry",
    "segments.MembershipChange",
    "segments.SegmentMembership",
}
LONGEST = 400
MOST_MODULES = 15


def tracked() -> list[Path]:
    out = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    return [ROOT / name for name in out.split("\0") if name and (ROOT / name).is_file()]


def code() -> list[Path]:
    """Python and JavaScript that people wrote."""
    return [path for path in tracked() if path.suffix in {".py", ".js"} and "migrations" not in path.parts]


def test_imports_follow_the_layers():
    assert use_cases.lint_imports(config_filename=str(ROOT / "pyproject.toml"), cache_dir=None)


def test_nothing_else_lies_at_the_top():
    assert {path.relative_to(ROOT).parts[0] for path in tracked()} <= TOP_LEVEL


def test_no_file_is_too_long():
    long = {str(path.relative_to(ROOT)): n for path in code() if (n := len(path.read_text().splitlines())) > LONGEST}
    assert not long


def test_test_modules_never_import_each_other():
    """What several need stands beside them or in tests/support; fixtures stand in a conftest."""
    taken = re.compile(r"^\s*(?:from tests\.(?:\w+\.)*test_\w+ import|from tests[\w.]* import (?:.*\W)?test_\w+)", re.M)
    assert not [
        f"{path.relative_to(ROOT)}: {found[0].strip()}"
        for path in code()
        if path.suffix == ".py" and "tests" in path.relative_to(ROOT).parts
        for found in taken.finditer(path.read_text())
    ]


def test_no_folder_holds_more_than_a_reader_can_survey():
    """Migrations and tests are apart: their names alone say where to look."""
    held: Counter[Path] = Counter(
        path.parent.relative_to(ROOT)
        for path in code()
        if path.suffix == ".py" and path.stem != "__init__" and "tests" not in path.relative_to(ROOT).parts
    )
    assert not {str(folder): n for folder, n in held.items() if n > MOST_MODULES}


def test_there_is_no_drawer_for_odds_and_ends():
    assert not [path for path in tracked() if path.stem in {"utils", "helpers", "misc"}]


def _in_brackets(text: str, begin: int) -> str:
    """What stands between the bracket at `begin` and its partner."""
    depth = 0
    for end in range(begin, len(text)):
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        if depth == 0:
            return text[begin : end + 1]
    return text[begin:]


def test_no_statement_takes_more_rows_than_its_limit():
    """`IN (SELECT ... LIMIT ... FOR UPDATE)` runs once for each row where the planner joins by a nested loop.

    Each run skips what the statement has taken already and takes as many again. A materialized CTE runs once.
    """
    found = [
        f"{path.relative_to(ROOT)}: {inner[:60]}"
        for path in code()
        if path.suffix == ".py" and "tests" not in path.relative_to(ROOT).parts
        for text in [path.read_text()]
        for start in re.finditer(r"\bIN \((?=\s*SELECT\b)", text)
        for inner in [_in_brackets(text, start.end() - 1)]
        if re.search(r"\bLIMIT\b.*\bFOR (NO KEY )?UPDATE\b", inner, re.DOTALL)
    ]
    assert not found


def test_nothing_is_left_for_later():
    mark = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]) + r")\b")
    suffixes = {".py", ".js", ".html", ".css", ".md", ".toml", ".txt"}
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked()
        if path.suffix in suffixes
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if mark.search(line)
    ]
    assert not found


def test_migrations_say_all_that_the_models_say(db):
    out = StringIO()
    call_command("makemigrations", "--check", "--dry-run", stdout=out, stderr=out)


def test_every_choice_is_held_by_the_database():
    open_choices = []
    for model in our_models():
        checks = [item for item in model._meta.constraints if isinstance(item, models.CheckConstraint)]
        held = {name for check in checks for name in fields_in(check.condition)}
        for field in model._meta.local_fields:
            if field.choices and not isinstance(field, models.BooleanField) and field.name not in held:
                open_choices.append(f"{model._meta.label}.{field.name}")
    assert not open_choices


def test_constraints_and_indexes_are_named_after_their_app():
    wrong = [
        item.name
        for model in our_models()
        for item in [*model._meta.constraints, *model._meta.indexes]
        if not item.name.startswith(f"{model._meta.app_label}_")
    ]
    assert not wrong


def test_constraints_are_named_after_their_table():
    wrong = [
        item.name
        for model in our_models()
        for item in model._meta.constraints
        if not item.name.startswith((f"{model._meta.db_table}_", f"{model._meta.app_label}_chunk_"))
    ]
    assert not wrong


def test_only_the_hot_tables_do_without_foreign_key_constraints():
    loose = {
        model._meta.label
        for model in our_models()
        for field in model._meta.local_fields
        if isinstance(field, models.ForeignKey) and not field.db_constraint
    }
    assert loose == WITHOUT_CONSTRAINTS
