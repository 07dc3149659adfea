"""The ready flows on the campaigns page: a choice or two, and the draft stands before its reader for review."""

from datetime import datetime, timedelta
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from assets.models import PopupResource, PopupRevision, PushResource
from assets.services import CannotSaveResource, PopupDraft, PopupVariantDraft, popup_resource_save
from campaigns.models import Campaign
from campaigns.services.ready import (
    CannotMakeReady,
    announcement_make_ready,
    campaign_make_ready,
    ready_flow_in_use,
    segment_push_make_ready,
)
from campaigns.services.schedule import MAX_AHEAD, TOO_FAR
from devices.admin.base import BrandScopedAdmin
from devices.admin.wall_time import WallTimeField
from devices.brands.selectors.current_brand import current_brand
from devices.brands.selectors.staff import Role
from devices.models import Brand, PushCategory
from devices.people.selectors.categories import categories_in_use
from devices.people.services.categories import category_defaults
from segments.models import Segment
from segments.services import segment_of_category, segment_ready
from smartpush.common.database.free_names import free_name
from smartpush.common.language.default_words import words_in
from smartpush.common.time.clock import utc_now

FLOW = Campaign.ReadyFlow
READY_DRAFT = "“{campaign}” was made from the ready flow and is still a draft: here it is. No second one was made."
READY_RUNNING = (
    "“{campaign}” came from the ready flow and is {state}: here it is. No second one was made, because both would ask"
    " the same visitors. To begin anew, disable this one first."
)
OTHER_ASKS = "“{campaign}” is {state} and asks the same visitors: disable it when you activate this one."
ABOUT = {
    FLOW.ASK: "A popup for everybody who can still be asked; a welcome push for those who allow.",
    FLOW.ASK_CATEGORIES: "The popup also offers categories to tick; a welcome push for those who allow.",
    FLOW.SEGMENT_PUSH: "One push to a segment, or to those who chose a category; now or at a time.",
    FLOW.ANNOUNCEMENT: "A popup with news or an offer at the next visit; it asks for no permission.",
}
ICONS = {
    FLOW.ASK: "notifications_active",
    FLOW.ASK_CATEGORIES: "checklist",
    FLOW.SEGMENT_PUSH: "send",
    FLOW.ANNOUNCEMENT: "campaign",
}
EVERYBODY = "everybody"


def ready_choices() -> list[dict[str, Any]]:
    """The ready flows as the campaigns page offers them."""
    return [
        {
            "name": flow.value,
            "label": flow.label,
            "about": ABOUT[flow],
            "icon": ICONS[flow],
            "asks_first": flow in (FLOW.SEGMENT_PUSH, FLOW.ANNOUNCEMENT),
        }
        for flow in FLOW
    ]


def _audiences(brand: Brand, *, reachable: bool) -> list[tuple[str, Any]]:
    """Who it is for: everybody, those of a category, a segment."""
    segments = [(f"segment:{row.pk}", row.name) for row in Segment.objects.filter(brand=brand).order_by("name")]
    categories = [
        (f"category:{row.marker}", f"Allowed and subscribed to {row.name}")
        for row in categories_in_use(brand_id=brand.pk)
    ]
    everybody = "Everybody who has allowed pushes" if reachable else "Everybody"
    found: list[tuple[str, Any]] = [(EVERYBODY, everybody)]
    if categories:
        found.append(("Push categories", categories))
    return [*found, ("Segments", segments)]


def _audience(brand: Brand, choice: str, *, reachable: bool) -> Segment | None:
    """The segment that a choice means; the one of a category is made where the brand has none."""
    kind, _, key = choice.partition(":")
    if kind == "segment":
        return Segment.objects.get(brand=brand, pk=int(key))
    if kind == "category":
        return segment_of_category(category=PushCategory.objects.get(brand=brand, marker=key))
    return segment_ready(brand=brand, key=Segment.Ready.PUSH_ENABLED) if reachable else None


