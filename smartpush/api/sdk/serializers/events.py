"""Events, markers and what devices report of deliveries."""

import hashlib
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from devices.people.services.markers import MAX_MARKERS, CannotChangeMarkers, marker_clean
from smartpush.api.sdk.parsers import REPLACEMENT
from smartpush.api.sdk.serializers.fields import (
    ClientMomentField,
    InstallationSerializer,
    KeepingAnswer,
    KeptPropertiesField,
    PollAnswer,
    TabSerializer,
)
from smartpush.api.sdk.serializers.keeping import KeepingSerializer, KeptList, KeptText, notes
from smartpush.common.calls.left_out import LeftOutCode

MAX_EVENT_ID = 64


class EventNameField(serializers.RegexField):
    """An event's name: blanks around it are dropped, an end of line is none of them."""

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, str) and not data.isprintable():
            self.fail("invalid")
        text: str = super().to_internal_value(data)
        return text


class EventIdField(serializers.CharField):
    """A client's own id of an event. Of a long one the SHA-256 is kept, which tells it apart as well."""

    def to_internal_value(self, data: Any) -> str:
        text: str = super().to_internal_value(data)
        if REPLACEMENT in text:  # another id could have become the same
            raise serializers.ValidationError(
                "An id has neither NUL nor half of a surrogate pair in it.", code=LeftOutCode.CHARACTERS
            )
        if len(text) <= MAX_EVENT_ID:
            return text
        notes().add(LeftOutCode.SHORTENED, f"Longer than {MAX_EVENT_ID} characters: its SHA-256 is kept.")
        return hashlib.sha256(text.encode()).hexdigest()


class EventSerializer(KeepingSerializer):
    id = EventIdField(required=False, allow_blank=True, default="")
    name = EventNameField(r"^[A-Za-z0-9][A-Za-z0-9 _.:\-]{0,63}$")
    properties = KeptPropertiesField(required=False, default=dict)
    occurred_at = ClientMomentField(required=False)
    kind = serializers.ChoiceField(choices=["event", "action"], required=False, default="event")


@extend_schema_field(EventSerializer(many=True))
class EachEventField(serializers.ListField):
    """Events, each checked for itself by the view: a bad one does not cost the good ones."""


class EventsSerializer(TabSerializer):
    events = EachEventField(min_length=1, max_length=100)


class MarkerField(serializers.CharField):
    """A marker in its stored form."""

    def to_internal_value(self, data: Any) -> str:
        try:
            return marker_clean(super().to_internal_value(data))
        except CannotChangeMarkers as problem:
            raise serializers.ValidationError(str(problem), code=LeftOutCode.MALFORMED) from None


class MarkersSerializer(KeepingSerializer):
    installation = InstallationSerializer()
    operation = serializers.ChoiceField(choices=["add", "remove", "replace", "clear"])
    markers = KeptList(child=MarkerField(), most=MAX_MARKERS, required=False, default=list)


class EventsAnswer(PollAnswer):
    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    errors = serializers.JSONField()  # type: ignore[assignment]


class MarkersAnswer(KeepingAnswer):
    markers = serializers.ListField(child=serializers.CharField())


class ReceiptSerializer(KeepingSerializer):
    token = serializers.CharField(max_length=64)
    kind = serializers.ChoiceField(choices=["displayed", "clicked", "closed"])
    action = KeptText(keep=32)
    at = ClientMomentField(required=False)


@extend_schema_field(ReceiptSerializer(many=True))
class EachReportField(KeptList):
    """Reports, of which a bad one does not cost the good ones."""

    def to_internal_value(self, data: Any) -> list[Any]:
        good = super().to_internal_value(data)
        if not good:
            raise serializers.ValidationError("Give 1 to 100 reports, each with its token and kind.")
        return good


class ReceiptsSerializer(KeepingSerializer):
    reports = EachReportField(child=ReceiptSerializer(), most=100)


class ReceiptsAnswer(KeepingAnswer):
    accepted = serializers.IntegerField()
