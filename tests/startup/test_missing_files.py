"""A web server whose pages would name missing files does not start, and says what to type."""

import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from smartpush.common.startup.refusal import EXIT_CODE
from tests.browser.harness.process import Child
from tests.browser.harness.waiting import wait_until
from tests.browser.product.running import free_ports
from tests.startup.starting import DEADLINE_SECONDS, GUNICORN, RIGHT, ROOT, run

SOURCES = ("smartpush", "devices", "segments", "assets", "campaigns", "templates")
BUNDLE = Path("var", "frontend", "static", "segments", "builder.js")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Our sources in a folder of their own, where nothing was bundled or collected."""
    for name in SOURCES:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("manage.py", "package.json"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def refusal(clone: Path) -> str:
    """Start a web server that must end; returns what it says."""
    ended = run(GUNICORN, RIGHT, cwd=clone)
    assert ended.code == EXIT_CODE, ended.err
    assert "The web server does not start. Files that its pages need are missing:" in ended.err
    assert "Traceback" not in ended.err
    return ended.err


def test_a_web_server_without_its_files_ends_and_says_what_to_type(clone: Path) -> None:
    said = refusal(clone)
    assert "Not built: segments/builder.js." in said
    assert f"Type: cd {clone} && {sys.executable} -m smartpush.machine.bootstrap frontend" in said
    assert "[smartpush.E013]" in said
    assert "[smartpush.E014]" in said
    (clone / BUNDLE).parent.mkdir(parents=True)
    shutil.copy(ROOT / BUNDLE, clone / BUNDLE)
    typed = re.search(r"Type: (.* collectstatic --noinput)$", said, re.M)
    assert typed, said
    subprocess.run(
        shlex.split(typed[1]), cwd="/", env=RIGHT, stdin=subprocess.DEVNULL, check=True, capture_output=True,
        timeout=DEADLINE_SECONDS,
    )  # fmt: skip

    (port,) = free_ports(1)
    web = Child(
        [sys.executable, *GUNICORN[:3], "--bind", f"127.0.0.1:{port}", "--no-control-socket"],
        name="web", env=RIGHT, cwd=clone,
    )  # fmt: skip
    try:
        request = urllib.request.Request(f"http://127.0.0.1:{port}/admin/login/", headers={"Host": "push.shop.example"})
        with wait_until(lambda: answer_of(request), what="the page", timeout=DEADLINE_SECONDS, detail=web.tail) as page:
            assert (page.status, b"<form" in page.read()) == (200, True)
    finally:
        web.end()

    # One file of hundreds, as after an update that nobody collected.
    next((clone / "var" / "static" / "admin" / "css").glob("base.*.css")).unlink()
    said = refusal(clone)
    assert re.search(r"are not collected into .*/var/static: admin/css/base\.css\. \[smartpush\.E014\]", said), said


def answer_of(request: urllib.request.Request):
    """The answer, or None while nobody listens."""
    try:
        return urllib.request.urlopen(request, timeout=60)
    except ConnectionError:
        return None
    except urllib.error.URLError as error:
        if isinstance(error.reason, ConnectionError):
            return None
        raise
