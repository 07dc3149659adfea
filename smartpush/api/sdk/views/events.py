"""What the end user did, and their JS markers."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from devices.models import Device
from devices.services.events import EventInput
from devices.services.markers import CannotChangeMarkers, markers_change
from smartpush.api.sdk import flows
from smartpush.api.sdk import serializers as s
from smartpush.api.sdk.auth import Caller
from smartpush.api.sdk.views.base import InstallationView, popup_answer
from smartpush.common.errors import ApiError, error_fields


class EventsView(InstallationView):
    """What the end user did; a good event among bad ones is kept, each bad one is named."""

    body = s.EventsSerializer

    @extend_schema(request=s.EventsSerializer, responses=s.EventsAnswer, operation_id="sdk_events")
    def post(self, request: Request) -> Response:
        return super().post(request)

    def answer_device(self, caller: Caller, device: Device, data: dict[str, Any]) -> dict[str, Any]:
        good, errors = [], []
        for index, raw in enumerate(data["events"]):
            try:
                event = s.checked(s.EventSerializer, raw)
            except ValidationError as problem:
                wrong = error_fields(problem.detail).items()
                text = "; ".join(f"{path}: {texts[0]}" if path else texts[0] for path, texts in wrong)
                errors.append({"index": index, "code": "invalid_event", "message": text})
                continue
            good.append(
                EventInput(
                    id=event["id"],
                    name=event["name"],
                    properties=event["properties"],
                    occurred_at=s.moment(event.get("occurred_at"), caller.now),
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
        }


class MarkersView(InstallationView):
    """Change the end user's JS markers."""

    body = s.MarkersSerializer

    @extend_schema(request=s.MarkersSerializer, responses=s.MarkersAnswer, operation_id="sdk_markers")
    def post(self, request: Request) -> Response:
        return super().post(request)

    def answer_device(self, caller: Caller, device: Device, data: dict[str, Any]) -> dict[str, Any]:
        try:
            markers = markers_change(
                end_user_id=device.session_end_user_id, operation=data["operation"], markers=data["markers"]
            )
        except CannotChangeMarkers as problem:
            raise ApiError(400, "invalid_marker", str(problem), fields={"markers": [str(problem)]}) from None
        return {"markers": markers}
