"""A small stand-in for the SDK's HTTP API: the same paths, shapes and codes, with answers that a test decides."""

import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from devices.pushservice.subscribers import b64url_encode
from devices.sdk_files import RARE_FILES, SDK_FILES, WORKER_FILES, bundle
from tests.browser.harness.sites import DroppingServer

BRAND = "pk_test"
BASE = "/api/v1/sdk/"
SCRIPTS = {"/sdk/v1/smartpush.js": SDK_FILES, "/sdk/v1/sw.js": WORKER_FILES, "/sdk/v1/rare.js": RARE_FILES}


def _public_key() -> str:
    numbers = ec.generate_private_key(ec.SECP256R1()).public_key()
    return b64url_encode(numbers.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


KEY, OTHER_KEY, FOREIGN_KEY = _public_key(), _public_key(), _public_key()
POPUP = {
    "language": "en",
    "direction": "ltr",
    "title": "Never miss a bonus",
    "text": "We tell you when your free spins arrive. At most two messages a week.",
    "image": None,
    "subscribe_label": "Subscribe",
    "later_label": "Maybe later",
    "close_label": "Close",
    "colours": {"background": "#ffffff", "text": "#1b2030", "button": "#2457d6", "button_text": "#ffffff"},
    "primary": {"kind": "permission", "url": ""},
}
CATEGORIES = [
    {"marker": "NEWS", "name": "News", "description": "What is new, once a week", "selected": False},
    {"marker": "SPORTS", "name": "Sports", "description": "", "selected": True},
    {"marker": "OFFERS", "name": "Offers", "description": "", "selected": False},
]


@dataclass
class Call:
    """One POST: its path under the base, its JSON, its origin and key, and the status it got."""

    path: str
    body: dict[str, Any]
    origin: str
    brand: str
    at: float
    status: int = 0


@dataclass
class Fault:
    """The next answers on a path: an error, or silence (`status` 0)."""

    status: int
    code: str
    times: int = 1
    retry_after: str = ""


@dataclass
class FakeApi:
    """The server and what a test may read and set."""

    calls: list[Call] = field(default_factory=list)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    left_out: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    offers: list[dict[str, Any]] = field(default_factory=list)
    offers_on: tuple[str, ...] = ("session", "identify", "logout", "events", "popups/poll")
    leases: dict[str, str] = field(default_factory=dict)
    installations: dict[str, str] = field(default_factory=dict)
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    reports: list[dict[str, Any]] = field(default_factory=list)
    outcomes: dict[str, str] = field(default_factory=dict)
    markers: set[str] = field(default_factory=set)
    consents: list[dict[str, Any]] = field(default_factory=list)
    opted_out: bool = False
    vapid_key: str = KEY
    own_keys: set[str] = field(default_factory=lambda: {KEY, OTHER_KEY})
    dead_endpoints: set[str] = field(default_factory=set)
    poll_after: int = 30
    click_hosts: list[str] | None = None
    port: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self._server = _Server(("127.0.0.1", self.port), _Handler)
        self._server.api = self
        self.port = self._server.server_address[1]
        self.host = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.drop()

    def named(self, path: str) -> list[Call]:
        """The calls on one path that were answered with success."""
        return [call for call in list(self.calls) if call.path == path and call.status == 200]

    def fail(self, path: str, status: int, code: str, *, times: int = 1, retry_after: str = "") -> None:
        self.faults.setdefault(path, []).append(Fault(status, code, times, retry_after))

    def offer(self, **content: Any) -> str:
        """Add a popup offer, to be leased to whoever asks first."""
        name = "po_" + secrets.token_hex(6)
        template = "categories" if "categories" in content else "simple"
        with self.lock:
            self.offers.append({"id": name, "template": template, "content": {**POPUP, **content}})
        return name

    def answer(self, path: str, call: Call) -> tuple[int, dict[str, Any], str]:
        """Status, JSON and Retry-After for one call."""
        with self.lock:
            for fault in self.faults.get(path, []):
                if fault.times > 0:
                    fault.times -= 1
                    return fault.status, _error(fault.code), fault.retry_after
            if path == "reports":
                self.reports.extend(call.body["reports"])
                return 200, {"accepted": len(call.body["reports"])}, ""
            if call.brand != BRAND:
                return 401, _error("brand_unknown"), ""
            given = call.body.get("installation")
            if given and self.installations.get(given["id"]) != given["secret"]:
                return 401, _error("installation_unknown"), ""
            if not given and path != "session":
                return 401, _error("installation_unknown"), ""
            told = {"left_out": self.left_out.pop(path)} if path in self.left_out else {}
            if path in ("session", "identify", "logout"):
                return 200, self._session(path, call, given) | told, ""
            status, answer, retry_after = self._inside(path, call, given["id"])
            return status, answer | told, retry_after

    def _session(self, path: str, call: Call, given: dict[str, str] | None) -> dict[str, Any]:
        body = call.body
        made = None if given else {"id": "in_" + secrets.token_hex(6), "secret": secrets.token_hex(12)}
        if made:
            self.installations[made["id"]] = made["secret"]
        known = (given or made or {})["id"]
        external = body.get("external_id")
        if external:
            self.users[known] = {"id": "eu_" + external, "anonymous": False, "external_id": external}
        elif path == "logout" or known not in self.users:
            self.users[known] = {"id": "eu_" + secrets.token_hex(5), "anonymous": True, "external_id": None}
        answer = self._pushed(known, body["push"]) if "push" in body else {"resubscribe": False}
        if "consent" in body:
            self.consents.append(body["consent"])
        return {
            "installation": made or {"id": known},
            "end_user": self.users[known],
            "status": self.statuses.get(known, "ask"),
            "vapid_key": self.vapid_key,
            "resubscribe": answer["resubscribe"],
            "popup": self._lease(path, body["tab"]),
            "poll_after": self.poll_after,
            "identity": {"required": False, "proven_until": None},
            **({"click_hosts": self.click_hosts} if self.click_hosts else {}),
        }

    def _pushed(self, known: str, push: dict[str, Any]) -> dict[str, Any]:
        subscription = push["subscription"]
        resubscribe = push["permission"] == "granted" and (
            subscription is None
            or subscription["vapid_key"] != self.vapid_key
            or subscription["endpoint"] in self.dead_endpoints
        )
        foreign = subscription is not None and subscription["vapid_key"] not in self.own_keys
        self.statuses[known] = "not_supported" if foreign else push["status"]
        return {"status": self.statuses[known], "resubscribe": resubscribe, "vapid_key": self.vapid_key}

    def _inside(self, path: str, call: Call, known: str) -> tuple[int, dict[str, Any], str]:
        body = call.body
        tail = {"popup": self._lease(path, body.get("tab", "")), "poll_after": self.poll_after}
        if path in ("status", "worker/subscription"):
            return 200, {**self._pushed(known, body["push"]), **tail}, ""
        if path == "events":
            fresh = [event for event in body["events"] if event["id"] not in self.events]
            bad = [
                {"index": index, "code": "invalid_request", "message": "no such event"}
                for index, event in enumerate(body["events"])
                if event["name"] == "refused"
            ]
            self.events.update({event["id"]: event for event in fresh if event["name"] != "refused"})
            duplicates = len(body["events"]) - len(fresh)
            return 200, {"accepted": len(fresh) - len(bad), "duplicates": duplicates, "errors": bad, **tail}, ""
        if path == "markers":
            wanted = {marker.upper() for marker in body["markers"]}
            kept = {"add": self.markers | wanted, "remove": self.markers - wanted, "replace": wanted, "clear": set()}
            self.markers = kept[body["operation"]]
            return 200, {"markers": sorted(self.markers)}, ""
        if path == "popups/poll":
            return 200, tail, ""
        if path == "consents":
            self.consents.append({name: body[name] for name in ("answer", "at", "language")})
            return 200, {"ok": True}, ""
        if path.startswith("preferences"):
            return 200, self._preferences(path, body, known), ""
        if self.leases.get(body["offer"]) != body["tab"]:
            return 409, _error("offer_not_yours"), ""
        if path == "popups/shown":
            return 200, {"ok": True}, ""
        self.outcomes[body["offer"]] = body["outcome"]
        content = next(one["content"] for one in self.offers if one["id"] == body["offer"])
        if "categories" in body:
            self.markers -= {one["marker"] for one in content["categories"]}
            self.markers |= set(body["categories"])
        pushed = self._pushed(known, body["push"]) if "push" in body else {"resubscribe": False}
        status = self.statuses.get(known, "ask")
        return 200, {"status": status, "vapid_key": self.vapid_key, **pushed, **tail}, ""

    def _preferences(self, path: str, body: dict[str, Any], known: str) -> dict[str, Any]:
        if path == "preferences/link":
            return {"url": f"{self.host}/p/token-1", "expires_at": "2099-01-01T00:00:00Z"}
        self.opted_out = body.get("opted_out", self.opted_out)
        status = self.statuses.get(known, "ask")
        return {"opted_out": self.opted_out, "language": "en", "status": status, "categories": []}

    def _lease(self, path: str, tab: str) -> dict[str, Any] | None:
        open_offers = [one for one in self.offers if one["id"] not in self.outcomes]
        if path not in self.offers_on or not tab or not open_offers or open_offers[0]["id"] in self.leases:
            return None
        offer = open_offers[0]
        self.leases[offer["id"]] = tab
        return {**offer, "lease_seconds": 30, "expires_at": "2099-01-01T00:00:00Z"}


def _error(code: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": f"The test says {code}.", "fields": {}}}


class _Server(DroppingServer):
    api: FakeApi


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 30

    def _send(self, status: int, body: bytes, kind: str, extra: dict[str, str] | None = None) -> None:
        self.send_response(status)
        headers = {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Access-Control-Allow-Origin": self.headers.get("Origin") or "*",
            "Access-Control-Allow-Headers": "content-type,x-smartpush-key",
            "Access-Control-Expose-Headers": "Retry-After",
            **(extra or {}),
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_OPTIONS(self) -> None:
        self._send(204, b"", "text/plain")

    def do_GET(self) -> None:
        if self.path.startswith("/p/"):
            self._send(200, b"<!doctype html><title>Your preferences</title>", "text/html; charset=utf-8")
            return
        names = SCRIPTS.get(urlsplit(self.path).path)
        if not names:
            self._send(404, b"", "text/plain")
            return
        self._send(200, bundle(names).encode(), "text/javascript; charset=utf-8")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.removeprefix(BASE)
        key = self.headers.get("X-Smartpush-Key") or ""
        call = Call(path, json.loads(body), self.headers.get("Origin") or "", key, time.monotonic())
        self.server.api.calls.append(call)
        status, answer, retry_after = self.server.api.answer(path, call)
        call.status = status
        if status == 0:
            self.close_connection = True
            return
        extra = {"Retry-After": retry_after} if retry_after else {}
        self._send(status, json.dumps(answer).encode(), "application/json", extra)

    def log_message(self, format: str, *args: object) -> None:
        """Calls are kept in `FakeApi.calls`, so nothing is printed."""
