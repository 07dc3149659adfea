"""Which commit subjects are refused, and which commits are looked at."""

import subprocess
from pathlib import Path

import pytest

from tests.checks.commits import LAST, checked, main, problem

RULE = "tests/checks/commits.py"


@pytest.mark.parametrize(
    "subject",
    [
        "delivery: cache the rendered parts of a revision",
        "segments, backoffice: say and find what the help page says",
        "tests/api: send a chunked body in one piece",
        "sdk: pass the nonce on",
        "house: bring Node along",
        f"docs: {'x' * 66}",
    ],
)
def test_a_subject_in_the_house_s_form_is_taken(subject: str) -> None:
    assert problem(subject) is None


@pytest.mark.parametrize(
    ("subject", "why"),
    [
        ("Find by the beginnings of words", "area: imperative"),
        ("delivery:cache it", "area: imperative"),
        ("delivery: Cache it", "area: imperative"),
        ("Delivery: cache it", "area: imperative"),
        ("delivery: cached it", "not with 'cached'"),
        ("delivery: caching of revisions", "not with 'caching'"),
        ("delivery: caches it", "not with 'caches'"),
        ("delivery: cache it.", "full stop"),
        (f"docs: {'x' * 67}", "73 characters; at most 72"),
    ],
)
def test_a_subject_in_another_form_is_refused_with_the_reason(subject: str, why: str) -> None:
    assert why in (problem(subject) or "")


class Repository:
    """A repository with commits that change nothing but what they say."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.folder, check=True, capture_output=True)

    def commit(self, subject: str) -> None:
        self.git("commit", "--allow-empty", "-q", "-m", subject)

    def name(self) -> None:
        self.git("config", "user.name", "Ann")
        self.git("config", "user.email", "ann@example.com")

    def subjects(self) -> list[str]:
        return [subject for _, subject in checked(repository=self.folder)]


@pytest.fixture
def origin(tmp_path: Path) -> Repository:
    """A history that began before the rule."""
    made = Repository(tmp_path / "origin")
    made.folder.mkdir()
    made.git("init", "-q", "-b", "main")
    made.name()
    made.commit("A sentence from before the rule")
    rule = made.folder / RULE
    rule.parent.mkdir(parents=True)
    rule.touch()
    made.git("add", RULE)
    made.commit("The rule itself")
    return made


@pytest.fixture
def clone(origin: Repository, tmp_path: Path) -> Repository:
    # Somebody who did not look has published it: nobody can mend that any more.
    origin.commit("A sentence after the rule")
    made = Repository(tmp_path / "clone")
    origin.git("clone", "-q", str(origin.folder), str(made.folder))
    made.name()
    return made


def test_a_fresh_clone_is_right_whatever_its_history_says(clone: Repository) -> None:
    assert clone.subjects() == []
    assert main([], repository=clone.folder) == 0


def test_what_origin_does_not_have_is_checked_and_merges_are_not(
    clone: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    clone.git("checkout", "-q", "-b", "work")
    clone.commit("Wrong")
    clone.git("checkout", "-q", "main")
    clone.commit("docs: say it")
    clone.git("merge", "-q", "--no-ff", "-m", "Merge branch 'work'", "work")
    assert sorted(clone.subjects()) == ["Wrong", "docs: say it"]
    assert main([], repository=clone.folder) == 1
    assert "Wrong\n    write `area: imperative`" in capsys.readouterr().out


def test_without_an_origin_what_came_after_the_rule_is_checked(origin: Repository) -> None:
    assert origin.subjects() == []
    for number in range(LAST + 5):
        origin.commit(f"docs: say it {number}")
    assert len(origin.subjects()) == LAST


def test_a_folder_without_history_has_nothing_to_check(tmp_path: Path) -> None:
    assert checked(repository=tmp_path) == []
    Repository(tmp_path).git("init", "-q")
    assert checked(repository=tmp_path) == []


def test_the_message_of_a_commit_under_way_is_checked(tmp_path: Path) -> None:
    message = tmp_path / "COMMIT_EDITMSG"
    for text, code in (("Wrong\n", 1), ("docs: say it\n\nWhy.\n", 0), ("Merge branch 'work'\n", 0)):
        message.write_text(text)
        assert main(["--message", str(message)]) == code
