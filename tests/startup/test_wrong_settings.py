"""With wrong settings nothing starts: no web server, no command. All of them are named at once, and what to do."""

import re
import runpy
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands
from django.db import connection

from smartpush.common.startup.environment import Environment, Problem
from smartpush.common.startup.refusal import EXIT_CODE, REPAIRS, StartRefused
from tests.startup.starting import GUNICORN, NOTHING, RIGHT, ROOT, Ended, manage, run

OURS = ("smartpush.common", "smartpush.api", "smartpush.backoffice", "devices", "segments", "assets", "campaigns")
# Of Django and the libraries: one that serves, one that works, one that writes, one that reads.
THEIRS = ("runserver", "qcluster", "createsuperuser", "shell")

# Wrong values, and the setting and the id that each must be told by. Together they are one start.
SEVERAL_WRONG = {
    "SECRET_KEY": ("short", "E009"),
    "SMARTPUSH_ENCRYPTION_KEYS": ("short," + "A" * 43 + "=", "E001"),
    "SMARTPUSH_ID_KEY": ("short", "E002"),
    "SMARTPUSH_PUBLIC_URL": ("http://push.shop.example", "E006"),
    "SMARTPUSH_VAPID_SUBJECT": ("mailto:root@localhost", "E007"),
    "SMARTPUSH_DEV_ORIGINS": ("http://127.0.0.1:8820", "E004"),
    "SMARTPUSH_LOCAL_PUSH": ("true", "E005"),
    "DEBUG": ("true", "E008"),
    "SMARTPUSH_CHUNK_SIZE": ("0", "E003"),
    "SMARTPUSH_LIMIT_SDK_PER_BRAND": ("0", "E003"),
    "SMARTPUSH_LEASE_SECONDS": ("a minute", "E012"),
    "SMARTPUSH_PUSH_HOSTS": ("https://push.example", "E010"),
    "SMARTPUSH_ALLOWED_HOSTS": ("https://push.shop.example/", "E010"),
    "DATABASE_URL": ("sqlite:///db.sqlite3", "E012"),
    "REDIS_URL": ("localhost:6379", "E012"),
    "LOG_LEVEL": ("LOUD", "E012"),
}
REQUIRED = ("SECRET_KEY", "SMARTPUSH_ENCRYPTION_KEYS", "SMARTPUSH_ID_KEY", "SMARTPUSH_PUBLIC_URL")

EACH_WRONG = [
    ("SMARTPUSH_ENV", "prod", "E012"),
    *[(name, "", "E011") for name in REQUIRED],
    *[(name, value, number) for name, (value, number) in SEVERAL_WRONG.items()],
    ("SECRET_KEY", "django-insecure-" + "k3y" * 20, "E009"),
    ("SMARTPUSH_ENCRYPTION_KEYS", "A" * 43 + "=", "E001"),
    ("SMARTPUSH_ENCRYPTION_KEYS", RIGHT["SMARTPUSH_ENCRYPTION_KEYS"] + ",second", "E001"),
    ("SMARTPUSH_ENCRYPTION_KEYS", RIGHT["SMARTPUSH_ENCRYPTION_KEYS"][:-4], "E001"),
    ("SMARTPUSH_ENCRYPTION_KEYS", "é" * 44, "E001"),
    ("SMARTPUSH_ENCRYPTION_KEYS", ",", "E011"),
    ("SMARTPUSH_PUBLIC_URL", "push.shop.example", "E012"),
    ("SMARTPUSH_PUBLIC_URL", "https://push.shop.example/path", "E012"),
    ("SMARTPUSH_PUBLIC_URL", "https://push.shop.example:port", "E012"),
    ("SMARTPUSH_PUBLIC_URL", "https://user@push.shop.example", "E012"),
    ("SMARTPUSH_PUBLIC_URL", "https://[::1", "E012"),
    ("SMARTPUSH_VAPID_SUBJECT", "", "E007"),
    ("SMARTPUSH_VAPID_SUBJECT", "https://[::1", "E007"),
    ("SMARTPUSH_DEV_ORIGINS", "localhost", "E012"),
    ("SMARTPUSH_LOCAL_PUSH", "ture", "E012"),
    ("DEBUG", "perhaps", "E012"),
    ("DATABASE_URL", "postgres://nobody@db.example:port/smartpush", "E012"),
    ("DATABASE_URL", "postgres://nobody@db.example", "E012"),
    ("DATABASE_URL", "postgres://nobody:pass/word@db.example/", "E012"),
    ("REDIS_URL", "redis://:port", "E012"),
    ("REDIS_URL", "redis://", "E012"),
    ("SMARTPUSH_TRUSTED_PROXIES", "1.5", "E012"),
    ("SMARTPUSH_TRUSTED_PROXIES", "-1", "E003"),
    ("SMARTPUSH_LIMIT_SDK_PER_ADDRESS", "600/m", "E012"),
    ("SMARTPUSH_DEMO_SITE_URL", "127.0.0.1:8820", "E012"),
    ("LOG_JSON", "maybe", "E012"),
]


