"""An app on a phone, as its developer would write it."""

from dataclasses import dataclass, field
from typing import Any

from devices.models import App, Device
from tests.api.page import error_of, post

TOKEN = "fXk2:APA91b" + "a" * 120


@dataclass
class Phone:
    """One installation of an app, as its developer would write it."""

    app: App
    token: str = TOKEN
    installation: dict[str, str] | None = None
    push: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        self.push = self.push or self.report("allowed")

    def report(self, status: str, reason: str = "") -> dict[str, Any]:
        self.push = {"status": status, "reason": reason, "permission": "granted" if status == "allowed" else "denied"}
        if status == "allowed":
            self.push["token"] = self.token
        return self.push

    def call(self, path: str, *, expect: int = 200, headers: dict[str, str] | None = None, **body: Any) -> Any:
        response = post(
            path,
            {"installation": self.installation, "tab": "app"} | body,
            **({"X_Smartpush_App": self.app.app_key} | (headers or {})),
        )
        assert response.status_code == expect, response.content
        return response.json() if expect == 200 else error_of(response)

    def session(self, *, path: str = "session", expect: int = 200, **body: Any) -> Any:
        device = {"os_version": "14", "app_version": "2.1.0", "model": "Pixel 8", "language": "en-GB"}
        answer = self.call(path, expect=expect, **({"push": self.push, "device": device} | body))
        if expect == 200 and "secret" in answer["installation"]:
            self.installation = answer["installation"]
        return answer

    @property
    def device(self) -> Device:
        return Device.objects.get(app=self.app)
