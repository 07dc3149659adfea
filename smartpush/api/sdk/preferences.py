"""Consent, preferences and the way to the hosted preference page."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from devices.lifecycle.consents import tracking_answer
from devices.lifecycle.preferences import CategoryUnknown, preferences_save
from devices.models import Device, EndUser, PushStatus
from devices.people.selectors.preferences import preferences_of
from devices.people.services.markers import CannotChangeMarkers
from smartpush.api.sdk import serializers as s
from smartpush.api.sdk.auth import Caller
from smartpush.api.sdk.views.base import InstallationView, asked_on, languages_of
from smartpush.common.calls.errors import ApiError
from smartpush.common.ids import preference_token

LINK_LIFETIME = timedelta(hours=24)


def _answer(caller: Caller, device: Device, end_user: EndUser, language: str) -> dict[str, Any]:
    wanted = [*([language] if language else []), *languages_of(end_user, device)]
    found = preferences_of(end_user=end_user, default_language=caller.brand.default_language, languages=wanted)
    pair = PushStatus.objects.filter(end_user=end_user, device=device).values_list("status", flat=True).first()
    return {
        "opted_out": found.opted_out,
        "language": found.language,
        "status": pair or end_user.last_session_status,
        "categories": found.categories,
    }


class ConsentsView(InstallationView):
    """Whether the end user lets the site use smartpush in this browser."""

    body = s.ConsentsSerializer

    @extend_schema(request=s.ConsentsSerializer, responses=s.OkAnswer, operation_id="sdk_consents")
    def post(self, request: Request) -> Response:
        return super().post(request)

    def answer_device(self, caller: Caller, device: Device, data: dict[str, Any]) -> dict[str, Any]:
        tracking_answer(
            device=device,
            given=data["answer"] == "given",
            at=s.moment(data.get("at"), caller.now),
            asked=asked_on(caller, device, data["language"]),
            now=caller.now,
        )
        return {"ok": True}


class PreferencesReadView(InstallationView):
    """The end user's categories and opt-out, as they are."""

    body = s.PreferencesReadSerializer
    device_alone = True

    @extend_schema(
        request=s.PreferencesReadSerializer, responses=s.PreferencesAnswer, operation_id="sdk_preferences_read"
    )
    def post(self, request: Request) -> Response:
        return super().post(request)

    def answer_device(self, caller: Caller, device: Device, data: dict[str, Any]) -> dict[str, Any]:
        return _answer(caller, device, device.session_end_user, data["language"])


class PreferencesView(InstallationView):
    """Change categories or the end user's own opt-out."""

    body = s.PreferencesSerializer

    @extend_schema(request=s.PreferencesSerializer, responses=s.PreferencesAnswer, operation_id="sdk_preferences")
    def post(self, request: Request) -> Response:
        return super().post(request)

    def answer_device(self, caller: Caller, device: Device, data: dict[str, Any]) -> dict[str, Any]:
        end_user = device.session_end_user
        try:
            preferences_save(
                brand_id=caller.brand.pk,
                end_user_id=end_user.pk,
                asked=asked_on(caller, device, data["language"]),
                now=caller.now,
                ticks=data["categories"],
                opted_out=data["opted_out"],
            )
        except CategoryUnknown as problem:
            raise ApiError(400, "category_unknown", str(problem), fields={"categories": [str(problem)]}) from None
        except CannotChangeMarkers as problem:
            raise ApiError(400, "invalid_marker", str(problem), fields={"categories": [str(problem)]}) from None
        end_user.refresh_from_db(fields=["js_markers", "user_opt_out"])
        return _answer(caller, device, end_user, data["language"])


def preference_link(*, end_user_id: int, now: datetime) -> dict[str, Any]:
    """The address of one end user's preference page; whoever has it may use it for 24 hours."""
    expires_at = (now + LINK_LIFETIME).replace(microsecond=0)
    token = preference_token(end_user_id, expires_at)
    return {
        "url": settings.SMARTPUSH_PUBLIC_URL + reverse("preferences", kwargs={"token": token}),
        "expires_at": expires_at,
    }


class PreferencesLinkView(InstallationView):
    """A way to the hosted preference page for who is in session here."""

    body = s.PreferencesLinkSerializer
    device_alone = True

    @extend_schema(
        request=s.PreferencesLinkSerializer, responses=s.PreferencesLinkAnswer, operation_id="sdk_preferences_link"
    )
    def post(self, request: Request) -> Response:
        return super().post(request)

    def answer_device(self, caller: Caller, device: Device, data: dict[str, Any]) -> dict[str, Any]:
        return preference_link(end_user_id=device.session_end_user_id, now=caller.now)
