"""The ledgers, the dispatches that steer them, and the events: written by the engine, read by staff."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from devices.admin.base import ReadOnlyAdmin
from devices.brands.selectors.staff import Role
from devices.delivery.words import DELIVERY_REASONS
from devices.models import Delivery, DeliveryChunk, Dispatch, Event, PopupOffer

DELIVERY_TONES = {
    Delivery.State.READY: "info",
    Delivery.State.SENDING: "info",
    Delivery.State.ACCEPTED: "success",
    Delivery.State.FAILED: "danger",
    Delivery.State.GONE: "warning",
    Delivery.State.EXPIRED: "default",
    Delivery.State.CANCELLED: "default",
    Delivery.State.UNKNOWN: "danger",
    Delivery.State.SUPPRESSED: "default",
}
OFFER_TONES = {
    PopupOffer.State.PENDING: "info",
    PopupOffer.State.LEASED: "info",
    PopupOffer.State.SHOWN: "primary",
    PopupOffer.State.ALLOWED: "success",
    PopupOffer.State.BLOCKED: "danger",
    PopupOffer.State.CLICKED: "success",
    PopupOffer.State.LATER: "default",
    PopupOffer.State.CLOSED: "default",
    PopupOffer.State.DISMISSED: "default",
    PopupOffer.State.NO_ANSWER: "default",
    PopupOffer.State.EXPIRED: "default",
    PopupOffer.State.CANCELLED: "default",
}


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ["id", "dispatch", "end_user", "state_label", "why", "http_status", "created_at", "sent_at", "marks"]
    list_filter = ["state"]
    list_select_related = ["dispatch", "end_user"]
    ordering = ["-pk"]
    fields = [
        "id", "dispatch", "end_user", "device", "state", "reason_words", "hold_words", "origin", "tries", "http_status",
        "created_at", "next_attempt_at", "expires_at", "sent_at", "finished_at", "displayed_at", "clicked_at",
        "clicked_action", "closed_at",
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("variables", "dispatch__content", "end_user__properties")

    @display(description="State", ordering="state", label=DELIVERY_TONES)
    def state_label(self, obj: Delivery) -> tuple[str, str]:
        return obj.state, obj.get_state_display()

    @display(description="Reason")
    def why(self, obj: Delivery) -> str:
        return DELIVERY_REASONS.of(obj.reason or obj.hold_reason)

    @display(description="Reason")
    def reason_words(self, obj: Delivery) -> str:
        return DELIVERY_REASONS.of(obj.reason) or "–"

    @display(description="Waits for")
    def hold_words(self, obj: Delivery) -> str:
        return DELIVERY_REASONS.of(obj.hold_reason) or "–"

    @display(description="Seen")
    def marks(self, obj: Delivery) -> str:
        seen = (("displayed", obj.displayed_at), ("clicked", obj.clicked_at), ("closed", obj.closed_at))
        return ", ".join(word for word, moment in seen if moment)


@admin.register(PopupOffer)
class PopupOfferAdmin(ReadOnlyAdmin):
    list_display = ["id", "dispatch", "end_user", "state_label", "created_at", "shown_at", "finished_at"]
    list_filter = ["state"]
    list_select_related = ["dispatch", "end_user"]
    ordering = ["-pk"]
    fields = [
        "id", "dispatch", "end_user", "state", "created_at", "expires_at", "shown_at", "asked_at", "finished_at",
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("dispatch__content", "end_user__properties")

    @display(description="State", ordering="state", label=OFFER_TONES)
    def state_label(self, obj: PopupOffer) -> tuple[str, str]:
        return obj.state, obj.get_state_display()


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ["name", "end_user", "occurred_at", "properties_line"]
    search_fields = ["name"]
    search_help_text = "Search by the exact name of the event"
    list_select_related = ["end_user"]
    ordering = ["-pk"]
    fields = ["name", "end_user", "properties", "occurred_at", "recorded_at"]

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        term = search_term.strip()
        return (queryset.filter(name=term) if term else queryset), False

    @display(description="Properties")
    def properties_line(self, obj: Event) -> str:
        return ", ".join(f"{key}: {value}" for key, value in list(obj.properties.items())[:4])[:160]


@admin.register(Dispatch)
class DispatchAdmin(ReadOnlyAdmin):
    list_display = ["label", "source", "day", "lane", "purpose", "state", "created_at"]
    list_filter = ["state", "source", "lane"]
    search_fields = ["label", "source_key"]
    ordering = ["-pk"]
    fields = [
        "label", "source", "source_key", "day", "purpose", "lane", "policy", "target_devices", "ttl", "urgency",
        "state", "stop_words", "created_at",
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("content")

    @display(description="Stopped because")
    def stop_words(self, obj: Dispatch) -> str:
        return DELIVERY_REASONS.of(obj.stop_reason) or "–"


@admin.register(DeliveryChunk)
class DeliveryChunkAdmin(ReadOnlyAdmin):
    view_role = Role.ADMIN
    list_display = ["id", "dispatch", "origin", "sender", "lane", "size", "state", "attempt", "leased_until", "done_at"]
    list_filter = ["state", "lane"]
    list_select_related = ["dispatch"]
    ordering = ["-pk"]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("dispatch__content")
