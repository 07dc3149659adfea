"""One version number, wherever it is shown."""

import json
import re
import tomllib
from pathlib import Path

from smartpush import __version__

ROOT = Path(__file__).resolve().parents[1]
RELEASE = re.compile(r"^## (\d+\.\d+\.\d+)$", re.MULTILINE)


def test_it_is_a_release_number():
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)


def test_pyproject_says_the_same():
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == __version__


def test_the_npm_package_says_the_same():
    assert json.loads((ROOT / "devices" / "npm" / "package.json").read_text())["version"] == __version__


def test_the_npm_guide_installs_the_same():
    assert f"smartpush-web-{__version__}.tgz" in (ROOT / "docs" / "web" / "npm.md").read_text()


def test_the_changelog_begins_with_what_is_unreleased_and_then_this_release():
    text = (ROOT / "CHANGELOG.md").read_text()
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert RELEASE.findall(text)[0] == headings[1] == __version__
