"""Third-party notices: every package that production carries, with its licence and the texts of it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from smartpush.machine.bootstrap.errors import SetupStopped
from smartpush.machine.bootstrap.notices import NOT_STATED, document, notices, summary

REPOSITORY = Path(__file__).resolve().parents[3]


def test_every_package_of_production_states_its_licence() -> None:
    found = notices(repository=REPOSITORY)
    names = {(one.kind, one.name) for one in found}
    assert {("Python", "Django"), ("Python", "gunicorn"), ("npm", "react"), ("npm", "@reduxjs/toolkit")} <= names
    pins = [line for line in (REPOSITORY / "requirements.txt").read_text().splitlines() if "==" in line]
    assert sum(one.kind == "Python" for one in found) == len(pins)
    assert [one.name for one in found if one.licence == NOT_STATED] == []


def test_what_only_builds_or_tests_is_left_out() -> None:
    names = {one.name for one in notices(repository=REPOSITORY)}
    assert not names & {"esbuild", "typescript", "axe-core", "pytest", "mypy"}


def test_the_document_has_the_texts_of_the_licences() -> None:
    found = notices(repository=REPOSITORY)
    text = document(found)
    assert summary(found) in text
    assert "Copyright (c) Django Software Foundation" in text
    assert "Copyright (c) Meta Platforms" in text or "Copyright (c) Facebook" in text


def test_a_package_that_is_not_installed_stops_it_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("smartpush-nowhere==1.0\n")
    (tmp_path / "package-lock.json").write_text(json.dumps({"packages": {}}))
    with pytest.raises(SetupStopped, match=r"smartpush-nowhere is not installed.*make setup"):
        notices(repository=tmp_path)


def test_the_command_prints_a_line_for_each_and_writes_the_texts(tmp_path: Path) -> None:
    into = tmp_path / "NOTICES"
    argv = [sys.executable, "-m", "smartpush.machine.bootstrap", "notices", "--into", str(into)]
    answer = subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("Python  aiohappyeyeballs")
    assert into.read_text().startswith("Third-party notices")
