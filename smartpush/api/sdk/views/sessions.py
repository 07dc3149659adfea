"""Who is here, and what the browser says: session, identify, logout, status."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from devices.installations.identity import observation_count
from devices.installations.reporting import DeviceInfo, Identity
from devices.lifecycle.sessions import SessionResult, session_close, status_update
from smartpush.api.sdk import flows
from smartpush.api.sdk import serializers as s
from smartpush.api.sdk.auth import Caller, credentials_of
from smartpush.api.sdk.identity import identity_body, verdict_on
from smartpush.api.sdk.views.base import SdkView, asked_on, left_out_body, popup_answer, status_body
from smartpush.common.ids import public_id


def _session_body(result: SessionResult, caller: Caller) -> dict[str, Any]:
    installation = {"id": public_id("device", result.device.pk)}
    if result.secret is not None:
        installation["secret"] = result.secret
    return {
        "installation": installation,
        "end_user": {
            "id": public_id("end_user", result.end_user.pk),
            "anonymous": result.end_user.anonymous,
            "external_id": result.end_user.external_id,
        },
        "identity": identity_body(caller, result.device),
        "click_hosts": caller.click_hosts,
        **status_body(result),
    }


class SessionView(SdkView):
    """A page load: who is here, on what, and what the browser says about pushes."""

    body = s.SessionSerializer

    @extend_schema(request=s.SessionSerializer, responses=s.SessionAnswer, operation_id="sdk_session")
    def post(self, request: Request) -> Response:
        return super().post(request)

    def prepare(self, caller: Caller, data: dict[str, Any]) -> None:
        self.verdict = verdict_on(caller, data)

    def answer(self, caller: Caller, data: dict[str, Any]) -> dict[str, Any]:
        info = s.device_info(data["device"])
        verdict = self.verdict
        given = data["consent"]
        result = flows.session_take(
            brand=caller.brand,
            app=caller.app,
            credentials=credentials_of(data["installation"]),
            identity=Identity(
                external_id=data["external_id"],
                proof=verdict.proof if verdict else None,
                language=data["language"] or "",
                time_zone=info.time_zone,
                properties=data["properties"],
            ),
            info=info,
            push=s.push_report(data["push"]),
            tracking=None
            if given is None
            else flows.Tracking(
                at=s.moment(given.get("at"), caller.now),
                asked=lambda device: asked_on(caller, device, given["language"]),
            ),
            now=caller.now,
        )
        answer = {
            **_session_body(result, caller),
            **popup_answer(result.device, result.end_user, data["tab"], caller, loading=True),
            **left_out_body(self.left_out, result.left_out),
        }
        if verdict is not None:
            observation_count(
                brand=caller.brand,
                verdict=verdict,
                external_id=data["external_id"],
                origin=caller.app.origin or caller.app.bundle_id,
                now=caller.now,
            )
        return answer


class IdentifyView(SessionView):
    """Log somebody in: an unknown id promotes the visitor, a known one is merged with it, another's takes over."""

    body = s.IdentifySerializer

    @extend_schema(request=s.IdentifySerializer, responses=s.SessionAnswer, operation_id="sdk_identify")
    def post(self, request: Request) -> Response:
        return super().post(request)


class LogoutView(SdkView):
    """The session goes on as an anonymous visitor; the token stays with who held it."""

    body = s.TabSerializer

    @extend_schema(request=s.TabSerializer, responses=s.SessionAnswer, operation_id="sdk_logout")
    def post(self, request: Request) -> Response:
        return super().post(request)

    def answer(self, caller: Caller, data: dict[str, Any]) -> dict[str, Any]:
        credentials = credentials_of(data["installation"])
        assert credentials is not None
        result = session_close(app=caller.app, credentials=credentials, info=DeviceInfo(), now=caller.now)
        return {**_session_body(result, caller), **popup_answer(result.device, result.end_user, data["tab"], caller)}


class StatusView(SdkView):
    """The browser's state changed, or a subscription was renewed."""

    body = s.StatusSerializer

    @extend_schema(request=s.StatusSerializer, responses=s.StatusAnswer, operation_id="sdk_status")
    def post(self, request: Request) -> Response:
        return super().post(request)

    def answer(self, caller: Caller, data: dict[str, Any]) -> dict[str, Any]:
        credentials = credentials_of(data["installation"])
        assert credentials is not None
        result = status_update(
            app=caller.app,
            credentials=credentials,
            push=s.push_report(data["push"]),
            cause=data["cause"],
            now=caller.now,
        )
        return {**status_body(result), **popup_answer(result.device, result.end_user, data["tab"], caller)}


class WorkerSubscriptionView(StatusView):
    """The service worker's own report after `pushsubscriptionchange`."""

    body = s.WorkerSubscriptionSerializer

    @extend_schema(
        request=s.WorkerSubscriptionSerializer, responses=s.StatusAnswer, operation_id="sdk_worker_subscription"
    )
    def post(self, request: Request) -> Response:
        return super().post(request)
