"""`manage.py pushservice` serves in development and refuses elsewhere."""

import io
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from django.core.management import CommandError, call_command

from devices.management.commands import pushservice
from devices.pushservice.server import LocalPushService
from tests.devices.pushservice.conftest import PATIENCE_SECONDS

ROOT = Path(__file__).parents[3]


def test_production_settings_refuse_it_and_say_why(settings):
    settings.SMARTPUSH_LOCAL_PUSH = False
    with pytest.raises(CommandError, match="SMARTPUSH_LOCAL_PUSH"):
        call_command("pushservice", port=0)


@pytest.mark.parametrize("arguments", [[], ["--host", "0.0.0.0"]])
def test_it_never_runs_in_production_whatever_else_is_set(settings, arguments):
    settings.DEVELOPMENT = False
    settings.SMARTPUSH_LOCAL_PUSH = True
    with pytest.raises(CommandError, match="does not run in production"):
        call_command("pushservice", *arguments, port=0)


def test_an_empty_host_is_not_taken_for_every_address(settings):
    settings.SMARTPUSH_LOCAL_PUSH = True
    with pytest.raises(CommandError, match="name an address"):
        call_command("pushservice", "--host", "", port=0)


@pytest.mark.parametrize(
    ("host", "told"),
    [("127.0.0.1", False), ("::1", False), ("localhost", False), ("0.0.0.0", True), ("::", True), ("a.example", True)],
)
def test_who_opens_it_to_other_machines_is_told(settings, monkeypatch, host, told):
    settings.SMARTPUSH_LOCAL_PUSH = True
    heard = []
    monkeypatch.setattr(pushservice, "run", lambda **options: heard.append(options["host"]))
    said = io.StringIO()
    call_command("pushservice", "--host", host, port=0, stderr=said)
    assert heard == [host]
    assert ("whoever reaches it" in said.getvalue()) is told


def test_a_taken_port_is_a_command_error():
    with LocalPushService() as service:
        port = service.url.rpartition(":")[2]
        ended = subprocess.run(
            [sys.executable, "manage.py", "pushservice", "--port", port],
            cwd=ROOT,
            env={**os.environ, "SMARTPUSH_LOCAL_PUSH": "true"},
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    assert ended.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in ended.stderr


def test_the_process_says_where_it_listens_and_ends_at_once_when_told():
    process = subprocess.Popen(
        [sys.executable, "manage.py", "pushservice", "--port", "0"],
        cwd=ROOT,
        env={**os.environ, "SMARTPUSH_LOCAL_PUSH": "true"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        found = re.fullmatch(r"push service listening on (http://127\.0\.0\.1:\d+)\n", line)
        assert found, line
        assert requests.get(f"{found[1]}/control/state", timeout=PATIENCE_SECONDS).json()["last_seq"] == 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE_SECONDS) == 0
    finally:
        process.kill()
        process.wait()


def test_the_service_starts_without_django():
    code = (
        "import sys, devices.pushservice.server;"
        "sys.exit(any(name.split('.')[0] in ('django', 'rest_framework') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