def problems_with(monkeypatch: pytest.MonkeyPatch, **env: str) -> list[Problem]:
    """What smartpush.settings finds wrong with an environment; loaded here, so that many take no time."""
    for name, value in (RIGHT | env).items():
        monkeypatch.setenv(name, value)
    try:
        runpy.run_path(str(ROOT / "smartpush" / "settings.py"))
    except StartRefused as refused:
        return list(refused.problems)
    return []


def told(ended: Ended, names_and_ids: dict[str, str]) -> None:
    """Each setting is named in one text on standard error, with its id, and Python shows none of its insides."""
    assert "Traceback" not in ended.err
    for name, number in names_and_ids.items():
        assert re.search(rf"^  {name}\b.* \[smartpush\.{number}\]$", ended.err, re.M), (name, ended.err)


def test_right_settings_start(monkeypatch):
    assert problems_with(monkeypatch) == []


@pytest.mark.parametrize(("name", "value", "number"), EACH_WRONG, ids=lambda value: ascii(value)[:50])
def test_each_wrong_value_stops_by_its_name_alone(monkeypatch, name, value, number):
    found = problems_with(monkeypatch, **{name: value})
    assert {(problem.name, problem.id) for problem in found} == {(name, f"smartpush.{number}")}
    assert all(name in problem.text for problem in found)


def test_each_wrong_value_is_among_many_all_the_same(monkeypatch):
    found = problems_with(monkeypatch, **{name: value for name, (value, _) in SEVERAL_WRONG.items()})
    assert {(problem.name, problem.id.removeprefix("smartpush.")) for problem in found} == {
        (name, number) for name, (_, number) in SEVERAL_WRONG.items()
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "hunter2"),
        ("SMARTPUSH_ENCRYPTION_KEYS", "hunter2"),
        ("SMARTPUSH_ID_KEY", "hunter2"),
        ("SMARTPUSH_PUBLIC_URL", "https://me:hunter2@push.example"),
        ("DATABASE_URL", "mysql://me:hunter2@db/x"),
        ("REDIS_URL", "http://:hunter2@redis/0"),
        ("SMARTPUSH_DEV_ORIGINS", "http://me:hunter2@localhost"),
    ],
)
def test_no_message_repeats_a_secret(monkeypatch, name, value):
    (problem,) = {problem.text for problem in problems_with(monkeypatch, **{name: value}) if problem.id != "E004"}
    assert "hunter2" not in problem


def test_gunicorn_does_not_start_with_wrong_settings():
    ended = run([*GUNICORN, "--workers", "4"], RIGHT | {name: value for name, (value, _) in SEVERAL_WRONG.items()})
    assert ended.code == EXIT_CODE, ended.err
    told(ended, {name: number for name, (_, number) in SEVERAL_WRONG.items()})
    assert "Shutting down: Master" in ended.err
    # Four workers fail; one of them says why, and none is started again.
    assert ended.err.count("smartpush does not start") == 1
    assert ended.err.count("Booting worker") == 4


@pytest.mark.parametrize("options", [[], ["--preload"]], ids=["workers", "preloaded"])
def test_gunicorn_does_not_start_where_the_environment_says_nothing(options):
    """Production is the default, so this is what a forgotten configuration looks like there."""
    ended = run([*GUNICORN, *options], NOTHING)
    assert ended.code == EXIT_CODE
    told(ended, dict.fromkeys(REQUIRED, "E011") | {"SMARTPUSH_VAPID_SUBJECT": "E007"})
    assert "SMARTPUSH_ENV is unset, which means production" in ended.err
    # What to type, and how to try it out instead.
    assert ended.err.count("secrets.token_urlsafe") == 2
    assert "os.urandom(32)" in ended.err
    assert "make demo" in ended.err


