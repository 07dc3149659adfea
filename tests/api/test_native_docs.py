"""docs/native/api.md: each body on the page is sent as it stands, in the page's order, and taken."""

import json
import re
from pathlib import Path

import pytest

from tests.api.page import post
from tests.support.native import native_app

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "native" / "api.md").read_text()
CALLS = re.findall(r"^POST `([a-z/]+)`\n\n```json\n(.*?)```", PAGE, re.S | re.M)
_BODIES = {body for _, body in CALLS}
ANSWERS = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.S) if block not in _BODIES]


def test_the_page_shows_every_call_of_an_app():
    assert [path for path, _ in CALLS] == [
        "session", "status", "identify", "logout", "events", "markers", "popups/poll", "popups/shown", "popups/outcome",
        "preferences/read", "preferences", "consents",
    ]  # fmt: skip


@pytest.fixture
def steps(brand, asking):
    """Send the page's calls in order, with the installation and the offer that the answers brought."""
    app = native_app(brand)
    known: dict[str, object] = {"token": 0}

    def send(path: str, text: str):
        body = json.loads(text)
        if body["installation"]:
            body["installation"] = known["installation"]
        if body.get("push", {}).get("token"):
            body["push"]["token"] = body["push"]["token"].replace("…", "x" * 40)
        if "offer" in body:
            body["offer"] = known["offer"]
        response = post(path, body, X_Smartpush_App=app.app_key)
        answer = response.json()
        assert response.status_code == 200, (path, answer)
        if "secret" in answer.get("installation", {}):
            known["installation"] = answer["installation"]
        if answer.get("popup"):
            known["offer"] = answer["popup"]["id"]
        return answer

    return send, known


def test_each_body_on_the_page_is_taken(steps):
    send, known = steps
    answers = {}
    for path, text in CALLS:
        if path == "popups/shown":
            send("status", json.dumps({"installation": {}, "push": {"status": "ask"}, "tab": "app"} | _here(known)))
            send("events", json.dumps({"events": [{"name": "session"}], "tab": "app"} | _here(known)))
            send("popups/poll", json.dumps({"tab": "app"} | _here(known)))
        answers[path] = send(path, text)

    session = next(one for one in ANSWERS if "click_hosts" in one)
    assert session.keys() - {"installation"} == answers["session"].keys() - {"installation"}
    offer = next(one for one in ANSWERS if isinstance(one.get("popup"), dict))
    assert offer.keys() == answers["popups/poll"].keys()
    # Whoever logged out on this page still has the token: the visitor after them does not take it.
    assert answers["popups/outcome"]["status"] == "suspended"


def _here(known):
    return {"installation": known["installation"]}


def test_the_report_on_the_page_is_taken():
    body = next(one for one in ANSWERS if "reports" in one)

    assert post("reports", body).json() == {"accepted": 0}
