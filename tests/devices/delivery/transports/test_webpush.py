import os
import resource
import time
from pathlib import Path

import pytest

from devices.delivery.transports.base import Outcome
from devices.delivery.transports.vapid import VapidKeyPair
from tests.devices.delivery.transports.h2_server import FaultServer
from tests.devices.delivery.transports.nginx import NginxSink


@pytest.fixture
def sink(tmp_path, certificates):
    with NginxSink(tmp_path, certificates=certificates) as sink:
        yield sink


def test_twenty_thousand_messages_go_once_each_without_memory_or_descriptors_growing(
    sink, make_sender, make_message, vapid
):
    sender = make_sender(sink.origin)
    seen: list[int] = []

    def send(numbers: range) -> None:
        sender.send(
            (make_message(f"{sink.origin}/m/{number}", number) for number in numbers),
            vapid=vapid,
            on_result=lambda result: seen.append(result.key) if result.outcome is Outcome.ACCEPTED else None,
        )

    send(range(4000))
    files, memory = _open_files(), _memory()
    send(range(4000, 20_000))
    more_files, more_memory = _open_files() - files, _memory() - memory

    assert sorted(seen) == list(range(20_000))
    paths = sink.paths(count=20_000)
    assert len(paths) == 20_000
    assert len(set(paths)) == 20_000
    assert more_files <= 4
    assert more_memory < 8 * 1024 * 1024


def test_connections_that_end_after_each_hundred_requests_lose_and_repeat_nothing(
    tmp_path, certificates, make_sender, make_message, vapid, results
):
    with NginxSink(tmp_path, certificates=certificates, keepalive_requests=100) as sink:
        make_sender(sink.origin).send(
            [make_message(f"{sink.origin}/m/{number}", number) for number in range(3000)],
            vapid=vapid,
            on_result=results,
        )
        paths = sink.paths(count=3000)

    assert results.outcomes() == {Outcome.ACCEPTED}
    assert len(results.by_key) == 3000
    assert len(paths) == len(set(paths)) == 3000


def test_a_result_carries_status_reason_and_location(sink, make_sender, make_message, vapid, results):
    make_sender(sink.origin).send(
        [make_message(f"{sink.origin}/m/1", 7), make_message(f"{sink.origin}/gone/1", 8)],
        vapid=vapid,
        on_result=results,
    )

    accepted, gone = results.by_key[7], results.by_key[8]
    assert (accepted.outcome, accepted.status, accepted.reason) == (Outcome.ACCEPTED, 201, "accepted")
    assert accepted.location is not None
    assert accepted.location.endswith("/message/1")
    assert (gone.outcome, gone.status, gone.reason) == (Outcome.GONE, 410, "token_gone")


def test_the_request_is_what_rfc_8030_asks_for_and_only_its_browser_reads_it(
    certificates, make_sender, make_message, vapid, browser, results
):
    with FaultServer(certificates=certificates) as server:
        message = make_message(f"{server.origin}/ok/1", payload=b"secret", ttl=60, urgency="high", topic="abc_DEF-123")
        make_sender(server.origin).send([message], vapid=vapid, on_result=results)
        (request,) = server.requests

    assert results.only.outcome is Outcome.ACCEPTED
    assert browser.decrypt(bytes(request.body)) == b"secret"
    headers = request.headers
    assert headers[":method"] == "POST"
    assert headers["ttl"] == "60"
    assert headers["urgency"] == "high"
    assert headers["topic"] == "abc_DEF-123"
    assert headers["content-encoding"] == "aes128gcm"
    assert headers["content-length"] == str(len(request.body))
    assert headers["authorization"].startswith("vapid t=")
    assert not {"expect", "accept", "accept-encoding", "cookie", "transfer-encoding"} & set(headers)


def test_a_mapped_host_is_reached_elsewhere_under_its_own_name(sink, make_sender, make_message, vapid, results):
    sender = make_sender(resolve={"fcm.googleapis.com": f"127.0.0.1:{sink.port}"})

    sender.send([make_message("https://fcm.googleapis.com/fcm/send/x")], vapid=vapid, on_result=results)

    assert results.only.outcome is Outcome.ACCEPTED
    assert sink.paths(count=1) == ["/fcm/send/x"]


