"""The list of campaigns, the settings and the flow, the review, and what changes a campaign's state."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.decorators import display

from campaigns.admin.catalogue import catalogue
from campaigns.admin.forms import CampaignForm
from campaigns.admin.ready import ReadyFlowsAdmin, ready_choices
from campaigns.admin.report import activity_reports
from campaigns.admin.review import review_context
from campaigns.admin.transitions import TRANSITIONS, Refused, Transition, possible
from campaigns.drafts.warnings import trigger_warning
from campaigns.models import Campaign, CampaignVersion, EntryGuard, Launch, VersionStep
from campaigns.selectors.audiences import audience_outdated
from campaigns.selectors.counts import stopping, totals
from campaigns.services.publish import campaign_problems
from campaigns.services.states import campaign_delete
from devices.admin.base import BrandScopedHistoryAdmin
from devices.admin.deleting import Asks, Named, Never
from devices.brands.selectors.current_brand import current_brand, staff_brand
from devices.brands.selectors.staff import Role, has_brand_role
from devices.brands.services.deleting import Numbers
from devices.models import Brand
from smartpush.common.time.clock import utc_now

STATE_TONES = {
    Campaign.State.DRAFT: "default",
    Campaign.State.ACTIVE: "success",
    Campaign.State.PAUSED: "warning",
    Campaign.State.DISABLED: "danger",
    Campaign.State.ARCHIVED: "default",
    Campaign.State.EXECUTED: "info",
}

_RAN = Never("It has run, and people have been in it: what happened to them stays readable.", "archived")


@admin.register(Campaign)
class CampaignAdmin(ReadyFlowsAdmin, BrandScopedHistoryAdmin):
    form = CampaignForm
    delete_role = Role.EDITOR
    deleting = Asks(
        bars=(
            Named(CampaignVersion, "published version", "published versions"),
            Named(EntryGuard, "person who has been in it", "people who have been in it"),
            Named(Launch, "start", "starts"),
        ),
        records=(VersionStep,),
        instead="It has run: archive it instead.",
        means="It is a draft that never ran. Its settings and its flow go; pushes, popups and segments stay.",
    )
    change_form_template = "campaigns/campaign.html"
    list_before_template = "campaigns/list_before.html"
    list_display = ["name", "state_label", "kind", "audience", "entered", "inside", "done", "updated_at"]
    list_filter = ["state", "kind"]
    list_select_related = ["segment"]
    list_per_page = 50
    search_fields = ["name"]
    warn_unsaved_form = True
    conditional_fields = {
        "trigger_kind": "kind == 'realtime'",
        "trigger_event": "kind == 'realtime' && trigger_kind == 'event'",
        "trigger_segment": "kind == 'realtime' && trigger_kind != 'event'",
        "scheduled_at": "kind == 'scheduled'",
    }
    fieldsets = [
        (None, {"fields": ["name", "purpose"]}),
        (
            "Entry",
            {
                "fields": [
                    "kind",
                    "trigger_kind",
                    "trigger_event",
                    "trigger_segment",
                    "scheduled_at",
                    "segment",
                    "entry_mode",
                    "entry_interval",
                ]
            },
        ),
        (None, {"fields": ["flow"], "classes": ["sp-hidden"]}),
    ]

    # --- the list ---
    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        rows = list(changelist.result_list)
        counted = totals(campaign_ids=[row.pk for row in rows])
        for row in rows:
            row.totals = counted[row.pk]
        changelist.result_list = rows
        return changelist

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(
            request,
            {
                "may_write": self.has_add_permission(request),
                "ready_flows": ready_choices(),
                **(extra_context or {}),
            },
        )

    @display(description="State", ordering="state", label=STATE_TONES)
    def state_label(self, obj: Campaign) -> tuple[str, str]:
        return obj.state, obj.get_state_display()

    @display(description="Audience", ordering="segment__name")
    def audience(self, obj: Campaign) -> str:
        return str(obj.segment) if obj.segment else "Everybody"

    @display(description="Entered")
    def entered(self, obj: Any) -> int:
        return int(obj.totals.entered)

    @display(description="Inside now")
    def inside(self, obj: Any) -> int:
        return int(obj.totals.active)

    @display(description="Done")
    def done(self, obj: Any) -> int:
        return int(obj.totals.done)

    # --- one campaign ---
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A draft that never ran; the others are archived, because people have been in them."""
        never_ran = obj is None or (obj.state == Campaign.State.DRAFT and obj.current_version_id is None)
        return never_ran and super().has_delete_permission(request, obj)

    def never_deleted(self, obj: Campaign) -> Never | None:
        never_ran = obj.state == Campaign.State.DRAFT and obj.current_version_id is None
        return None if never_ran else _RAN

    def instead_of_deleting(self, request: HttpRequest, obj: Campaign) -> Mapping[str, Any]:
        archives = obj.state in TRANSITIONS["archive"].states and self._allowed(request, obj, Role.PUBLISHER)
        if not archives:
            return {}
        url = reverse("admin:campaigns_campaign_archive", args=[obj.pk])
        return {"instead_url": url, "instead_label": "Archive it instead"}

    def delete_row(self, request: HttpRequest, obj: Campaign, agreed: Numbers) -> Numbers:
        return campaign_delete(campaign=obj, agreed=agreed)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        open_to_edits = obj is None or obj.state != Campaign.State.ARCHIVED
        return open_to_edits and super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Campaign, form: Any, change: bool) -> None:
        for notice in form.notices:
            messages.warning(request, notice)
        if change:
            # Only what the form shows: the state and the version may have changed since the row was read.
            shown = {field.name for field in obj._meta.concrete_fields} & form.cleaned_data.keys()
            obj.save(update_fields=[*shown, "updated_at"])
        else:
            obj.created_by_id = request.user.pk
            super().save_model(request, obj, form, change)
        warning = "" if "_review" in request.POST else trigger_warning(campaign=obj)
        if warning:
            messages.warning(request, warning)

    def response_add(self, request: HttpRequest, obj: Campaign, post_url_continue: Any = None) -> HttpResponse:
        return self._after_saving(request, obj) or super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Campaign) -> HttpResponse:
        return self._after_saving(request, obj) or super().response_change(request, obj)

    def _after_saving(self, request: HttpRequest, obj: Campaign) -> HttpResponse | None:
        if "_review" in request.POST:
            return HttpResponseRedirect(reverse("admin:campaigns_campaign_review", args=[obj.pk]))
        return None

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        campaign: Campaign | None = kwargs.get("obj")
        brand = campaign.brand if campaign is not None else current_brand(request)
        form = context["adminform"].form
        shown = form.data.get("flow") if form.is_bound else None
        context |= {
            "flow_config": {
                "catalogue": catalogue(brand=brand),
                "catalogue_url": _catalogue_url(brand),
                "problems": [
                    {"key": problem.key, "message": problem.message}
                    for problem in (campaign_problems(campaign=campaign, now=utc_now()) if campaign is not None else [])
                ],
                "may_write": self._allowed(request, campaign, Role.EDITOR)
                and (campaign is None or campaign.state != Campaign.State.ARCHIVED),
            },
            "flow_value": shown if shown is not None else (campaign.flow if campaign is not None else {}),
        }
        context["show_save_and_add_another"] = False
        if campaign is not None:
            context |= self._standing(request, campaign)
        return super().render_change_form(request, context, *args, **kwargs)

    def _standing(self, request: HttpRequest, campaign: Campaign) -> dict[str, Any]:
        return {
            "campaign": campaign,
            "state_tone": STATE_TONES[Campaign.State(campaign.state)],
            "totals": totals(campaign_ids=[campaign.pk])[campaign.pk],
            "audience_outdated": audience_outdated(campaign=campaign, now=utc_now()),
            "reports": activity_reports(campaign=campaign) if campaign.current_version_id else [],
            "transitions": possible(campaign),
            "may_publish": has_brand_role(request.user, campaign.brand_id, Role.PUBLISHER),
        }

    # --- pages of our own ---
    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view

        def confirm(transition: Transition) -> Callable[..., HttpResponse]:
            def view(request: HttpRequest, object_id: str) -> HttpResponse:
                return self.transition_view(request, object_id, transition)

            return view

        return [
            path("catalogue/", wrap(self.catalogue_view), name="campaigns_campaign_catalogue"),
            path("<path:object_id>/review/", wrap(self.review_view), name="campaigns_campaign_review"),
            *(
                path(f"<path:object_id>/{name}/", wrap(confirm(transition)), name=f"campaigns_campaign_{name}")
                for name, transition in TRANSITIONS.items()
            ),
            *super().get_urls(),
        ]

    def catalogue_view(self, request: HttpRequest) -> HttpResponse:
        """GET brand: the activities, and what that brand has to send and show."""
        named = request.GET.get("brand", "")
        if not named.isdecimal() or len(named) > 18:
            return JsonResponse({"error": "Name a brand by its number: ?brand=1."}, status=400)
        brand = staff_brand(request, int(named))
        if brand is None:
            raise Http404
        return JsonResponse(catalogue(brand=brand))

    def review_view(self, request: HttpRequest, object_id: str, *, refusal: Refused | None = None) -> HttpResponse:
        """Show what will happen to whom before anything runs; `refusal` says why it was not activated just now."""
        campaign: Campaign = self.object_or_404(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            **review_context(campaign=campaign, now=utc_now()),
            **self._standing(request, campaign),
            "title": campaign.name,
            "subtitle": "Review",
            "opts": self.opts,
            "original": campaign,
            "object_id": object_id,
            "may_activate": campaign.state in TRANSITIONS["activate"].states,
            "activation": TRANSITIONS["activate"],
            "refusal": refusal,
        }
        return TemplateResponse(request, "campaigns/review.html", context, status=409 if refusal is not None else 200)

    def transition_view(self, request: HttpRequest, object_id: str, transition: Transition) -> HttpResponse:
        """Ask, then activate, pause, resume, disable or archive; publishers and above. The review asks to activate."""
        campaign: Campaign = self.object_or_404(request, object_id)
        self.require_role(request, campaign, Role.PUBLISHER)
        asks_by_review = transition.name == "activate"
        problems: list[str] = []
        if request.method == "POST":
            try:
                transition.run(campaign, request.user, utc_now(), reviewed=request.POST.get("reviewed", ""))
            except Refused as refusal:
                if asks_by_review:
                    return self.review_view(request, object_id, refusal=refusal)
                problems = refusal.problems
            else:
                messages.success(request, transition.done.format(campaign=campaign))
                return HttpResponseRedirect(reverse("admin:campaigns_campaign_change", args=[campaign.pk]))
        if asks_by_review:
            return self.review_view(request, object_id)
        return self.confirm_page(
            request,
            campaign,
            title=transition.question.format(campaign=campaign),
            explanation=transition.explanation,
            button=transition.button,
            danger=transition.danger,
            numbers=_ends(campaign) if transition.stops else (),
            problems=problems,
            back=reverse("admin:campaigns_campaign_change", args=[campaign.pk]),
        )


def _catalogue_url(brand: Brand | None) -> str:
    return f"{reverse('admin:campaigns_campaign_catalogue')}?brand={brand.pk}" if brand is not None else ""


def _ends(campaign: Campaign) -> tuple[str, str]:
    numbers = stopping(campaign=campaign)
    return (f"Open journeys that end now: {numbers.journeys:,}", f"Waiting pushes to cancel: {numbers.pushes:,}")
