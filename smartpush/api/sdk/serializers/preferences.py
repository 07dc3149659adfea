"""Consent, categories and the opt-out."""

from typing import Any

from rest_framework import serializers

from devices.models import Status
from devices.people.services.categories import MAX_CATEGORIES
from smartpush.api.sdk.serializers.fields import (
    ClientMomentField,
    InstallationSerializer,
    KeepingAnswer,
    TabField,
)
from smartpush.api.sdk.serializers.identity import LanguageField
from smartpush.api.sdk.serializers.keeping import KeepingSerializer


class ConsentSerializer(KeepingSerializer):
    answer = serializers.ChoiceField(choices=["given"])
    at = ClientMomentField(required=False)
    language = LanguageField(max_length=64, allow_blank=True, required=False, default="")


class ConsentsSerializer(ConsentSerializer):
    installation = InstallationSerializer()
    subject = serializers.ChoiceField(choices=["tracking"])
    answer = serializers.ChoiceField(choices=["given", "withdrawn"])


class PreferencesReadSerializer(KeepingSerializer):
    installation = InstallationSerializer()
    tab = TabField()
    language = LanguageField(max_length=64, allow_blank=True, required=False, default="")


class PreferencesSerializer(PreferencesReadSerializer):
    essential = frozenset({"categories", "opted_out"})
    categories = serializers.DictField(child=serializers.BooleanField(), required=False, allow_null=True, default=None)
    opted_out = serializers.BooleanField(required=False, allow_null=True, default=None)

    def validate_categories(self, value: dict[str, bool] | None) -> dict[str, bool] | None:
        if value is not None and len(value) > MAX_CATEGORIES:
            raise serializers.ValidationError(f"A brand has {MAX_CATEGORIES} categories at most.")
        return value


class PreferencesLinkSerializer(serializers.Serializer[Any]):
    installation = InstallationSerializer()


class CategoryAnswer(serializers.Serializer[Any]):
    marker = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    selected = serializers.BooleanField()


class PreferencesAnswer(KeepingAnswer):
    opted_out = serializers.BooleanField()
    language = serializers.CharField()
    status = serializers.ChoiceField(choices=Status.choices)
    categories = CategoryAnswer(many=True)


class PreferencesLinkAnswer(serializers.Serializer[Any]):
    url = serializers.URLField()
    expires_at = serializers.DateTimeField()
