"""Popups: offers and their outcomes."""

from rest_framework import serializers

from devices.delivery.popup_outcomes import POPUP_OUTCOMES
from devices.people.services.categories import MAX_CATEGORIES
from smartpush.api.sdk.serializers.fields import TabSerializer
from smartpush.api.sdk.serializers.keeping import KeptList, KeptText
from smartpush.api.sdk.serializers.sessions import PushSerializer


class PollSerializer(TabSerializer):
    offer = serializers.CharField(
        max_length=24,
        required=False,
        allow_blank=True,
        default="",
        help_text="The offer that this tab shows: it hears whether that was taken back.",
    )


class OfferSerializer(TabSerializer):
    offer = serializers.CharField(max_length=24)


class OutcomeSerializer(OfferSerializer):
    essential = frozenset({"push"})
    outcome = serializers.ChoiceField(choices=sorted(POPUP_OUTCOMES))
    push = PushSerializer(required=False, allow_null=True, default=None)
    categories = KeptList(
        child=serializers.CharField(max_length=64),
        most=MAX_CATEGORIES,
        required=False,
        allow_null=True,
        default=None,
        help_text="What was ticked when the first button was clicked.",
    )
    language = KeptText(keep=16, help_text="The offer's `content.language`.")