def commands() -> list[str]:
    """Every command of ours that production has, and a few of the others; those that help to repair are apart."""
    ours = [name for name, app in get_commands().items() if app in OURS]
    return sorted({*ours, *THEIRS} - set(REPAIRS))


@pytest.mark.parametrize("command", commands())
def test_no_command_runs_with_wrong_settings(command):
    arguments = ["bulk"] if command == "cluster" else []
    wrong = {"DEBUG": "true", "SMARTPUSH_PUBLIC_URL": "http://push.shop.example", "SMARTPUSH_LOCAL_PUSH": "true"}
    ended = manage(command, *arguments, env=RIGHT | wrong)
    assert ended.code == EXIT_CODE
    told(ended, {"DEBUG": "E008", "SMARTPUSH_PUBLIC_URL": "E006", "SMARTPUSH_LOCAL_PUSH": "E005"})
    assert ended.err.count("smartpush does not start") == 1
    assert ended.out == ""


def test_every_command_that_repairs_exists():
    assert set(REPAIRS) <= set(get_commands())


def test_check_lists_everything():
    ended = manage("check", env=RIGHT | {name: value for name, (value, _) in SEVERAL_WRONG.items()})
    assert ended.code == 1
    assert "Traceback" not in ended.err
    for name, (_, number) in SEVERAL_WRONG.items():
        assert re.search(rf"\(smartpush\.{number}\) {name}\b", ended.err), (name, ended.err)


@pytest.mark.django_db
def test_migrate_goes_on_and_says_so():
    """Only the database must be right for it; it is the one that these tests use, which is up to date."""
    env = {"DATABASE_URL": settings.DATABASE_URL, "SMARTPUSH_DATABASE_NAME": connection.settings_dict["NAME"]}
    ended = manage("migrate", "--check", env=NOTHING | env)
    told(ended, dict.fromkeys(REQUIRED, "E011"))
    assert "`migrate` goes on, but smartpush would not start" in ended.err
    assert ended.code == 0, ended.err


def test_migrate_stops_where_the_database_itself_is_wrong():
    """It must not take the embedded server for the database that was meant."""
    ended = manage("migrate", env=RIGHT | {"DATABASE_URL": "sqlite:///db.sqlite3"})
    assert ended.code == EXIT_CODE
    told(ended, {"DATABASE_URL": "E012"})


@pytest.mark.parametrize("arguments", [["help"], ["worker", "--help"]])
def test_help_needs_no_settings(arguments):
    ended = manage(*arguments, env=NOTHING)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out


def test_django_without_our_manage_py_does_not_get_past_the_settings():
    ended = run(["-m", "django", "audit"], NOTHING | {"DJANGO_SETTINGS_MODULE": "smartpush.settings"})
    assert ended.code != 0
    assert "SECRET_KEY is not set" in ended.err


def test_make_asks_before_anything_is_changed():
    wrong = run(["-m", "smartpush.common.startup"], RIGHT | {"DEBUG": "true"})
    assert wrong.code == EXIT_CODE
    told(wrong, {"DEBUG": "E008"})
    right = run(["-m", "smartpush.common.startup"], RIGHT)
    assert (right.code, right.out, right.err) == (0, "", "")


def test_development_may_send_to_this_machine(monkeypatch):
    here = {"SMARTPUSH_DEV_ORIGINS": "http://127.0.0.1:8820", "SMARTPUSH_LOCAL_PUSH": "true", "DEBUG": "true"}
    assert problems_with(monkeypatch, SMARTPUSH_ENV="development", SMARTPUSH_PUBLIC_URL="", **here) == []


def test_values_of_a_file_are_named_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / ".env"
    file.write_text("SMARTPUSH_TEST_ONLY_NUMBER=many\n")
    try:
        env = Environment.load(file)
        env.integer("SMARTPUSH_TEST_ONLY_NUMBER", 1)
        monkeypatch.setenv("SMARTPUSH_TEST_ONLY_OTHER", "many")
        env.integer("SMARTPUSH_TEST_ONLY_OTHER", 1)
    finally:
        monkeypatch.delenv("SMARTPUSH_TEST_ONLY_NUMBER", raising=False)
    assert [" (in .env)" in problem.text for problem in env.problems] == [True, False]
