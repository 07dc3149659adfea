"""The CPU that one web push costs the sender, encryption included, against an nginx that says 201 over HTTP/2 and TLS.

Every sender runs in a process of its own (`_delivery_senders.py`, `_delivery_node.js`), warms up, and reads its own
getrusage around the messages; the sink's CPU is a figure apart.
"""

import base64
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import certifi
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from devices.delivery.transports.vapid import generate_vapid_key
from tests.benchmarks import _delivery_services
from tests.benchmarks._node import node_with
from tests.benchmarks.frame import ROOT, VAR, Figure, group, in_turn
from tests.devices.delivery.transports.nginx import NginxSink
from tests.devices.delivery.transports.tls import make_certificates

OURS = "smartpush"
NODE = "node web-push, 100 at a time"
NODE_PACKAGE = "web-push@3.6.7"
MESSAGES = {
    OURS: 20_000,
    NODE: 4_000,
    "pywebpush with a requests.Session": 1_000,
    "pywebpush.webpush()": 120,
}
PYTHON_SENDERS = {
    OURS: "ours",
    "pywebpush with a requests.Session": "pywebpush_session",
    "pywebpush.webpush()": "pywebpush_plain",
}
SUBSCRIPTIONS = 200
PAYLOAD = "x" * 200


@group
def delivery(scale: float) -> Iterator[Figure]:
    """Measure our sender and its peers."""
    VAR.mkdir(parents=True, exist_ok=True)
    node = node_with(NODE_PACKAGE, folder=VAR)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        certificates = make_certificates(folder)
        with NginxSink(folder, certificates=certificates, log=False) as sink:
            # The public authorities too: loading them is part of what a sender does.
            trusted = folder / "trusted.pem"
            trusted.write_text(Path(certifi.where()).read_text() + Path(certificates.ca_file).read_text())
            bench = _Bench(folder, str(trusted), sink, node, scale)
            subjects = {name: (lambda name=name: bench.cpu_us(name)) for name in bench.senders()}
            cpu = in_turn(subjects)
    ours = cpu.pop(OURS)
    reference = cpu.get(NODE)
    yield Figure(
        "delivery.web_cpu_us",
        ours,
        "us/message",
        "<= 1/8 of node web-push",
        None if reference is None else ours <= reference / 8,
        cpu,
    )
    yield Figure(
        "delivery.web_rate",
        1e6 / ours,
        "messages/s per core",
        peers={name: 1e6 / value for name, value in cpu.items()},
    )
    yield Figure("delivery.sink_cpu_us", bench.sink_cpu_us(), "us/message of ours")
    yield from _delivery_services.measured(scale)


class _Bench:
    def __init__(
        self, folder: Path, ca_file: str, sink: NginxSink, node: tuple[str, Path] | None, scale: float
    ) -> None:
        self._folder = folder
        self._ca_file = ca_file
        self._sink_stat = Path(f"/proc/{sink.process.pid}/stat")
        self._node = node
        self._scale = scale
        self._sink_costs: list[float] = []
        public, private = generate_vapid_key()
        self._job = {
            "ca_file": ca_file,
            "origin": sink.origin,
            "payload": PAYLOAD,
            "vapid": {"public": public, "private": private, "subject": "mailto:ops@example.com"},
            "subscriptions": [_subscription(f"{sink.origin}/m/{n}") for n in range(SUBSCRIPTIONS)],
        }

    def senders(self) -> list[str]:
        return [name for name in MESSAGES if name != NODE or self._node is not None]

    def cpu_us(self, name: str) -> float:
        count = max(20, round(MESSAGES[name] * self._scale))
        job = self._folder / "job.json"
        job.write_text(json.dumps(self._job | {"count": count, "warm_up": max(10, count // 10)}))
        environment = os.environ | {"REQUESTS_CA_BUNDLE": self._ca_file, "NODE_EXTRA_CA_CERTS": self._ca_file}
        if name in PYTHON_SENDERS:
            command = [sys.executable, "-m", "tests.benchmarks._delivery_senders", PYTHON_SENDERS[name]]
        else:
            assert self._node is not None
            binary, modules = self._node
            command = [binary, str(Path(__file__).with_name("_delivery_node.js"))]
            environment["NODE_PATH"] = str(modules)
        before = self._sink_seconds()
        run = subprocess.run(
            [*command, str(job)], cwd=ROOT, env=environment, check=True, capture_output=True, text=True, timeout=600
        )
        answer = json.loads(run.stdout)
        if answer["accepted"] != count:
            raise SystemExit(f"{name}: {answer['accepted']} of {count} messages were accepted")
        if name == OURS:
            sent = count + max(10, count // 10)
            self._sink_costs.append((self._sink_seconds() - before) / sent * 1e6)
        return float(answer["cpu_seconds"]) / count * 1e6

    def sink_cpu_us(self) -> float:
        return sorted(self._sink_costs)[len(self._sink_costs) // 2]

    def _sink_seconds(self) -> float:
        # User and system time, fields 14 and 15 of proc_pid_stat(5).
        fields = self._sink_stat.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _subscription(endpoint: str) -> dict[str, object]:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return {"endpoint": endpoint, "keys": {"p256dh": _text(point), "auth": _text(os.urandom(16))}}


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
