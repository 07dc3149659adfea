"""End users of the server API, as its document describes them; bulk rows are checked in rows.py."""

from typing import Any

from rest_framework import serializers

from devices.models import Status, TargetDevices
from smartpush.api.sdk.serializers.fields import PropertiesField
from smartpush.api.server.serializers.strict import JsonBoolean, JsonText, StrictSerializer


class MarkerChanges(serializers.Serializer[Any]):
    add = serializers.ListField(child=serializers.CharField(max_length=64), required=False, max_length=200)
    remove = serializers.ListField(child=serializers.CharField(max_length=64), required=False, max_length=200)
    replace = serializers.ListField(child=serializers.CharField(max_length=64), required=False, max_length=200)


class UserChange(serializers.Serializer[Any]):
    """What is absent stays as it is; a property that is null is removed."""

    language = serializers.CharField(max_length=16, required=False, allow_blank=True, allow_null=True)
    time_zone = serializers.CharField(max_length=64, required=False, allow_blank=True, allow_null=True)
    country = serializers.RegexField(r"^([A-Z]{2})?$", required=False, allow_blank=True, allow_null=True)
    target_devices = serializers.ChoiceField(choices=TargetDevices.choices, required=False, allow_null=True)
    platform_opt_out = serializers.BooleanField(required=False, allow_null=True)
    never_contact = serializers.BooleanField(
        required=False, allow_null=True, help_text="Nothing overrides it: no message of any purpose, no popup."
    )
    properties = PropertiesField(required=False)
    markers = MarkerChanges(required=False)


class UserRow(UserChange):
    external_id = serializers.CharField(max_length=255)


class UsersBulk(serializers.Serializer[Any]):
    users = UserRow(many=True, min_length=1, max_length=10_000)  # type: ignore[call-arg]


class RowErrorAnswer(serializers.Serializer[Any]):
    index = serializers.IntegerField(help_text="Place of the row in the call, from 0.")
    code = serializers.CharField()
    message = serializers.CharField()


class UsersBulkAnswer(serializers.Serializer[Any]):
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    errors = RowErrorAnswer(many=True)  # type: ignore[assignment]


class MarkerSets(serializers.Serializer[Any]):
    js = serializers.ListField(child=serializers.CharField())
    external = serializers.ListField(child=serializers.CharField())
    back_office = serializers.ListField(child=serializers.CharField())


class UserAnswer(serializers.Serializer[Any]):
    id = serializers.CharField()
    external_id = serializers.CharField()
    language = serializers.CharField()
    time_zone = serializers.CharField()
    country = serializers.CharField()
    properties = PropertiesField()
    markers = MarkerSets()
    platform_opt_out = serializers.BooleanField()
    user_opt_out = serializers.BooleanField()
    never_contact = serializers.BooleanField()
    target_devices = serializers.ChoiceField(choices=TargetDevices.choices)
    last_session_at = serializers.DateTimeField(allow_null=True, help_text="null for people who have never visited.")
    last_session_status = serializers.ChoiceField(
        choices=Status.choices,
        help_text="`ask` with a `last_session_at` of null has never visited, and can be asked at the first visit.",
    )
    created_at = serializers.DateTimeField()


class UserReference(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="Of the end user who is there now; GET users/{external_id} tells more.")


class MarkersChange(StrictSerializer):
    operation = serializers.ChoiceField(choices=["add", "remove", "replace"])
    markers = serializers.ListField(child=JsonText(max_length=64), max_length=200)


class ExternalMarkers(serializers.Serializer[Any]):
    markers = serializers.ListField(child=serializers.CharField())


class OptOut(StrictSerializer):
    opted_out = JsonBoolean()


class OptOutAnswer(serializers.Serializer[Any]):
    platform_opt_out = serializers.BooleanField()


class NeverContact(StrictSerializer):
    never_contact = JsonBoolean()


class NeverContactAnswer(serializers.Serializer[Any]):
    never_contact = serializers.BooleanField()


class Rename(StrictSerializer):
    external_id = JsonText(max_length=255, help_text="The new one.", trim_whitespace=False)


class Merge(StrictSerializer):
    into = JsonText(max_length=255, help_text="External id of the end user who stays.", trim_whitespace=False)


class Erased(serializers.Serializer[Any]):
    erased = serializers.BooleanField()
    devices = serializers.IntegerField()
    events = serializers.IntegerField()
    deliveries = serializers.IntegerField()


class Export(serializers.Serializer[Any]):
    end_user = UserAnswer()
    devices = serializers.ListField(child=serializers.DictField())
    status_changes = serializers.ListField(child=serializers.DictField())
    tokens_held = serializers.ListField(child=serializers.DictField())
    consents = serializers.ListField(child=serializers.DictField())
    events = serializers.ListField(child=serializers.DictField())
    pushes = serializers.ListField(child=serializers.DictField())
    popups = serializers.ListField(child=serializers.DictField())
    campaigns = serializers.ListField(child=serializers.DictField())
