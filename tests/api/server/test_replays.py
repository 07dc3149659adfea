"""Every call of the server API replayed has one effect."""

import hashlib

import pytest
from django.db import connection
from django.urls import get_resolver

from smartpush.common.ids import public_id
from tests.api.server.client import event
from tests.api.server.conftest import campaign_on, push_of
from tests.campaigns.world import delay

# What a look-up or a refusal may write: when a key was last used, and how often it called.
_PASSING = {"devices_apikey", "django_session"}
# Method and address of every call that there is, to be compared with the addresses below.
WRITES = {
    "users/bulk": "POST",
    "users/ann": "PATCH",
    "users/bob": "DELETE",
    "users/ann/markers": "POST",
    "users/ann/opt-out": "POST",
    "users/ann/never-contact": "POST",
    "users/cat/rename": "POST",
    "users/dan/merge": "POST",
    "events/bulk": "POST",
    "campaigns/CAMPAIGN/trigger": "POST",
    "push": "POST",
    "push/MESSAGE": "DELETE",
    "push/MESSAGE/cancel": "POST",
}


def state() -> dict[str, str]:
    """What every table holds, as a hash each."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE tablename ~ '^(devices|campaigns|segments|assets)_'")
        tables = sorted(row[0] for row in cursor.fetchall())
        found = {}
        for table in tables:
            cursor.execute(f"SELECT coalesce(string_agg(t::text, '|' ORDER BY t::text), '') FROM {table} t")
            found[table] = hashlib.sha256(cursor.fetchone()[0].encode()).hexdigest()
    return {table: digest for table, digest in found.items() if table not in _PASSING}


@pytest.fixture
def bodies(server, subscriber, brand):
    server.users(*({"external_id": name} for name in ("bob", "cat", "dan")))
    campaign = campaign_on(brand, delay("a1", 60), entry_mode="every_time", trigger_event="deposit")
    push = push_of(brand)
    order = {"external_id": "ann", "push": push, "send_at": None, "data": {}}
    later = server.call("POST", "push", order | {"ttl": 60}, expect=202, Idempotency_Key="first")
    return {
        "CAMPAIGN": public_id("campaign", campaign.pk),
        "MESSAGE": later["id"],
        "users/bulk": {"users": [{"external_id": "eve", "properties": {"a": 1}, "platform_opt_out": True}]},
        "users/ann": {"language": "el", "properties": {"b": None, "c": 1}, "markers": {"add": ["A"]}},
        "users/ann/markers": {"operation": "add", "markers": ["B"]},
        "users/ann/opt-out": {"opted_out": True},
        "users/ann/never-contact": {"never_contact": True},
        "users/cat/rename": {"external_id": "kate"},
        "users/dan/merge": {"into": "ann"},
        "events/bulk": {"events": [event("ann"), event("new")]},
        "campaigns/CAMPAIGN/trigger": {"users": [{"external_id": "ann"}]},
        "push": order,
    }


@pytest.mark.parametrize("key", ["", "the-same-key"], ids=["without a key", "with a key"])
@pytest.mark.parametrize("path", WRITES)
def test_a_call_made_three_times_does_what_it_does_once(server, bodies, path, key):
    address = path.replace("CAMPAIGN", bodies["CAMPAIGN"]).replace("MESSAGE", bodies["MESSAGE"])
    before = state()

    def call():
        return server.send(WRITES[path], address, bodies.get(path), Idempotency_Key=key)

    first = call()
    if not key and path in {"push", "campaigns/CAMPAIGN/trigger"}:
        assert (first.status_code, first.json()["error"]["code"]) == (400, "idempotency_key_missing")
        assert state() == before
        return
    after = state()
    assert first.status_code < 300, first.content
    assert after != before
    answers = [call(), call()]
    assert state() == after
    if key and path not in {"users/bulk", "events/bulk"}:
        assert [(answer.status_code, answer.content) for answer in answers] == [(first.status_code, first.content)] * 2


def test_no_call_that_writes_is_left_out():
    (surface,) = [one for one in get_resolver().url_patterns if str(one.pattern) == "api/v1/server/"]
    methods = 0
    for pattern in surface.url_patterns:
        view = pattern.callback.view_class
        methods += sum(hasattr(view, name) for name in ("post", "patch", "put", "delete"))
    assert methods == len(WRITES)
