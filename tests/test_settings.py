"""Each rule of the settings, by the system check that lists it. What a wrong start says is in tests/startup."""

import pytest

from smartpush.common.checks import check_settings
from tests.startup.starting import RIGHT


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SMARTPUSH_ENCRYPTION_KEYS", ["x"], "smartpush.E001"),
        ("SMARTPUSH_ENCRYPTION_KEYS", [RIGHT["SMARTPUSH_ENCRYPTION_KEYS"], "x"], "smartpush.E001"),
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
        ("ALLOWED_HOSTS", ["https://push.shop.example"], "smartpush.E010"),
        ("ALLOWED_HOSTS", ["push.shop.example:443"], "smartpush.E010"),
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
