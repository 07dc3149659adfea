"""The network at its worst: no message is lost, none is said to have failed that may have arrived."""

import socket
import time

import pytest

from devices.delivery.transports.base import Outcome
from tests.devices.delivery.transports.h2_server import FaultServer
from tests.devices.delivery.transports.nginx import NginxSink

PATIENCE_SECONDS = 60.0


@pytest.fixture
def server(certificates):
    with FaultServer(certificates=certificates) as server:
        yield server


@pytest.mark.parametrize("reused", [False, True], ids=["fresh connection", "reused connection"])
@pytest.mark.parametrize(
    ("path", "outcome", "status", "reason"),
    [
        ("/close/1", Outcome.UNKNOWN, None, "connection_cut"),
        ("/abort/1", Outcome.UNKNOWN, None, "connection_cut"),
        ("/reset/2/internal-error", Outcome.UNKNOWN, None, "connection_cut"),
        ("/reset/8/cancel", Outcome.UNKNOWN, None, "connection_cut"),
        ("/reset/11/enhance-your-calm", Outcome.UNKNOWN, None, "connection_cut"),
        ("/silent/1", Outcome.UNKNOWN, None, "read_timeout"),
        ("/half/1", Outcome.ACCEPTED, 201, "accepted"),
        ("/endless/1", Outcome.ACCEPTED, 201, "accepted"),
        ("/long-headers/1", Outcome.ACCEPTED, 201, "accepted"),
        ("/redirect/303", Outcome.FAILED, 303, "redirect"),
        ("/redirect/307", Outcome.FAILED, 307, "redirect"),
        ("/refuse-once/1", Outcome.ACCEPTED, 201, "accepted"),
    ],
)
def test_a_request_is_seen_once_and_its_outcome_is_honest(
    server, make_sender, make_message, vapid, results, reused, path, outcome, status, reason
):
    sender = make_sender(server.origin, total_timeout=2.0 if path == "/silent/1" else PATIENCE_SECONDS)
    if reused:
        sender.send([make_message(f"{server.origin}/ok/first", 0)], vapid=vapid, on_result=lambda _: None)

    sender.send([make_message(server.origin + path)], vapid=vapid, on_result=results)

    assert (results.only.outcome, results.only.status, results.only.reason) == (outcome, status, reason)
    assert server.paths().count(path) == 1
    assert server.paths() == (["/ok/first"] if reused else []) + [path]


def test_a_stream_that_is_refused_for_good_comes_back_as_retry(server, make_sender, make_message, vapid, results):
    make_sender(server.origin).send([make_message(f"{server.origin}/reset/7")], vapid=vapid, on_result=results)

    assert (results.only.outcome, results.only.reason) == (Outcome.RETRY, "stream_refused")
    assert server.paths() == ["/reset/7"] * 5


def test_streams_above_the_last_one_of_a_goaway_are_sent_again_and_none_twice(
    certificates, make_sender, make_message, vapid, results
):
    with FaultServer(certificates=certificates, goaway_after=50) as server:
        make_sender(server.origin).send(
            [make_message(f"{server.origin}/ok/{number}", number) for number in range(200)],
            vapid=vapid,
            on_result=results,
        )
        paths = server.paths()
        connections = server.connections

    assert results.outcomes() == {Outcome.ACCEPTED}
    assert len(results.by_key) == 200
    assert len(paths) == len(set(paths)) == 200
    assert connections >= 4


@pytest.mark.parametrize("path", ["/endless/1", "/long-headers/1"])
def test_an_answer_that_is_too_long_is_dropped_instead_of_read(server, make_sender, make_message, vapid, results, path):
    sender = make_sender(server.origin, total_timeout=PATIENCE_SECONDS)
    started = time.monotonic()

    sender.send([make_message(server.origin + path)], vapid=vapid, on_result=results)

    assert results.only.outcome is Outcome.ACCEPTED
    assert time.monotonic() - started < PATIENCE_SECONDS


def test_answers_reach_the_outcome_table_with_headers_and_body(certificates, make_sender, make_message, vapid, results):
    answers = {
        429: ({"retry-after": "17"}, b""),
        503: ({"retry-after": "Wed, 21 Oct 2099 07:28:00 GMT"}, b""),
        400: ({}, b'{"reason":"VapidPkHashMismatch"}'),
    }
    with FaultServer(certificates=certificates, answers=answers) as server:
        make_sender(server.origin).send(
            [make_message(f"{server.origin}/status/{status}", status) for status in (429, 503, 400, 403)],
            vapid=vapid,
            on_result=results,
        )

    found = {key: (result.outcome, result.retry_after) for key, result in results.by_key.items()}
    assert found == {
        429: (Outcome.THROTTLED, 17.0),
        503: (Outcome.RETRY, 28 * 86_400.0),
        400: (Outcome.REKEY, None),
        403: (Outcome.AUTH, None),
    }


@pytest.fixture
def deaf_origin():
    """A port that is taken, so that nobody else can be given it, and where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"https://127.0.0.1:{taken.getsockname()[1]}"


def test_nobody_listening_is_a_retry(deaf_origin, make_sender, make_message, vapid, results):
    make_sender(deaf_origin).send([make_message(f"{deaf_origin}/x")], vapid=vapid, on_result=results)

    assert (results.only.outcome, results.only.reason) == (Outcome.RETRY, "connect")


def test_a_host_that_never_finishes_tls_is_a_retry(make_sender, make_message, vapid, results):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        origin = f"https://127.0.0.1:{mute.getsockname()[1]}"
        sender = make_sender(origin, connect_timeout=0.3, total_timeout=PATIENCE_SECONDS)
        sender.send([make_message(f"{origin}/x")], vapid=vapid, on_result=results)

    assert (results.only.outcome, results.only.reason) == (Outcome.RETRY, "connect_timeout")


def test_a_dead_origin_opens_its_circuit_and_the_rest_come_back_at_once(
    deaf_origin, make_sender, make_message, vapid, results
):
    messages = [make_message(f"{deaf_origin}/{number}", number) for number in range(2000)]

    make_sender(deaf_origin).send(messages, vapid=vapid, on_result=results)

    assert len(results.by_key) == 2000
    assert {(one.outcome, one.reason) for one in results.all} == {
        (Outcome.RETRY, "connect"),
        (Outcome.HELD, "circuit_open"),  # uses up no try
    }
    reasons = [result.reason for result in results.all]
    assert 10 <= reasons.count("connect") <= 300
    assert reasons.count("circuit_open") == 2000 - reasons.count("connect")


def test_fifty_messages_to_a_slow_origin_delay_no_other(
    tmp_path, certificates, server, make_sender, make_message, vapid
):
    finished: dict[int, float] = {}
    beats = 0

    def beat() -> None:
        nonlocal beats
        beats += 1

    with NginxSink(tmp_path, certificates=certificates) as sink:
        sender = make_sender(server.origin, sink.origin, total_timeout=4.0)
        slow = [make_message(f"{server.origin}/silent/{number}", number) for number in range(50)]
        quick = [make_message(f"{sink.origin}/m/{number}", 1000 + number) for number in range(200)]
        started = time.monotonic()
        sender.send(
            slow + quick,
            vapid=vapid,
            on_result=lambda result: finished.setdefault(result.key, time.monotonic() - started),
            on_progress=beat,
            in_flight=8,
        )

    assert len(finished) == 250
    assert max(finished[1000 + number] for number in range(200)) < min(finished[number] for number in range(50))
    # Told every half second of at least four; the rest is room for a machine that is busy with other tests.
    assert beats >= 4
