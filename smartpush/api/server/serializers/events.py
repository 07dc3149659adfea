"""Bulk events, as the document describes them; rows are checked in rows.py."""

from typing import Any

from rest_framework import serializers

from smartpush.api.sdk.serializers.fields import PropertiesField
from smartpush.api.server.serializers.strict import JsonBoolean, StrictSerializer
from smartpush.api.server.serializers.users import RowErrorAnswer


class EventRow(serializers.Serializer[Any]):
    id = serializers.CharField(max_length=128, help_text="Your own id: seen again within seven days, it is a replay.")
    external_id = serializers.CharField(max_length=255)
    name = serializers.RegexField(r"^[A-Za-z0-9][A-Za-z0-9 _.:\-]{0,63}$")
    properties = PropertiesField(required=False)
    occurred_at = serializers.DateTimeField(
        required=False, help_text="With an offset. Absent: now. At most 3 days old, 731 days when historical."
    )
    historical = serializers.BooleanField(required=False, help_text="Recorded, but starts no journey.")


class EventsBulk(serializers.Serializer[Any]):
    events = EventRow(many=True, min_length=1, max_length=10_000)  # type: ignore[call-arg]
    historical = serializers.BooleanField(required=False, default=False, help_text="For rows that do not say.")
    unknown_users = serializers.ChoiceField(choices=["create", "refuse"], required=False, default="create")


class EventsOptions(StrictSerializer):
    historical = JsonBoolean(required=False, default=False)
    unknown_users = serializers.ChoiceField(choices=["create", "refuse"], required=False, default="create")


class EventsBulkAnswer(serializers.Serializer[Any]):
    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    errors = RowErrorAnswer(many=True)  # type: ignore[assignment]
