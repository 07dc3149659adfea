"""Who somebody is, in requests: external ids, identity tokens and languages; and what answers say of the proof."""

from typing import Any

from rest_framework import serializers

from devices.services.external_ids import CannotUseExternalId, external_id_clean
from smartpush.common.languages import language_clean


class ExternalIdField(serializers.CharField):
    """The brand's own id of an end user: 1 to 255 characters that can be seen; blanks around it are dropped.

    Text only: of 7 and "7", or 1 and true, nobody could tell later whether they are one person.
    """

    default_error_messages = {"invalid": 'The external id is text: send "7", not 7.'}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        text: str = super().to_internal_value(data)
        try:
            return external_id_clean(text)
        except CannotUseExternalId as problem:
            raise serializers.ValidationError(str(problem)) from None


class LanguageField(serializers.CharField):
    """A language that the page's author set: what is none is refused with an example."""

    def to_internal_value(self, data: Any) -> str:
        text: str = super().to_internal_value(data)
        cleaned = language_clean(text)
        if text and not cleaned:
            raise serializers.ValidationError("Not a language such as en, el or pt-BR.")
        return cleaned


class ClientLanguageField(serializers.CharField):
    """The language that a browser or system reports: what is none is left out: no session fails by it."""

    def to_internal_value(self, data: Any) -> str:
        return language_clean(super().to_internal_value(data))


class IdentityAnswer(serializers.Serializer[Any]):
    required = serializers.BooleanField()  # type: ignore[assignment]
    proven_until = serializers.DateTimeField(allow_null=True)
