"""Anything at all sent to the server API is answered below 500, in one of the two shapes."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.page import error_of
from tests.api.server.client import event
from tests.support.fuzzing import ANYTHING, MOMENTS, broken, places

_PERSON = {
    "language": "en", "time_zone": "UTC", "country": "GR", "target_devices": "all", "platform_opt_out": False,
    "properties": {"a": 1, "b": "x", "c": None}, "markers": {"add": ["A"], "remove": ["B"], "replace": []},
}  # fmt: skip
BODIES = {
    "POST users/bulk": {"users": [{"external_id": "ann"} | _PERSON, {"external_id": "bob"}]},
    "PATCH users/ann": _PERSON,
    "POST users/ann/markers": {"operation": "add", "markers": ["A", "B"]},
    "POST users/ann/opt-out": {"opted_out": True},
    "POST users/ann/rename": {"external_id": "ann"},
    "POST users/ann/merge": {"into": "bob"},
    "POST events/bulk": {
        "events": [
            event("ann", occurred_at="2026-11-23T12:00:00Z", properties={"a": 1}, historical=True),
            event("bob"),
        ],
        "historical": False,
        "unknown_users": "create",
    },
    "POST push": {"external_id": "ann", "push": "x", "data": {"a": 1}, "ttl": 60, "send_at": "2026-11-23T12:00:00Z"},
}


@pytest.mark.parametrize("call", BODIES)
def test_a_good_body_broken_anywhere_is_never_a_server_error(server, settings_for_fuzz, shipped, call):
    server.users({"external_id": "ann"}, {"external_id": "bob"})
    method, path = call.split()
    body = BODIES[call] | ({"push": shipped} if path == "push" else {})
    spots = list(places(body))

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(data=st.data())
    def run(data):
        sent = body
        for _ in range(data.draw(st.integers(1, 3))):
            spot = data.draw(st.sampled_from(spots))
            value = data.draw(ANYTHING | st.sampled_from(MOMENTS) | st.just(places))
            try:
                sent = broken(sent, spot, None if value is places and len(spot) != 1 else value)
            except (KeyError, IndexError, TypeError):
                continue  # an earlier break took the place away
        key = str(data.draw(st.integers(0, 10**9)))
        response = server.send(method, path, json.dumps(sent).encode(), Idempotency_Key=key)
        assert response.status_code < 500, response.content
        if response.status_code >= 400:
            error_of(response)

    run()