def test_an_unknown_certificate_authority_is_not_trusted(sink, make_sender, make_message, vapid, results):
    sender = make_sender(sink.origin, ca_file=None)

    sender.send([make_message(f"{sink.origin}/m/1")], vapid=vapid, on_result=results)

    assert (results.only.outcome, results.only.reason) == (Outcome.RETRY, "tls_untrusted")
    assert sink.paths(count=0) == []


def test_a_host_that_resolves_to_a_private_address_is_not_contacted(sink, make_sender, make_message, vapid, results):
    sender = make_sender(extra_hosts={"localhost"})

    sender.send([make_message("https://localhost/m/1")], vapid=vapid, on_result=results)

    assert (results.only.outcome, results.only.reason) == (Outcome.RETRY, "private_address")


def test_proxies_of_the_environment_are_ignored(sink, make_sender, make_message, vapid, results, monkeypatch):
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    make_sender(sink.origin).send([make_message(f"{sink.origin}/m/1")], vapid=vapid, on_result=results)

    assert results.only.outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"endpoint": "https://evil.example/x"}, "endpoint_host"),
        ({"payload": b"x" * 3994}, "payload_too_large"),
        ({"p256dh": b"\x04" + b"\x01" * 64}, "p256dh_not_on_curve"),
        ({"auth": b"short"}, "auth_length"),
        ({"vapid_key_id": 99}, "vapid_key_unknown"),
        ({"vapid_key_id": 2}, "vapid_subject"),
        ({"urgency": "high\r\nX-Evil: 1"}, "urgency"),
        ({"topic": "a" * 33}, "topic"),
        ({"topic": "a\r\nX-Evil: 1"}, "topic"),
        ({"ttl": -1}, "ttl"),
    ],
)
def test_what_must_not_be_sent_is_refused_again_at_send(
    sink, make_sender, make_message, vapid, results, fields, reason
):
    keys = vapid | {2: VapidKeyPair(vapid[1].public, vapid[1].private, "mailto:root@localhost")}
    bad = make_message(**({"endpoint": f"{sink.origin}/bad", "key": 1} | fields))
    good = make_message(f"{sink.origin}/good", 2)

    make_sender(sink.origin).send([bad, good], vapid=keys, on_result=results)

    refused = results.by_key[1]
    assert (refused.outcome, refused.status, refused.reason) == (Outcome.REFUSED, None, reason)
    assert results.by_key[2].outcome is Outcome.ACCEPTED
    assert sink.paths(count=1) == ["/good"]


def test_a_callback_that_raises_ends_the_call_and_the_sender_goes_on(sink, make_sender, make_message, vapid, results):
    sender = make_sender(sink.origin)

    def lost_lease(result: object) -> None:
        raise RuntimeError("lease lost")

    with pytest.raises(RuntimeError, match="lease lost"):
        sender.send(
            [make_message(f"{sink.origin}/a/{number}", number) for number in range(500)],
            vapid=vapid,
            on_result=lost_lease,
        )
    sender.send([make_message(f"{sink.origin}/b")], vapid=vapid, on_result=results)

    assert results.only.outcome is Outcome.ACCEPTED


def test_a_sender_does_not_cross_a_fork(sink, make_sender, make_message, vapid):
    sender = make_sender(sink.origin)
    child = os.fork()
    if child == 0:
        try:
            sender.send([make_message(f"{sink.origin}/m/1")], vapid=vapid, on_result=print)
        except RuntimeError:
            os._exit(42)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42


def test_the_source_is_read_as_it_is_sent_and_progress_is_told_meanwhile(sink, make_sender, make_message, vapid):
    read_ahead, told, done = 0, 0, 0

    def source():
        nonlocal read_ahead
        for number in range(3000):
            read_ahead = max(read_ahead, number - done)
            if number % 100 == 0:
                time.sleep(0.04)
            yield make_message(f"{sink.origin}/m/{number}", number)

    def count(result: object) -> None:
        nonlocal done
        done += 1

    def tell() -> None:
        nonlocal told
        told += 1

    make_sender(sink.origin).send(source(), vapid=vapid, on_result=count, on_progress=tell, in_flight=64)

    assert done == 3000
    assert read_ahead < 3000
    # Every half second of at least 1.2: so long the source takes alone.
    assert told >= 1


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _memory() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()
