"""Popups: asked for, shown, answered."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from devices.lifecycle.sessions import session_read, status_update
from devices.models import Device
from devices.people.services.markers import CannotChangeMarkers
from devices.popups.offers import offer_shown, offer_withdrawn
from smartpush.api.sdk import flows
from smartpush.api.sdk import serializers as s
from smartpush.api.sdk.auth import Caller, credentials_of
from smartpush.api.sdk.identity import proof_demand
from smartpush.api.sdk.views.base import InstallationView, SdkView, asked_on, languages_of, popup_answer, status_body
from smartpush.common.calls.errors import ApiError
from smartpush.common.ids import row_number


class PollView(InstallationView):
    """Is there a popup for this tab?"""

    body = s.PollSerializer
    device_alone = True

    @extend_schema(request=s.PollSerializer, responses=s.PollAnswer, operation_id="sdk_popup_poll")
    def post(self, request: Request) -> Response:
        return super().post(request)

    def answer_device(self, caller: Caller, device: Device, data: dict[str, Any]) -> dict[str, Any]:
        answer = popup_answer(device, device.session_end_user, data["tab"], caller)
        number = row_number("offer", data["offer"])
        if number is not None and offer_withdrawn(offer_id=number, end_user_id=device.session_end_user_id):
            answer["withdrawn"] = True
        return answer


def _offer_number(data: dict[str, Any]) -> int:
    number = row_number("offer", data["offer"])
    if number is None:
        raise ApiError(404, "offer_unknown", "There is no such popup.")
    return number


class ShownView(InstallationView):
    """The tab is about to draw the popup; 409 means: do not."""

    body = s.OfferSerializer
    device_alone = True

    @extend_schema(request=s.OfferSerializer, responses=s.OkAnswer, operation_id="sdk_popup_shown")
    def post(self, request: Request) -> Response:
        return super().post(request)

    def answer_device(self, caller: Caller, device: Device, data: dict[str, Any]) -> dict[str, Any]:
        shown = offer_shown(
            offer_id=_offer_number(data),
            end_user_id=device.session_end_user_id,
            device=device,
            tab=data["tab"],
            now=caller.now,
        )
        if not shown:
            raise ApiError(409, "offer_not_yours", "This popup ended or another tab has it; do not show it.")
        return {"ok": True}


class OutcomeView(SdkView):
    """What came of the popup; the browser's state first, then the journey goes on, in one transaction."""

    body = s.OutcomeSerializer

    @extend_schema(request=s.OutcomeSerializer, responses=s.StatusAnswer, operation_id="sdk_popup_outcome")
    def post(self, request: Request) -> Response:
        return super().post(request)

    def answer(self, caller: Caller, data: dict[str, Any]) -> dict[str, Any]:
        credentials = credentials_of(data["installation"])
        assert credentials is not None
        if data["push"] is not None:
            result = status_update(
                app=caller.app,
                credentials=credentials,
                push=s.push_report(data["push"]),
                cause="popup",
                now=caller.now,
            )
        else:
            result = session_read(app=caller.app, credentials=credentials)
        device = result.device
        proof_demand(caller, device)
        try:
            flows.offer_finish(
                offer_id=_offer_number(data),
                end_user_id=device.session_end_user_id,
                device=device,
                outcome=data["outcome"],
                asked=asked_on(caller, device),
                languages=[data["language"], *languages_of(device.session_end_user, device)],
                ticked=data["categories"],
                now=caller.now,
            )
        except CannotChangeMarkers as problem:
            raise ApiError(400, "invalid_marker", str(problem), fields={"categories": [str(problem)]}) from None
        return {**status_body(result), **popup_answer(device, device.session_end_user, data["tab"], caller)}
