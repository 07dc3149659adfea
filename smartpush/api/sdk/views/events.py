"""What the end user did, and their JS markers."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from devices.models import Device
from devices.people.services.events import EventInput, time_changed
from devices.people.services.markers import CannotChangeMarkers, markers_keep
from smartpush.api.sdk import flows
from smartpush.api.sdk import serializers as s
from smartpush.api.sdk.auth import Caller
from smartpush.api.sdk.views.base import InstallationView, left_out_body, popup_answer
from smartpush.common.calls.errors import ApiError, error_fields
from smartpush.common.calls.left_out import LeftOut, LeftOutCode, path_of


class EventsView(InstallationView):
    """What the end user did; a good event among bad ones is kept, each bad one is named."""

    body = s.EventsSerializer

    @extend_schema(request=s.EventsSerializer, responses=s.EventsAnswer, operation_id="sdk_events")
    def post(self, request: Request) -> Response:
        return super().post(request)

    def answer_device(self, caller: Caller, device: Device, data: dict[str, Any]) -> dict[str, Any]:
        good, errors = [], []
        left_out: list[LeftOut] = []
        for index, raw in enumerate(data["events"]):
            try:
                event, missing = s.kept(s.checker(s.EventSerializer), raw, under=f"events.{index}")
            except ValidationError as problem:
                wrong = error_fields(problem.detail).items()
                text = "; ".join(f"{path}: {texts[0]}" if path else texts[0] for path, texts in wrong)
                errors.append({"index": index, "code": "invalid_event", "message": text})
                continue
            left_out += missing
            at = s.moment(event.get("occurred_at"), caller.now)
            changed = time_changed(occurred_at=at, now=caller.now)
            if changed is not None:
                path = path_of("events", str(index), "occurred_at")
                left_out.append(LeftOut(path, LeftOutCode.OUT_OF_RANGE, changed))
            good.append(
                EventInput(
                    id=event["id"],
                    name=event["name"],
                    properties=event["properties"],
                    occurred_at=at,
                )
            )
        end_user = device.session_end_user
        recorded = flows.events_take(
            brand=caller.brand, end_user_id=end_user.pk, device_id=device.pk, events=good, now=caller.now
        )
        return {
            "accepted": len(recorded),
            "duplicates": len(good) - len(recorded),
            "errors": errors,
            **popup_answer(device, end_user, data["tab"], caller),
            **left_out_body(self.left_out, left_out),
        }


class MarkersView(InstallationView):
    """Change the end user's JS markers."""

    body = s.MarkersSerializer

    @extend_schema(request=s.MarkersSerializer, responses=s.MarkersAnswer, operation_id="sdk_markers")
    def post(self, request: Request) -> Response:
        return super().post(request)

    def answer_device(self, caller: Caller, device: Device, data: dict[str, Any]) -> dict[str, Any]:
        operation, wanted = data["operation"], data["markers"]
        unusable = [one for one in self.left_out if one.field.startswith("markers")]
        if unusable and not wanted and operation != "clear":
            raise _invalid_marker(unusable[0].message)
        try:
            markers, left_out = markers_keep(
                end_user_id=device.session_end_user_id, operation=operation, markers=wanted
            )
        except CannotChangeMarkers as problem:
            raise _invalid_marker(str(problem)) from None
        return {"markers": markers, **left_out_body(self.left_out, left_out)}


def _invalid_marker(message: str) -> ApiError:
    """Not one of the markers can be taken."""
    return ApiError(400, "invalid_marker", message, fields={"markers": [message]})
