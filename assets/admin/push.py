"""Marketing > Assets > Push."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, RawPostDataException
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from unfold.decorators import action
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldBooleanSwitchWidget,
)

from assets.admin.base import (
    RATE_LIMITED,
    ImageInput,
    ResourceAdmin,
    ResourceForm,
    TextInput,
    templates_wait,
    too_many_words,
)
from assets.admin.durations import UNIT_CHOICES, UNITS, parts
from assets.admin.seen import SeenRevisionForm
from assets.compatibility import READ_ON, buttons_hint, editor_table, hint
from assets.models import PushResource, PushRevision
from assets.services import (
    ButtonDraft,
    CannotSendTest,
    PushDraft,
    PushVariantDraft,
    Utm,
    payload_size,
    push_test_send,
    push_warnings,
)
from assets.services.push import AIM_PAYLOAD, MAX_APP_BADGE, MAX_BUTTONS, PUSH
from assets.services.refusals import facts_of
from devices.brands.selectors.click_hosts import home_page
from devices.brands.selectors.current_brand import current_brand
from devices.brands.selectors.staff import Role, missing_right
from devices.delivery.sending.quiet_hours import zone_choose
from devices.delivery.sending.render import CannotSend
from devices.delivery.transports.encryption import MAX_PLAINTEXT
from devices.models import Brand, EndUser, PushCategory
from segments.selectors.names.known_names import KnownNames
from smartpush.common.language.default_words import translated
from smartpush.common.numbers import counted
from smartpush.common.personalisation import CannotRender, Meter, check_template, names_guarded, names_used, render
from smartpush.common.time.clock import utc_now

MAX_BODY = 50_000  # bytes
MAX_PREVIEWED = 40  # fields
_TEXTS = ("title", "message", "icon", "image", "badge", "click_url", "deep_link")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")  # what a path in a template may be made of
_UTM = ("source", "medium", "campaign", "content", "term")
_ONLY_CLOSES = "Empty: the button only closes the push."
DEFAULT_UTM = Utm(source="smartpush", medium="push")
SAMPLE = {
    "user": {"first_name": "Ann", "last_name": "Archer", "external_id": "ann-1", "language": "en"},
    "event": {"amount": 20},
}


def _line(label: str, *, required: bool = False, placeholder: str = "", text: str = "") -> forms.CharField:
    widget = TextInput({"placeholder": placeholder} if placeholder else None)
    return forms.CharField(label=label, required=required, widget=widget, help_text=text)


def _image(label: str, text: str) -> forms.CharField:
    return forms.CharField(label=label, required=False, widget=ImageInput({"class": "sp-wide"}), help_text=text)


class PushForm(ResourceForm):
    kind = PUSH
    fall_back = ("click_url", "icon", "image", "badge", "deep_link")

    title = _line("Title", required=True)
    message = forms.CharField(
        label="Message",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "class": "sp-wide"}),
        help_text='Personalise with {{ user.first_name | default: "there" }}; user, event and brand have values.',
    )
    click_url = _line(
        "Click opens", placeholder="https://", text="A page on the brand's own hosts; may be personalised."
    )
    icon = _image("Icon", f"Square, 192 pixels or more. {hint('icon')}")
    image = _image("Attached image", f"Wide, about 720 by 360 pixels. {hint('image')}")
    badge = _image("Badge", f"White on transparent, 96 pixels. {hint('badge')}")
    button_1_title = _line("Button 1")
    button_1_url = _line("Opens", placeholder="https://", text=_ONLY_CLOSES)
    button_2_title = _line("Button 2")
    button_2_url = _line("Opens", placeholder="https://", text=_ONLY_CLOSES)
    button_3_title = _line("Button 3")
    button_3_url = _line("Opens", placeholder="https://", text=f"{_ONLY_CLOSES} {buttons_hint()}")
    deep_link = _line(
        "Click opens in the app",
        placeholder="shop://books/42",
        text="A link in your app's own scheme, or https on the brand's hosts. Empty: the app gets the web address.",
    )
    button_1_deep_link = _line("Button 1 opens", placeholder="shop://")
    button_2_deep_link = _line("Button 2 opens", placeholder="shop://")
    button_3_deep_link = _line("Button 3 opens", placeholder="shop://")
    utm_source = _line("Source", placeholder="smartpush")
    utm_medium = _line("Medium", placeholder="push")
    utm_campaign = _line("Campaign", placeholder="spring-sale")
    utm_content = _line("Content")
    utm_term = _line("Term")
    category = forms.ChoiceField(
        label="What it is about",
        required=False,
        widget=UnfoldAdminSelectWidget(),
        help_text="A push category of the brand, so that segments find those who clicked or ignored such pushes."
        " It changes nothing about who gets this one.",
    )
    ttl_amount = forms.IntegerField(
        label="Keep trying for", min_value=0, max_value=40_320, widget=UnfoldAdminIntegerFieldWidget()
    )
    ttl_unit = forms.ChoiceField(
        label="Unit",
        choices=UNIT_CHOICES,
        widget=UnfoldAdminSelectWidget(),
        help_text="A device that is off gets the push when it comes back within this time; 28 days at most.",
    )
    urgency = forms.ChoiceField(
        choices=PushRevision.Urgency.choices,
        widget=UnfoldAdminSelectWidget(),
        help_text="How much of a phone's battery the push is worth.",
    )
    policy = forms.ChoiceField(
        label="When a cut connection leaves it unsure whether a push arrived",
        choices=PushRevision.Policy.choices,
        widget=UnfoldAdminSelectWidget(),
        help_text="Sent again, it replaces the copy on a device that has it; left, the report counts it as unknown.",
    )
    silent = forms.BooleanField(label="Without sound or vibration", required=False, widget=UnfoldBooleanSwitchWidget())
    app_badge = forms.IntegerField(
        label="Number on the app's icon",
        required=False,
        min_value=0,
        max_value=MAX_APP_BADGE,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="For web apps on iPhone and Mac, and for native apps. Empty: it stays as it is; 0 takes it away.",
    )
    field_names = {
        "ttl": "ttl_amount",
        "buttons": "button_1_title",
        **{f"buttons.{n}.title": f"button_{n}_title" for n in range(1, MAX_BUTTONS + 1)},
        **{f"buttons.{n}.url": f"button_{n}_url" for n in range(1, MAX_BUTTONS + 1)},
        **{f"buttons.{n}.deep_link": f"button_{n}_deep_link" for n in range(1, MAX_BUTTONS + 1)},
        **{f"utm.{name}": f"utm_{name}" for name in _UTM},
    }

    class Meta:
        model = PushResource
        fields = ["name"]
        widgets = {"name": TextInput()}
        help_texts = {"name": "For you and your colleagues; end users do not see it."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        brand = self.instance.brand if self.instance.brand_id else getattr(self, "bound_brand", None)
        rows = PushCategory.objects.filter(brand=brand) if brand is not None else PushCategory.objects.none()
        offered = [row for row in rows if row.archived_at is None or row.marker == self.before.category]
        field: Any = self.fields["category"]
        field.choices = [("", "Nothing in particular"), *((row.marker, row.name) for row in offered)]

    def revision_initial(self, draft: PushDraft) -> dict[str, Any]:
        amount, unit = parts(draft.ttl)
        utm = draft.utm if draft.variants else DEFAULT_UTM
        return {
            "ttl_amount": amount,
            "ttl_unit": unit,
            "urgency": draft.urgency,
            "policy": draft.policy,
            "silent": draft.silent,
            "app_badge": draft.app_badge,
            "category": draft.category,
            **{f"utm_{name}": getattr(utm, name) for name in _UTM},
        }

    def variant_initial(self, variant: PushVariantDraft | None) -> dict[str, Any]:
        if variant is not None:
            return {**{name: getattr(variant, name) for name in _TEXTS}, **_shown(variant.buttons)}
        if not self.before.variants:
            return {"icon": getattr(getattr(self, "bound_brand", None), "default_icon_url", "")}
        # A language that is added has the default's buttons; titles that are ours are its own words for them.
        default = next(item for item in self.before.variants if item.language == self.before.default_language)
        language = self.asked_language
        return _shown([replace(item, title=translated(item.title, language=language)) for item in default.buttons])

    def revision_values(self, data: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "ttl": data["ttl_amount"] * UNITS[data["ttl_unit"]],
            "utm": Utm(**{name: data[f"utm_{name}"] for name in _UTM}),
            **{name: data[name] for name in ("urgency", "policy", "silent", "app_badge", "category")},
        }

    def variant_of(self, data: Mapping[str, Any]) -> PushVariantDraft:
        return variant_typed(data["language"], data)


def _shown(buttons: Sequence[ButtonDraft]) -> dict[str, str]:
    """Buttons as the form's fields."""
    return {
        f"button_{number}_{name}": value
        for number, button in enumerate(buttons, 1)
        for name, value in vars(button).items()
    }


