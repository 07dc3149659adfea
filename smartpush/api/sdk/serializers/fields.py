"""Checked parts that several calls share."""

import json
import math
from datetime import datetime
from functools import cache
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

MAX_PROPERTIES = 64
MAX_PROPERTIES_BYTES = 8192


@extend_schema_field(OpenApiTypes.OBJECT)
class PropertiesField(serializers.Field):
    """A flat object of strings, numbers, booleans and nulls: 64 keys and 8 kB at most."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise serializers.ValidationError("Give an object of names and values.")
        if len(data) > MAX_PROPERTIES:
            raise serializers.ValidationError(f"There may be {MAX_PROPERTIES} properties at most.")
        for key, value in data.items():
            if not key or len(key) > 64:
                raise serializers.ValidationError("A property's name has 1 to 64 characters.")
            if not isinstance(value, str | int | float | bool | None):
                raise serializers.ValidationError(f"{key}: only text, numbers, true, false and null are kept.")
            if isinstance(value, float) and not math.isfinite(value):
                raise serializers.ValidationError(f"{key}: not a finite number.")
            if "\x00" in key or (isinstance(value, str) and "\x00" in value):
                raise serializers.ValidationError("NUL characters cannot be kept.")
        if len(json.dumps(data, ensure_ascii=False).encode()) > MAX_PROPERTIES_BYTES:
            raise serializers.ValidationError(f"At most {MAX_PROPERTIES_BYTES} bytes.")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class InstallationSerializer(serializers.Serializer[Any]):
    id = serializers.CharField(max_length=24)
    secret = serializers.CharField(max_length=64)


class TabSerializer(serializers.Serializer[Any]):
    installation = InstallationSerializer()
    tab = serializers.CharField(max_length=40)


@cache
def _checker(kind: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    return kind()


def checked(kind: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
    """The validated data; raises ValidationError.

    One serializer serves all calls: checking keeps nothing on it, and making one copies every field.
    """
    value: dict[str, Any] = _checker(kind).run_validation(data)
    return value


def moment(value: datetime | None, now: datetime) -> datetime:
    """A client's time, or now."""
    return value or now


class OkAnswer(serializers.Serializer[Any]):
    ok = serializers.BooleanField()


class OfferAnswer(serializers.Serializer[Any]):
    id = serializers.CharField()
    template = serializers.ChoiceField(choices=["simple", "categories"])
    lease_seconds = serializers.IntegerField()
    expires_at = serializers.DateTimeField()
    content = serializers.JSONField()


class PollAnswer(serializers.Serializer[Any]):
    popup = OfferAnswer(allow_null=True)
    poll_after = serializers.IntegerField()
    withdrawn = serializers.BooleanField(
        required=False, help_text="True where the tab must close the popup that it named as `offer`."
    )
