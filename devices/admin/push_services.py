"""What push services accept from us, and the incidents: written by the engine; a hold can be lifted by hand."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from unfold.decorators import action, display

from devices.admin.base import ReadOnlyAdmin
from devices.brands.selectors.incidents import TEXTS
from devices.brands.selectors.origins import origin_names
from devices.brands.selectors.staff import Role, has_role_anywhere
from devices.delivery.push_services.budgets import Target, budget_lift
from devices.models import Brand, Incident, SendBudget
from smartpush.common.time.clock import utc_now


def _rate(rate: float) -> str:
    a_minute = rate * 60
    return f"About {a_minute:,.0f} a minute" if a_minute >= 10 else f"About {a_minute:.1f} a minute"


@admin.register(SendBudget)
class SendBudgetAdmin(ReadOnlyAdmin):
    list_display = ["place", "state", "accepts", "last_status", "held_until", "since"]
    list_filter = ["kind"]
    ordering = ["-updated_at"]
    fields = ["place", "sender", "state", "accepts", "held_until", "refusals", "last_status", "since", "updated_at"]
    readonly_fields = ["place", "state", "accepts"]
    empty_hint = "No push service has limited or refused this brand lately. What one does is listed here."
    actions_detail: Any = ["to_lift"]

    @display(description="Push service", ordering="origin")
    def place(self, obj: SendBudget) -> str:
        origin = obj.origin if obj.origin != "fcm" else obj.sender
        if obj.origin == "fcm":
            return f"Firebase project {obj.sender.removeprefix('fcm:')}"
        return origin_names([origin])[origin]

    @display(
        description="State",
        label={"Sends": "success", "Held: slow down": "warning", "Held: key refused": "danger", "Trying": "info"},
    )
    def state(self, obj: SendBudget) -> str:
        if not obj.kind:
            return "Sends"
        if obj.held_until is None or obj.held_until <= utc_now():
            return "Trying"
        return "Held: key refused" if obj.kind == SendBudget.Kind.BREAKER else "Held: slow down"

    @display(description="Accepts")
    def accepts(self, obj: SendBudget) -> str:
        return "No limit is known" if obj.rate is None else _rate(obj.rate)

    # --- lifting a hold ---
    @action(description="Lift the hold", url_path="to-lift")
    def to_lift(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lead to the question."""
        self.require_role(request, self.object_or_404(request, object_id), Role.ADMIN)
        return HttpResponseRedirect(reverse("admin:devices_sendbudget_lift", args=[object_id]))

    def get_actions_detail(self, request: HttpRequest, object_id: int | str) -> list[Any]:
        """Offer to lift a hold, where there is one, to who may."""
        obj = self.get_object(request, str(object_id))
        may = obj is not None and obj.kind and self._allowed(request, obj, Role.ADMIN)
        return list(super().get_actions_detail(request, object_id)) if may else []

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<path:object_id>/lift/", wrap(self.lift_view), name="devices_sendbudget_lift"),
            *super().get_urls(),
        ]

    def lift_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then end the hold."""
        budget: SendBudget = self.object_or_404(request, object_id)
        self.require_role(request, budget, Role.ADMIN)
        back = reverse("admin:devices_sendbudget_change", args=[budget.pk])
        place = self.place(budget)
        if request.method == "POST":
            if budget_lift(target=Target(budget.sender, budget.origin), now=utc_now()):
                self.log_change(request, budget, f"Lifted the hold ({budget.get_kind_display()}).")
                messages.success(request, f"Messages to {place} go out again.")
            else:
                messages.info(request, f"Nothing was held for {place} any more.")
            return HttpResponseRedirect(back)
        return self.confirm_page(
            request,
            budget,
            title=f"Lift the hold for {place}?",
            explanation=(
                "Messages that wait for this push service go out at once, without a limit. If it refuses them "
                "again, they are held again. The history says that you lifted the hold."
            ),
            button="Lift the hold",
            danger=True,
            back=back,
        )


@admin.register(Incident)
class IncidentAdmin(ReadOnlyAdmin):
    list_display = ["kind_label", "place", "state", "count", "since", "until"]
    list_filter = ["kind"]
    ordering = ["-since"]
    fields = ["kind", "place", "state", "means", "what_to_do", "detail", "count", "since", "last_at", "until"]
    readonly_fields = ["place", "state", "means", "what_to_do"]
    empty_hint = "Nothing has gone wrong. What needs somebody is listed here, with what to do."

    def brands_condition(self, brands: Sequence[Brand]) -> Q:
        """Those of the brands, and those of the whole installation."""
        return super().brands_condition(brands) | Q(brand__isnull=True)

    def _allowed(self, request: HttpRequest, obj: Any, role: str | None) -> bool:
        if role is not None and obj is not None and obj.brand_id is None:
            return has_role_anywhere(request.user, role)
        return super()._allowed(request, obj, role)

    @display(description="What", ordering="kind")
    def kind_label(self, obj: Incident) -> str:
        return obj.get_kind_display()

    @display(description="Where", ordering="subject")
    def place(self, obj: Incident) -> str:
        return origin_names([obj.subject])[obj.subject]

    @display(description="State", label={"Open": "danger", "Over": "default"})
    def state(self, obj: Incident) -> str:
        return "Open" if obj.until is None else "Over"

    @display(description="What it means")
    def means(self, obj: Incident) -> str:
        return TEXTS[obj.kind].means

    @display(description="What to do")
    def what_to_do(self, obj: Incident) -> str:
        return TEXTS[obj.kind].do