class SegmentPushForm(forms.Form):
    push = forms.ModelChoiceField(
        PushResource.objects.none(), empty_label="Choose a push", widget=UnfoldAdminSelectWidget()
    )
    audience = forms.ChoiceField(label="To", widget=UnfoldAdminSelectWidget())
    when = forms.ChoiceField(
        choices=[("now", "As soon as it is activated"), ("at", "At a time")],
        initial="now",
        widget=UnfoldAdminRadioSelectWidget(),
    )
    at = WallTimeField(
        label="Time",
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
    )

    def __init__(self, *args: Any, brand: Brand, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.brand = brand
        usable = PushResource.objects.filter(brand=brand, archived_at=None, current_revision__isnull=False)
        push: Any = self.fields["push"]
        push.queryset = usable.order_by("name")
        audience: Any = self.fields["audience"]
        audience.choices = _audiences(brand, reachable=True)
        self.fields["at"].help_text = f"In the time of {brand.time_zone}."
        if not usable.exists():
            push.empty_label = "The brand has no push yet: create one first"

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("when") == "at" and "at" not in self.errors:
            if data.get("at") is None:
                self.add_error("at", "Say when it is sent.")
            elif data["at"] < utc_now() - timedelta(minutes=5):
                self.add_error("at", "This time is past.")
            elif data["at"] > utc_now() + MAX_AHEAD:
                self.add_error("at", TOO_FAR)
        return data

    @property
    def notices(self) -> list[str]:
        """Sentences about what was made of the time."""
        notice = cast(WallTimeField, self.fields["at"]).notice
        return [notice] if notice and self.cleaned_data["when"] == "at" else []

    def make(self, *, by: Any, now: datetime) -> Campaign:
        """The draft."""
        data = self.cleaned_data
        return segment_push_make_ready(
            brand=self.brand,
            push=data["push"],
            segment=_audience(self.brand, data["audience"], reachable=True),
            scheduled_at=data["at"] if data["when"] == "at" else now,
            by=by,
            now=now,
        )


class AnnouncementForm(forms.Form):
    notices: tuple[str, ...] = ()
    popup = forms.ModelChoiceField(
        PopupResource.objects.none(),
        required=False,
        empty_label="Write a new one",
        widget=UnfoldAdminSelectWidget(attrs={"data-popup-choice": ""}),
    )
    title = forms.CharField(required=False, max_length=120, widget=UnfoldAdminTextInputWidget())
    text = forms.CharField(
        required=False, max_length=600, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}), help_text="May be empty."
    )
    primary_url = forms.CharField(
        label="Button opens",
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "https://"}),
        help_text="A page on the brand's hosts. Empty: the button closes the popup and its click is counted.",
    )
    audience = forms.ChoiceField(label="For", widget=UnfoldAdminSelectWidget())

    new = ("title", "text", "primary_url")

    def __init__(self, *args: Any, brand: Brand, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.brand = brand
        usable = PopupResource.objects.filter(brand=brand, archived_at=None, current_revision__isnull=False)
        popup: Any = self.fields["popup"]
        popup.queryset = usable.exclude(current_revision__primary=PopupRevision.Primary.PERMISSION).order_by("name")
        audience: Any = self.fields["audience"]
        audience.choices = _audiences(brand, reachable=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if not data.get("popup") and not data.get("title"):
            self.add_error("title", "Choose a popup or write a title.")
        return data

    def make(self, *, by: Any, now: datetime) -> Campaign:
        """The draft, with its popup where that is new."""
        data = self.cleaned_data
        popup = data["popup"] or self._write(by)
        segment = _audience(self.brand, data["audience"], reachable=False)
        return announcement_make_ready(brand=self.brand, popup=popup, segment=segment, by=by, now=now)

    def _write(self, by: Any) -> PopupResource:
        data = self.cleaned_data
        opens = bool(data["primary_url"])
        words = words_in(self.brand.default_language).buttons
        variant = PopupVariantDraft(
            language=self.brand.default_language,
            title=data["title"],
            text=data["text"],
            subscribe_label=words.show if opens else words.got_it,
            later_label=words.not_now if opens else "",
            close_label=words.close,
        )
        draft = PopupDraft(
            variants=(variant,),
            default_language=self.brand.default_language,
            primary="url" if opens else "click",
            primary_url=data["primary_url"],
        )
        name = free_name(rows=PopupResource.objects.filter(brand=self.brand), wanted=data["title"][:110])
        return popup_resource_save(brand=self.brand, name=name, draft=draft, by=by).resource


FORMS: dict[str, type[SegmentPushForm] | type[AnnouncementForm]] = {
    FLOW.SEGMENT_PUSH: SegmentPushForm,
    FLOW.ANNOUNCEMENT: AnnouncementForm,
}


class ReadyFlowsAdmin(BrandScopedAdmin):
    """The pages of the ready flows; editors make drafts, publishers activate them."""

    class Media:
        css = {"all": ["campaigns/flow.css"]}

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("ready/", wrap(self.ready_view), {"flow": FLOW.ASK.value}, name="campaigns_campaign_ready"),
            path("ready/<str:flow>/", wrap(self.ready_view), name="campaigns_campaign_ready_flow"),
            *super().get_urls(),
        ]

    def ready_view(self, request: HttpRequest, flow: str) -> HttpResponse:
        """Make the draft of a ready flow and show it for review; GET asks what it needs to know first."""
        self.require_role(request, None, Role.EDITOR)
        brand = current_brand(request)
        assert brand is not None  # a role is held at a brand
        if flow not in FLOW.values:
            raise Http404
        try:
            if flow in FORMS:
                return self._asked_first(request, brand, flow)
            return self._asking(request, brand, flow)
        except CannotSaveResource as refusal:
            reasons = " ".join(text for texts in refusal.fields.values() for text in texts)
            messages.error(request, f"The ready flow could not be made. {reasons}")
            return HttpResponseRedirect(reverse("admin:campaigns_campaign_changelist"))

    def _asking(self, request: HttpRequest, brand: Brand, flow: str) -> HttpResponse:
        """Both *Ask for permission*: one click, and a question where the brand has no category."""
        found = ready_flow_in_use(brand=brand, flow=flow)
        if found is not None:
            said = READY_DRAFT if found.state == Campaign.State.DRAFT else READY_RUNNING
            messages.info(request, said.format(campaign=found, state=found.get_state_display().lower()))
            return _review(found)
        with_categories = flow == FLOW.ASK_CATEGORIES
        needed = with_categories and not categories_in_use(brand_id=brand.pk)
        offered = category_defaults(language=brand.default_language).values()
        if request.method != "POST" or (needed and "make_categories" not in request.POST):
            return self._page(request, flow, {"needs_categories": needed, "default_categories": offered})
        by: Any = request.user
        campaign = campaign_make_ready(
            brand=brand, by=by, now=utc_now(), with_categories=with_categories, make_categories=needed
        )
        other = ready_flow_in_use(brand=brand, flow=FLOW.ASK if with_categories else FLOW.ASK_CATEGORIES)
        if other is not None and other.state != Campaign.State.DRAFT:
            state = other.get_state_display().lower()
            messages.warning(request, OTHER_ASKS.format(campaign=other, state=state))
        return _review(campaign)

    def _asked_first(self, request: HttpRequest, brand: Brand, flow: str) -> HttpResponse:
        """Those with a choice to make: a short form, then the review."""
        form = FORMS[flow](request.POST or None, brand=brand)
        if request.method == "POST" and form.is_valid():
            try:
                campaign = form.make(by=request.user, now=utc_now())
                for notice in form.notices:
                    messages.warning(request, notice)
                return _review(campaign)
            except CannotMakeReady as refusal:
                form.add_error(None, str(refusal))
            except CannotSaveResource as refusal:
                for name, texts in refusal.fields.items():
                    field = name.rsplit(".", 1)[-1]
                    form.add_error(field if field in form.fields else None, texts)
        return self._page(request, flow, {"form": form})

    def _page(self, request: HttpRequest, flow: str, more: dict[str, Any]) -> HttpResponse:
        choice = next(item for item in ready_choices() if item["name"] == flow)
        context = {
            **self.admin_site.each_context(request),
            "title": choice["label"],
            "subtitle": "Ready flow",
            "opts": self.opts,
            "choice": choice,
            "back": reverse("admin:campaigns_campaign_changelist"),
            **more,
        }
        return TemplateResponse(request, "campaigns/ready.html", context)


def _review(campaign: Campaign) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:campaigns_campaign_review", args=[campaign.pk]))
