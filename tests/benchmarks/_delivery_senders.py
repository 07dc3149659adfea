"""One sender in a process of its own: sends what the job says and prints what it cost."""

import json
import resource
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import requests
from pywebpush import webpush

from devices.delivery.transports.base import Outcome, SendResult, WebMessage
from devices.delivery.transports.endpoints import check_keys
from devices.delivery.transports.vapid import VapidKeyPair
from tests.devices.delivery.transports.senders import WebPushSender

Job = dict[str, Any]
TTL = 3600


def main() -> None:
    """Warm up, then measure."""
    name, job_file = sys.argv[1:]
    job = json.loads(Path(job_file).read_text())
    send = {"ours": _ours, "pywebpush_plain": _plain, "pywebpush_session": _session}[name](job)
    send(job["warm_up"])
    before = _cpu()
    accepted = send(job["count"])
    print(json.dumps({"cpu_seconds": _cpu() - before, "accepted": accepted}))


def _ours(job: Job) -> Callable[[int], int]:
    sender = WebPushSender(dev_origins={job["origin"]}, ca_file=job["ca_file"])
    vapid = {1: VapidKeyPair(**job["vapid"])}
    payload = job["payload"].encode()
    keys = [(one["endpoint"], *check_keys(one["keys"]["p256dh"], one["keys"]["auth"])) for one in job["subscriptions"]]

    def messages(count: int) -> Iterator[WebMessage]:
        for number in range(count):
            endpoint, p256dh, auth = keys[number % len(keys)]
            yield WebMessage(number, endpoint, p256dh, auth, 1, payload, TTL, "normal", "topic")

    def send(count: int) -> int:
        accepted = 0

        def on_result(result: SendResult) -> None:
            nonlocal accepted
            accepted += result.outcome is Outcome.ACCEPTED

        sender.send(messages(count), vapid=vapid, on_result=on_result)
        return accepted

    return send


def _plain(job: Job) -> Callable[[int], int]:
    return lambda count: _webpush(job, count, {})


def _session(job: Job) -> Callable[[int], int]:
    session = requests.Session()
    return lambda count: _webpush(job, count, {"requests_session": session})


def _webpush(job: Job, count: int, options: dict[str, Any]) -> int:
    subscriptions = job["subscriptions"]
    accepted = 0
    for number in range(count):
        answer = webpush(
            subscriptions[number % len(subscriptions)],
            job["payload"],
            vapid_private_key=job["vapid"]["private"],
            vapid_claims={"sub": job["vapid"]["subject"]},
            ttl=TTL,
            **options,
        )
        accepted += answer.status_code == 201
    return accepted


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