def variant_typed(language: str, data: Mapping[str, Any]) -> PushVariantDraft:
    """What stands in the editor's fields, as a variant's draft."""
    buttons = (
        ButtonDraft(*(data.get(f"button_{n}_{name}", "") for name in ("title", "url", "deep_link")))
        for n in range(1, MAX_BUTTONS + 1)
    )
    return PushVariantDraft(language=language, buttons=tuple(buttons), **{name: data.get(name, "") for name in _TEXTS})


def _size(brand: Brand, given: Mapping[str, str]) -> dict[str, int] | None:
    """Bytes of the push as typed, with long plausible values; None while it cannot be rendered."""
    draft = PushDraft(variants=(), utm=Utm(**{name: given.get(f"utm_{name}", "") for name in _UTM}))
    try:
        size, _field = payload_size(draft=draft, variant=variant_typed("en", given), facts=facts_of(brand))
    except CannotSend:
        return None
    return {"bytes": size, "aim": AIM_PAYLOAD, "most": MAX_PLAINTEXT}


def _warnings(brand: Brand, given: Mapping[str, str]) -> dict[str, str]:
    """Return what each text names and the brand's data does not know."""
    known = KnownNames(brand=brand)
    said = {
        field: [known.value_warning(*used, guarded=used in names_guarded(text)) for used in names_used(text)]
        for field, text in given.items()
    }
    return {field: " ".join(dict.fromkeys(filter(None, found))) for field, found in said.items() if any(found)}


