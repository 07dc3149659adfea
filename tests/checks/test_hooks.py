"""What runs before a commit is what `make check` runs, with the clone's own programs."""

import re
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = ROOT / ".pre-commit-config.yaml"


def _hooks() -> list[dict[str, object]]:
    return [hook for repo in yaml.safe_load(CONFIGURATION.read_text())["repos"] for hook in repo["hooks"]]


def _checked() -> list[str]:
    """The command lines of `make check`."""
    recipe = re.search(r"^check: .*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe
    return [line.strip().replace("$(VENV)", ".venv/bin/python") for line in recipe[1].splitlines()]


def test_the_hooks_are_the_commands_of_make_check() -> None:
    before_commits = [str(hook["entry"]) for hook in _hooks() if "stages" not in hook]
    assert before_commits == _checked()
    assert [hook["entry"] for hook in _hooks() if hook.get("stages") == ["commit-msg"]] == [
        ".venv/bin/python -m tests.checks.commits --message"
    ]


def test_no_hook_downloads_anything() -> None:
    repos = yaml.safe_load(CONFIGURATION.read_text())["repos"]
    assert [repo["repo"] for repo in repos] == ["local"]
    assert {hook["language"] for hook in _hooks()} == {"system"}


def test_pre_commit_stops_a_commit_that_make_check_would_refuse(tmp_path: Path) -> None:
    """The real program, in a clone with our configuration and programs."""
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    (tmp_path / ".pre-commit-config.yaml").write_text(CONFIGURATION.read_text())
    (tmp_path / ".gitignore").write_text(".venv\ntests\n")

    def run(*argv: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert run("git", "init", "-q").returncode == 0
    assert run(sys.executable, "-m", "pre_commit", "install").returncode == 0
    assert (tmp_path / ".git" / "hooks" / "commit-msg").exists()
    (tmp_path / "good.py").write_text('"""Nothing."""\n')
    assert run("git", "add", ".").returncode == 0
    assert run(sys.executable, "-m", "pre_commit", "run", "ruff").returncode == 0
    (tmp_path / "bad.py").write_text("import os\n")
    run("git", "add", ".")
    refused = run(sys.executable, "-m", "pre_commit", "run", "ruff")
    assert refused.returncode == 1
    assert "F401" in refused.stdout
    message = tmp_path / "message"
    message.write_text("Wrong\n")
    argv = [sys.executable, "-m", "pre_commit", "run", "--hook-stage", "commit-msg", "--commit-msg-filename"]
    assert run(*argv, str(message)).returncode == 1
    message.write_text("docs: say it\n")
    assert run(*argv, str(message)).returncode == 0


def test_editors_are_told_what_ruff_and_the_check_of_markdown_hold() -> None:
    text = (ROOT / ".editorconfig").read_text()
    assert re.search(r"^\[\*\.py\]\nindent_size = 4\nmax_line_length = 120$", text, re.MULTILINE)
    assert re.search(r"^\[\*\.md\]\nmax_line_length = 100$", text, re.MULTILINE)
    assert re.search(r"^\[Makefile\]\nindent_style = tab$", text, re.MULTILINE)
    assert "line-length = 120" in (ROOT / "pyproject.toml").read_text()
