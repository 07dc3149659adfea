"""Which tests `make quick` chooses for a change, in what order, and what it tells."""

import subprocess
from pathlib import Path

import pytest

from tests.checks.choosing import Nearness, choose, repository_map
from tests.checks.quick import ROOT, changed_files, migrations_key, pytest_arguments, say_choice

FILES = {
    "devices/__init__.py": "",
    "devices/services/__init__.py": "",
    "devices/services/caps.py": "LIMIT = 1",
    "devices/services/sending.py": "from devices.services import caps",
    "campaigns/__init__.py": "",
    "campaigns/entry.py": "from devices.services.sending import caps",
    "smartpush/api/pages.py": "from campaigns import entry",
    "templates/backoffice/overview.html": "",
    "docs/sdk.md": "",
    "tests/__init__.py": "",
    "tests/scenes.py": "from devices.services.caps import LIMIT",
    "tests/test_architecture.py": "",
    "tests/devices/conftest.py": "",
    "tests/devices/services/test_caps.py": "from devices.services.caps import LIMIT",
    "tests/devices/services/test_merging.py": "",
    "tests/campaigns/test_entry.py": "from campaigns.entry import caps",
    "tests/campaigns/test_scenes.py": "from ..scenes import LIMIT",
    "tests/backoffice/test_pages.py": "from devices.services import sending",
    "tests/docs/test_codes.py": "PAGE = 'docs/sdk.md'",
    "tests/browser/test_popup.py": "from devices.services.caps import LIMIT",
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def chosen(repository: Path, *changed: str) -> dict[str, Nearness]:
    """What is chosen for a change, without the rules of the house, which are always checked."""
    found = {one.test: one.nearness for one in choose(changed=changed, known=repository_map(root=repository))}
    assert not changed or found.pop("tests/test_architecture.py") == Nearness.HOUSE_RULES
    return found


def test_nothing_changed_chooses_nothing(repository: Path) -> None:
    assert chosen(repository) == {}


def test_a_module_chooses_what_imports_it_then_its_room_then_what_is_one_further(repository: Path) -> None:
    found = chosen(repository, "devices/services/caps.py")
    assert list(found.items()) == [
        ("tests/campaigns/test_scenes.py", Nearness.IMPORTS),  # through a helper
        ("tests/devices/services/test_caps.py", Nearness.IMPORTS),
        ("tests/devices/services/test_merging.py", Nearness.ROOM),
        ("tests/backoffice/test_pages.py", Nearness.ONE_BETWEEN),
    ]


def test_a_changed_test_comes_first_and_a_browser_s_never(repository: Path) -> None:
    found = chosen(repository, "tests/campaigns/test_entry.py", "tests/browser/test_popup.py")
    assert found == {"tests/campaigns/test_entry.py": Nearness.ITSELF}


def test_fixtures_and_documents_choose_who_uses_them(repository: Path) -> None:
    assert set(chosen(repository, "tests/devices/conftest.py")) == {
        "tests/devices/services/test_caps.py",
        "tests/devices/services/test_merging.py",
    }
    assert chosen(repository, "docs/sdk.md") == {"tests/docs/test_codes.py": Nearness.NAMES}


def test_rooms_under_smartpush_and_templates_are_mirrored_without_them(repository: Path) -> None:
    assert chosen(repository, "templates/backoffice/overview.html") == {"tests/backoffice/test_pages.py": Nearness.ROOM}


def test_the_real_repository_has_a_test_for_every_room() -> None:
    known = repository_map(root=ROOT)
    for room in ("smartpush/api", "smartpush/common", "campaigns", "assets", "segments", "devices"):
        module = next(name for name in sorted(known.files) if name.startswith(f"{room}/") and name.endswith("s.py"))
        assert len(choose(changed=[module], known=known)) > 1, module


def test_what_differs_from_main_is_found_committed_or_not(repository: Path) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=repository, check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    git("config", "user.name", "Ann")
    git("config", "user.email", "ann@example.com")
    git("add", ".")
    git("commit", "-q", "-m", "docs: begin")
    assert changed_files(repository=repository)[1] == []
    git("checkout", "-q", "-b", "work")
    (repository / "docs" / "sdk.md").write_text("more")
    git("commit", "-qam", "docs: say more")
    (repository / "devices" / "services" / "caps.py").write_text("LIMIT = 2")
    (repository / "devices" / "new page.py").touch()
    since, changed = changed_files(repository=repository)
    assert since.startswith("main (")
    assert changed == ["devices/new page.py", "devices/services/caps.py", "docs/sdk.md"]


def test_it_says_what_runs_why_and_what_does_not(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed = ["devices/services/caps.py", "tests/browser/test_popup.py"]
    say_choice(choose(changed=changed, known=repository_map(root=repository)), changed=changed, since="main (abc)")
    out = capsys.readouterr().out
    assert "2 files differ from main (abc); 5 files of tests" in out
    assert "tests/devices/services/test_caps.py     imports devices/services/caps.py" in out
    assert "Left to `make test`: tests/browser/test_popup.py" in out


def test_no_browser_runs_and_the_database_is_made_anew_for_other_migrations(repository: Path) -> None:
    arguments = pytest_arguments([], workers=2, fresh=False)
    assert arguments[arguments.index("-m") + 1] == "not browser and not faults"
    assert "--reuse-db" in arguments
    assert "--create-db" not in arguments
    assert "--create-db" in pytest_arguments([], workers=2, fresh=True)
    before = migrations_key(repository=repository)
    made = repository / "devices" / "migrations" / "0001_initial.py"
    made.parent.mkdir()
    made.touch()
    made.write_text("x = 1")
    assert migrations_key(repository=repository) != before
