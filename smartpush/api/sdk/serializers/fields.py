"""Checked parts that several calls share."""

import json
from datetime import datetime
from functools import cache
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from smartpush.api.sdk.serializers.keeping import KeepingSerializer, KeptText, notes
from smartpush.common.calls.left_out import LeftOutCode
from smartpush.common.numbers import number_fits
from smartpush.common.time.moments import CannotReadMoment, instant_read

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
            if isinstance(value, int | float) and not number_fits(value):
                raise serializers.ValidationError(f"{key}: the number is too large.")
            if "\x00" in key or (isinstance(value, str) and "\x00" in value):
                raise serializers.ValidationError("NUL characters cannot be kept.")
        if len(json.dumps(data, ensure_ascii=False).encode()) > MAX_PROPERTIES_BYTES:
            raise serializers.ValidationError(f"At most {MAX_PROPERTIES_BYTES} bytes.")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field(OpenApiTypes.OBJECT)
class KeptPropertiesField(serializers.Field):
    """The properties of such an object that can be kept: each other one is left out, and told."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise serializers.ValidationError("Give an object of names and values.", code=LeftOutCode.WRONG_TYPE)
        good: dict[str, Any] = {}
        size = 0
        for name, value in data.items():
            problem = _property_problem(name, value)
            if problem is None and len(good) == MAX_PROPERTIES:
                problem = LeftOutCode.TOO_MANY, f"There may be {MAX_PROPERTIES} properties at most."
            if problem is None:
                grown = len(json.dumps({name: value}, ensure_ascii=False).encode())
                if size + grown > MAX_PROPERTIES_BYTES:
                    problem = LeftOutCode.TOO_LARGE, f"All properties together: {MAX_PROPERTIES_BYTES} bytes at most."
                else:
                    good[name], size = value, size + grown
            if problem is not None:
                notes().add(*problem, part=name)
        return good

    def to_representation(self, value: Any) -> Any:
        return value


def _property_problem(name: str, value: Any) -> tuple[LeftOutCode, str] | None:
    """Return what keeps a property from being kept whatever else there is, or None."""
    if not 1 <= len(name) <= 64:
        return LeftOutCode.TOO_LONG, "A property's name has 1 to 64 characters."
    if not isinstance(value, str | int | float | bool | None):
        return LeftOutCode.WRONG_TYPE, "Only text, numbers, true, false and null are kept."
    if isinstance(value, int | float) and not number_fits(value):
        return LeftOutCode.TOO_LARGE, "The number is too large."
    return None


class MomentField(serializers.DateTimeField):
    """An ISO 8601 time with its offset, in UTC."""

    def to_internal_value(self, value: Any) -> datetime:
        try:
            return instant_read(value)
        except CannotReadMoment as problem:
            raise serializers.ValidationError(str(problem), code=problem.code) from None


class ClientMomentField(MomentField):
    """When something happened by the client's clock: what cannot be read becomes the time of receipt."""

    def to_internal_value(self, value: Any) -> datetime:
        try:
            return super().to_internal_value(value)
        except serializers.ValidationError as problem:
            (detail,) = problem.detail
            text = f"{detail} The time of receipt is kept instead."
            raise serializers.ValidationError(text, code=detail.code) from None  # type: ignore[union-attr]


class InstallationSerializer(serializers.Serializer[Any]):
    id = serializers.CharField(max_length=24)
    secret = serializers.CharField(max_length=64)


class TabField(KeptText):
    """The tab of a browser that calls: popups are offered to one that has a name."""

    def __init__(self, **options: Any) -> None:
        super().__init__(keep=40, **options)


class TabSerializer(KeepingSerializer):
    installation = InstallationSerializer()
    tab = TabField()


class LeftOutAnswer(serializers.Serializer[Any]):
    field = serializers.CharField(help_text="Path in the request, such as `properties.tags`.")
    code = serializers.ChoiceField(choices=[code.value for code in LeftOutCode])
    message = serializers.CharField()


class KeepingAnswer(serializers.Serializer[Any]):
    left_out = LeftOutAnswer(
        many=True,
        required=False,
        help_text="What was shortened, replaced or left out; absent where everything was kept as it came.",
    )


@cache
def checker(kind: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """Return the serializer of this kind that serves all calls: making one copies every field."""
    return kind()


def checked(kind: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
    """The validated data; raises ValidationError. Checking keeps nothing on the serializer."""
    value: dict[str, Any] = checker(kind).run_validation(data)
    return value


def moment(value: datetime | None, now: datetime) -> datetime:
    """A client's time, or now."""
    return value or now


class OkAnswer(KeepingAnswer):
    ok = serializers.BooleanField()


class OfferAnswer(serializers.Serializer[Any]):
    id = serializers.CharField()
    template = serializers.ChoiceField(choices=["simple", "categories"])
    lease_seconds = serializers.IntegerField()
    expires_at = serializers.DateTimeField()
    content = serializers.JSONField()


class PollAnswer(KeepingAnswer):
    popup = OfferAnswer(allow_null=True)
    poll_after = serializers.IntegerField()
    withdrawn = serializers.BooleanField(
        required=False, help_text="True where the tab must close the popup that it named as `offer`."
    )
