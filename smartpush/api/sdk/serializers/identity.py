"""Who somebody is, in requests: external ids, identity tokens and languages; and what answers say of the proof."""

from typing import Any

from rest_framework import serializers

from devices.brands.models.brands import TIME_ZONES
from devices.people.services.external_ids import CannotUseExternalId, external_id_clean
from smartpush.api.sdk.parsers import REPLACEMENT
from smartpush.common.calls.left_out import LeftOutCode
from smartpush.common.language.languages import language_clean


class ExternalIdField(serializers.CharField):
    """The brand's own id of an end user: 1 to 255 characters that can be seen; blanks around it are dropped.

    Text only: of 7 and "7", or 1 and true, nobody could tell later whether they are one person.
    """

    default_error_messages = {
        "invalid": 'The external id is text: send "7", not 7.',
        "characters": "An external id may contain neither NUL nor half of a surrogate pair.",
    }

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if REPLACEMENT in data:  # two ids that differ in what was replaced would be one person
            self.fail("characters")
        text: str = super().to_internal_value(data)
        try:
            return external_id_clean(text)
        except CannotUseExternalId as problem:
            raise serializers.ValidationError(str(problem)) from None


class LanguageField(serializers.CharField):
    """A language tag, kept as variants name it."""

    def to_internal_value(self, data: Any) -> str:
        text: str = super().to_internal_value(data)
        cleaned = language_clean(text)
        if text and not cleaned:
            raise serializers.ValidationError("Not a language such as en, el or pt-BR.", code=LeftOutCode.UNREADABLE)
        return cleaned


class TimeZoneField(serializers.CharField):
    """An IANA zone: any other would abort a set statement later."""

    def to_internal_value(self, data: Any) -> str:
        text: str = super().to_internal_value(data)
        if text and text not in TIME_ZONES:
            raise serializers.ValidationError("Not an IANA zone such as Europe/Athens.", code=LeftOutCode.NOT_KNOWN)
        return text


class IdentityAnswer(serializers.Serializer[Any]):
    required = serializers.BooleanField()  # type: ignore[assignment]
    proven_until = serializers.DateTimeField(allow_null=True)
