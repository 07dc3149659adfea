"""Campaigns and how a server triggers them."""

from typing import Any

from rest_framework import serializers

from campaigns.models import Campaign
from smartpush.api.sdk.serializers.fields import PropertiesField
from smartpush.api.server.serializers.users import RowErrorAnswer


class CampaignAnswer(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=Campaign.Kind.choices)
    state = serializers.ChoiceField(choices=Campaign.State.choices)


class CampaignsAnswer(serializers.Serializer[Any]):
    campaigns = CampaignAnswer(many=True)


class TriggerUser(serializers.Serializer[Any]):
    external_id = serializers.CharField(max_length=255)
    data = PropertiesField(required=False)  # type: ignore[assignment]


class Trigger(serializers.Serializer[Any]):
    users = TriggerUser(many=True, min_length=1, max_length=10_000)  # type: ignore[call-arg]
    data = PropertiesField(  # type: ignore[assignment]
        required=False, help_text="For every row; a row's own values win."
    )


class TriggerResult(serializers.Serializer[Any]):
    index = serializers.IntegerField()
    result = serializers.ChoiceField(choices=["entered", "outside_audience", "not_let_in_again", "never_contact"])


class TriggerAnswer(serializers.Serializer[Any]):
    entered = serializers.IntegerField()
    results = TriggerResult(many=True)
    errors = RowErrorAnswer(many=True)  # type: ignore[assignment]
