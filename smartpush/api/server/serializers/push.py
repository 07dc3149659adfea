"""Transactional pushes and the look-up of what became of them."""

from typing import Any

from rest_framework import serializers

from devices.models import Delivery, Device, Dispatch, TargetDevices
from smartpush.api.sdk.serializers.fields import MomentField, PropertiesField
from smartpush.api.server.serializers.strict import JsonInteger, JsonText, StrictSerializer


class TransactionalPush(StrictSerializer):
    external_id = JsonText(max_length=255, trim_whitespace=False)
    push = JsonText(max_length=24, help_text="Public id of a push resource: GET push/resources.")
    data = PropertiesField(  # type: ignore[assignment]
        required=False, default=dict, help_text="For Liquid: {{ event.name }}."
    )
    purpose = serializers.ChoiceField(
        choices=Dispatch.Purpose.choices, required=False, default=Dispatch.Purpose.OPERATIONAL
    )
    target_devices = serializers.ChoiceField(choices=TargetDevices.choices, required=False, default=TargetDevices.ALL)
    ttl = JsonInteger(
        min_value=0, max_value=2_419_200, required=False, allow_null=True, default=None, help_text="Seconds."
    )
    send_at = MomentField(
        required=False,
        allow_null=True,
        default=None,
        help_text="With an offset. At most 28 days ahead; absent: now.",
    )


class DeliveryAnswer(serializers.Serializer[Any]):
    id = serializers.CharField()
    message = serializers.CharField(allow_null=True, help_text="Of a push by this API.")
    external_id = serializers.CharField(allow_null=True)
    source = serializers.ChoiceField(choices=Dispatch.Source.choices)  # type: ignore[assignment]
    campaign = serializers.CharField(allow_null=True)
    label = serializers.CharField()  # type: ignore[assignment]
    purpose = serializers.ChoiceField(choices=Dispatch.Purpose.choices)
    platform = serializers.ChoiceField(choices=[*Device.Platform.choices, ("", "")])
    browser = serializers.CharField()
    state = serializers.ChoiceField(choices=Delivery.State.choices)
    reason = serializers.CharField()
    held_for = serializers.CharField(help_text="Why a ready delivery waits: quiet hours, a breaker, the brand's stop.")
    created_at = serializers.DateTimeField()
    send_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    displayed_at = serializers.DateTimeField(allow_null=True)
    clicked_at = serializers.DateTimeField(allow_null=True)
    clicked_action = serializers.CharField()
    closed_at = serializers.DateTimeField(allow_null=True)


class PushAnswer(serializers.Serializer[Any]):
    id = serializers.CharField()
    push = serializers.CharField()
    send_at = serializers.DateTimeField()
    reason = serializers.ChoiceField(
        choices=["", "never_contact", "no_reachable_device", "target_devices"], help_text="Why there are no deliveries."
    )
    deliveries = serializers.ListField(child=serializers.CharField(), help_text="Their ids.")


class MessageAnswer(serializers.Serializer[Any]):
    id = serializers.CharField()
    deliveries = DeliveryAnswer(many=True)


class CancelAnswer(serializers.Serializer[Any]):
    id = serializers.CharField()
    cancelled = serializers.IntegerField()


class ResourceAnswer(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()


class ResourcesAnswer(serializers.Serializer[Any]):
    resources = ResourceAnswer(many=True)


class DeliveriesQuery(serializers.Serializer[Any]):
    external_id = serializers.CharField(max_length=255, required=False, trim_whitespace=False)
    message = serializers.CharField(max_length=24, required=False)
    state = serializers.ChoiceField(choices=Delivery.State.choices, required=False)
    since = MomentField(required=False, help_text="Created at this time or later; with an offset.")
    until = MomentField(required=False, help_text="Created before this time; with an offset.")
    cursor = serializers.CharField(max_length=24, required=False, help_text="`next` of the page before.")
    limit = serializers.IntegerField(min_value=1, max_value=500, required=False, default=100)


class DeliveriesAnswer(serializers.Serializer[Any]):
    deliveries = DeliveryAnswer(many=True)
    next = serializers.CharField(allow_null=True)
