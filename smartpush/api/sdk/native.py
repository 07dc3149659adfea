"""Calls of native apps: the same bodies as a page's, with an FCM token where a page has its subscription."""

import re
from typing import Any

from rest_framework.serializers import ValidationError

from devices.models import App, Device

# What Firebase gives out: base64url and colons today; printable ASCII without spaces is all that we rely on.
_TOKEN = re.compile(r"[!-~]{20,4096}")


def body_for(*, app: App, data: dict[str, Any]) -> dict[str, Any]:
    """The checked body, with what follows from the kind of app that calls; raises ValidationError.

    A page brings a subscription and an app a token, never the other's; an app's platform is the app's own.
    """
    native = app.kind != App.Kind.WEB
    push = data.get("push")
    if push is not None:
        wrong = _push_problem(push, native=native)
        if wrong:
            raise ValidationError({"push": wrong})
    if native and "device" in data:
        data["device"] = {
            **data["device"],
            "platform": app.kind,
            "browser": "",
            "browser_version": "",
            "form_factor": Device.FormFactor.MOBILE,
        }
    return data


def _push_problem(push: dict[str, Any], *, native: bool) -> dict[str, str] | None:
    allowed = push["status"] == "allowed"
    if not native:
        if push["token"]:
            return {"token": "Only a native app, calling with its app key, has a token."}
        return {"subscription": "Allowed needs the subscription."} if allowed and not push["subscription"] else None
    if push["subscription"]:
        return {"subscription": "Only a browser has a subscription; a native app reports its token."}
    if allowed and not push["token"]:
        return {"token": "Allowed needs the FCM registration token; without one report not_supported, token_missing."}
    if push["token"] and not _TOKEN.fullmatch(push["token"]):
        return {"token": "This is no FCM registration token."}
    return None