def _values(brand: Brand | None) -> list[str]:
    """Return what a text may name, to pick from."""
    if brand is None:
        return []
    known = KnownNames(brand=brand)
    users = (f"user.{name}" for name in known.properties if _NAME.match(name))
    events = (f"event.{name}" for name in known.event_properties() or () if _NAME.match(name))
    return [*users, *events, "brand.name"]


class TestForm(SeenRevisionForm):
    external_id = forms.CharField(
        label="External id of the end user",
        max_length=255,
        widget=TextInput({"autofocus": True, "list": "recent-end-users", "autocomplete": "off"}),
        help_text="The push goes to all of their devices that allow it.",
    )


@admin.register(PushResource)
class PushResourceAdmin(ResourceAdmin):
    counted_as = ("push", "pushes")
    form = PushForm
    kind = PUSH
    list_display = ["name", "title", "languages", "revision", "updated_at"]
    preview_template = "assets/push_preview.html"
    hint = "A push is a notification that campaigns send to devices, even while the site is closed."
    actions_detail = ["send_test"]
    viewer_fields = ("name", "title", "languages", "revision", "updated_at")
    fieldsets = [
        (None, {"fields": ["name", "category"]}),
        ("Message", {"fields": ["title", "message", "click_url"]}),
        ("Pictures", {"fields": ["icon", "image", "badge"]}),
        (
            "Buttons",
            {"fields": [(f"button_{n}_title", f"button_{n}_url") for n in range(1, MAX_BUTTONS + 1)]},
        ),
        (
            "Native apps",
            {"fields": ["deep_link", tuple(f"button_{n}_deep_link" for n in range(1, MAX_BUTTONS + 1))]},
        ),
        (
            "UTM tags",
            {
                "fields": [("utm_source", "utm_medium", "utm_campaign"), ("utm_content", "utm_term")],
                "description": "Added to the web addresses of the click and the buttons, so that your analytics tool"
                " knows where visitors come from. Tags that an address has already stay; links into apps get none.",
            },
        ),
        ("Delivery", {"fields": [("ttl_amount", "ttl_unit"), "urgency", "policy", ("app_badge", "silent")]}),
    ]

    class Media:
        js = ["assets/push-preview.js", "assets/values.js"]

    def warnings(self, brand: Brand, draft: PushDraft) -> Sequence[str]:
        return push_warnings(brand=brand, draft=draft)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        brand = current_brand(request)
        site = urlsplit(home_page(brand=brand)).netloc if brand is not None else ""
        context |= {"browsers": editor_table(), "browsers_read_on": READ_ON, "site": site, "values": _values(brand)}
        return super().render_change_form(request, context, *args, **kwargs)

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """POST {field: text}: each rendered with sample values, or what is wrong with it."""
        brand = current_brand(request)
        if brand is None or not self.has_view_permission(request):
            raise PermissionDenied(missing_right(Role.VIEWER, brand))
        try:
            given = json.loads(request.body) if request.method == "POST" and len(request.body) < MAX_BODY else None
            json.dumps(given, ensure_ascii=False).encode()  # half a surrogate pair comes in as \\ud800 and is no text
        except (ValueError, RecursionError, RawPostDataException):  # the last: a form was sent, and it has been read
            given = None
        if (
            not isinstance(given, dict)
            or len(given) > MAX_PREVIEWED
            or not all(isinstance(text, str) for text in given.values())
        ):
            return JsonResponse({"error": "Send the texts.", "code": "invalid_request"}, status=400)
        wait = templates_wait(request.user.pk)
        if wait is not None:
            refusal = {"error": too_many_words(wait), "code": RATE_LIMITED}
            return JsonResponse(refusal, status=429, headers={"Retry-After": str(wait)})
        variables = {**SAMPLE, "brand": {"name": brand.name}}
        texts: dict[str, str] = {}
        problems: dict[str, str] = {}
        meter = Meter(zone=zone_choose(brand.time_zone))
        for field, text in given.items():
            found = check_template(text)
            try:
                address = field.endswith(("url", "link"))
                texts[field] = text if found else render(text, variables, field=field, meter=meter, address=address)
            except CannotRender as failure:
                texts[field], problems[field] = text, failure.message
            if found:
                problems[field] = str(found[0])
        answer = {"texts": texts, "problems": problems, "warnings": _warnings(brand, given)}
        return JsonResponse({**answer, "size": _size(brand, given)})

    # --- send test ---
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.test_view)
        return [path("<path:object_id>/test/", view, name="assets_pushresource_test"), *super().get_urls()]

    @action(description="Send test", url_path="send-test", icon="send")
    def send_test(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The button above the editor."""
        return HttpResponseRedirect(reverse("admin:assets_pushresource_test", args=[object_id]))

    def test_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for an end user, then send the saved revision to their devices."""
        push: PushResource = self.object_or_404(request, object_id)
        self.require_role(request, push, Role.PUBLISHER)
        form = TestForm(request.POST or None, initial={"external_id": request.GET.get("to", "")})
        form.newest_of(push.brand)
        here = reverse("admin:assets_pushresource_test", args=[push.pk])
        if request.method == "POST" and form.is_valid():
            wanted = form.cleaned_data["external_id"].strip()
            end_user = EndUser.objects.filter(brand_id=push.brand_id, external_id=wanted).first()
            if end_user is None:
                form.add_error("external_id", "The brand has no end user with this external id.")
            elif push.current_revision is None:
                form.add_error(None, "The push has no content yet; save it first.")
            elif form.seen_check(push):
                try:
                    made = push_test_send(
                        revision=push.current_revision,
                        end_user=end_user,
                        by=request.user,  # type: ignore[arg-type]
                        now=utc_now(),
                    )
                except CannotSendTest as refusal:
                    form.add_error(None, str(refusal))
                else:
                    devices = counted(number=len(made), one="device")
                    messages.success(request, f"The test is on its way to {devices} of {end_user}.")
                    return HttpResponseRedirect(f"{here}?{urlencode({'to': wanted})}")
        recent = EndUser.objects.filter(brand_id=push.brand_id, external_id__isnull=False).order_by("-last_session_at")
        context = {
            **self.admin_site.each_context(request),
            "title": f"Send test: {push}",
            "opts": self.opts,
            "push": push,
            "form": form,
            "back": reverse("admin:assets_pushresource_change", args=[push.pk]),
            "recent": recent.values_list("external_id", flat=True)[:20],
        }
        return TemplateResponse(request, "assets/send_test.html", context)
