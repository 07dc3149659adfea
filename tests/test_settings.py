"""Wrong configuration stops the start, and the message says which value and why."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from smartpush.common.checks import check_settings

ROOT = Path(__file__).resolve().parent.parent
# An empty value counts as unset, and keeps a developer's .env out of it.
PRODUCTION = {
    "SMARTPUSH_ENV": "production",
    "SECRET_KEY": "s" * 50,
    "SMARTPUSH_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    "SMARTPUSH_ID_KEY": "i" * 32,
    "SMARTPUSH_PUBLIC_URL": "https://push.shop.example",
    "SMARTPUSH_VAPID_SUBJECT": "mailto:push@shop.example",
    "SMARTPUSH_DEV_ORIGINS": "",
    "SMARTPUSH_LOCAL_PUSH": "",
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
    "DEBUG": "",
    "REDIS_URL": "",
    "LOG_LEVEL": "INFO",
}


def manage_check(**env: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]} | PRODUCTION | env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stderr + done.stdout


def test_a_right_production_configuration_starts():
    code, said = manage_check()
    assert code == 0, said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SMARTPUSH_ENV", "prod"),
        ("SECRET_KEY", ""),
        ("SMARTPUSH_ENCRYPTION_KEYS", ""),
        ("SMARTPUSH_ID_KEY", ""),
        ("SMARTPUSH_PUBLIC_URL", ""),
        ("SMARTPUSH_PUBLIC_URL", "push.shop.example"),
        ("SMARTPUSH_PUBLIC_URL", "https://push.shop.example/path"),
        ("SMARTPUSH_PUBLIC_URL", "https://push.shop.example:port"),
        ("SMARTPUSH_PUBLIC_URL", "https://user@push.shop.example"),
        ("SMARTPUSH_DEV_ORIGINS", "localhost"),
        ("DATABASE_URL", "sqlite:///db.sqlite3"),
        ("REDIS_URL", "localhost:6379"),
        ("SMARTPUSH_CHUNK_SIZE", "many"),
        ("SMARTPUSH_TRUSTED_PROXIES", "1.5"),
        ("SMARTPUSH_LIMIT_SDK_PER_ADDRESS", "600/m"),
        ("DEBUG", "perhaps"),
        ("SMARTPUSH_LOCAL_PUSH", "ture"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_a_value_that_cannot_be_meant_stops_the_start_by_its_name(name, value):
    code, said = manage_check(**{name: value})
    assert code != 0
    last = said.strip().splitlines()[-1]
    assert name in last, said
    assert "ImproperlyConfigured" in last


def test_everything_wrong_in_production_is_said_at_once():
    code, said = manage_check(
        SMARTPUSH_ENCRYPTION_KEYS="short",
        SMARTPUSH_ID_KEY="short",
        SMARTPUSH_CHUNK_SIZE="0",
        SMARTPUSH_DEV_ORIGINS="http://127.0.0.1:8820",
        SMARTPUSH_LOCAL_PUSH="true",
        SMARTPUSH_PUBLIC_URL="http://push.shop.example",
        SMARTPUSH_VAPID_SUBJECT="",
        DEBUG="true",
    )
    assert code != 0
    for number in range(1, 9):
        assert f"smartpush.E00{number}" in said


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SMARTPUSH_ENCRYPTION_KEYS", [], "smartpush.E001"),
        ("SMARTPUSH_ENCRYPTION_KEYS", [PRODUCTION["SMARTPUSH_ENCRYPTION_KEYS"], "x"], "smartpush.E001"),
        ("SMARTPUSH_ID_KEY", "x" * 31, "smartpush.E002"),
        ("SMARTPUSH_ACCEPTED_ID_KEYS", ("x" * 31,), "smartpush.E002"),
        ("SMARTPUSH_URGENT_WORKERS", 0, "smartpush.E003"),
        ("SMARTPUSH_BULK_WORKERS", 0, "smartpush.E003"),
        ("SMARTPUSH_CHUNK_SIZE", -1, "smartpush.E003"),
        ("SMARTPUSH_SEND_IN_FLIGHT", 0, "smartpush.E003"),
        ("SMARTPUSH_LEASE_SECONDS", 0, "smartpush.E003"),
        ("SMARTPUSH_TRUSTED_PROXIES", -1, "smartpush.E003"),
        ("SMARTPUSH_DEV_ORIGINS", frozenset({"http://127.0.0.1:1"}), "smartpush.E004"),
        ("SMARTPUSH_LOCAL_PUSH", True, "smartpush.E005"),
        ("SMARTPUSH_PUBLIC_URL", "http://push.shop.example", "smartpush.E006"),
        ("SMARTPUSH_VAPID_SUBJECT", "", "smartpush.E007"),
        ("SMARTPUSH_VAPID_SUBJECT", "push@shop.example", "smartpush.E007"),
        ("SMARTPUSH_VAPID_SUBJECT", "mailto:root@localhost", "smartpush.E007"),
        ("SMARTPUSH_VAPID_SUBJECT", "https://localhost", "smartpush.E007"),
        ("SMARTPUSH_VAPID_SUBJECT", "mailto:x@y", "smartpush.E007"),
        ("DEBUG", True, "smartpush.E008"),
        ("SECRET_KEY", "x" * 49, "smartpush.E009"),
        ("SMARTPUSH_PUSH_HOSTS", ("https://push.example",), "smartpush.E010"),
        ("SMARTPUSH_PUSH_HOSTS", ("*",), "smartpush.E010"),
    ],
)
def test_each_check_names_its_setting(settings, name, value, expected):
    for key, right in {
        "ENVIRONMENT": "production",
        "SMARTPUSH_PUBLIC_URL": "https://push.shop.example",
        "SMARTPUSH_VAPID_SUBJECT": "mailto:push@shop.example",
        "SMARTPUSH_DEV_ORIGINS": frozenset(),
        "SMARTPUSH_LOCAL_PUSH": False,
        "DEBUG": False,
    }.items():
        setattr(settings, key, right)
    assert check_settings() == []
    setattr(settings, name, value)
    (found,) = check_settings()
    assert found.id == expected
    assert name in found.msg


def test_the_key_that_makes_ids_is_not_one_that_is_accepted_beside_it(settings):
    settings.SMARTPUSH_ACCEPTED_ID_KEYS = (settings.SMARTPUSH_ID_KEY,)
    assert [found.id for found in check_settings()] == ["smartpush.E002"]


def test_a_limit_below_one_is_named_as_the_environment_knows_it(settings):
    settings.SMARTPUSH_LIMITS = settings.SMARTPUSH_LIMITS | {"sdk_per_brand": 0}
    assert "SMARTPUSH_LIMIT_SDK_PER_BRAND" in check_settings()[0].msg


def test_development_may_send_to_this_machine(settings):
    settings.ENVIRONMENT = "development"
    settings.SMARTPUSH_DEV_ORIGINS = frozenset({"http://127.0.0.1:8820"})
    settings.SMARTPUSH_LOCAL_PUSH = True
    assert check_settings() == []
