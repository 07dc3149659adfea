"""What bodies of servers are held to: a misspelt name or another JSON type is refused, never guessed at."""

from typing import Any

from rest_framework import serializers


class StrictSerializer(serializers.Serializer[Any]):
    """A body in which every field is known: `sendAt` for `send_at` must not send at once."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, dict) else []
        if unknown:
            raise serializers.ValidationError({unknown[0][:64]: ["Not known here."]})
        return super().to_internal_value(data)


class JsonText(serializers.CharField):
    """A JSON string: 5 is none, though it could be written as one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        text: str = super().to_internal_value(data)
        return text


class JsonInteger(serializers.IntegerField):
    """A JSON number without a fraction: "30" is text, and true is no 1."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        number: int = super().to_internal_value(data)
        return number


class JsonBoolean(serializers.BooleanField):
    """true or false: neither "no" nor 0 says whether somebody wants to be left alone."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data
