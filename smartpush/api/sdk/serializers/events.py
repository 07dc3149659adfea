"""Events, markers and what devices report of deliveries."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from smartpush.api.sdk.serializers.fields import InstallationSerializer, PollAnswer, PropertiesField, TabSerializer


class EventNameField(serializers.RegexField):
    """An event's name: blanks around it are dropped, an end of line is none of them."""

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, str) and not data.isprintable():
            self.fail("invalid")
        text: str = super().to_internal_value(data)
        return text


class EventSerializer(serializers.Serializer[Any]):
    id = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")
    name = EventNameField(r"^[A-Za-z0-9][A-Za-z0-9 _.:\-]{0,63}$")
    properties = PropertiesField(required=False, default=dict)
    occurred_at = serializers.DateTimeField(required=False)
    kind = serializers.ChoiceField(choices=["event", "action"], required=False, default="event")


@extend_schema_field(EventSerializer(many=True))
class EachEventField(serializers.ListField):
    """Events, each checked for itself by the view: a bad one does not cost the good ones."""


class EventsSerializer(TabSerializer):
    events = EachEventField(min_length=1, max_length=100)


class MarkersSerializer(serializers.Serializer[Any]):
    installation = InstallationSerializer()
    operation = serializers.ChoiceField(choices=["add", "remove", "replace", "clear"])
    markers = serializers.ListField(
        child=serializers.CharField(max_length=64), required=False, default=list, max_length=200
    )


class EventsAnswer(PollAnswer):
    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    errors = serializers.JSONField()  # type: ignore[assignment]


class MarkersAnswer(serializers.Serializer[Any]):
    markers = serializers.ListField(child=serializers.CharField())


class ReceiptSerializer(serializers.Serializer[Any]):
    token = serializers.CharField(max_length=64)
    kind = serializers.ChoiceField(choices=["displayed", "clicked", "closed"])
    action = serializers.CharField(max_length=32, allow_blank=True, required=False, default="")
    at = serializers.DateTimeField(required=False)


class ReceiptsSerializer(serializers.Serializer[Any]):
    reports = ReceiptSerializer(many=True, allow_empty=False, max_length=100)  # type: ignore[call-arg]


class ReceiptsAnswer(serializers.Serializer[Any]):
    accepted = serializers.IntegerField()
