"""Marketing > Assets > Popups."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from assets.admin.base import ImageInput, ResourceAdmin, ResourceForm, TextInput
from assets.admin.durations import UNIT_CHOICES, UNITS, parts
from assets.models import PopupResource, PopupRevision
from assets.services import Colours, PopupDraft, PopupVariantDraft, popup_warnings
from assets.services.popups import POPUP
from devices.brands.selectors.current_brand import current_brand
from devices.brands.selectors.staff import Role, missing_right
from devices.models import Brand
from devices.people.selectors.categories import categories_in_use, category_words
from smartpush.common.language.default_words import translated, words_in

_TEXTS = ("title", "text", "image", "subscribe_label", "later_label", "close_label")
_COLOURS = ("background", "text", "button", "button_text")


def labels_in(language: str) -> dict[str, dict[str, str]]:
    """Return a language's first titles of the buttons, by what the first one does; popup-preview.js uses them too."""
    words = words_in(language).buttons
    titles = {
        "permission": (words.subscribe, words.later),
        "url": (words.show, words.not_now),
        "click": (words.got_it, words.not_now),
        "close": (words.got_it, ""),
    }
    return {kind: {"subscribe_label": first, "later_label": second} for kind, (first, second) in titles.items()}


class ColourInput(forms.TextInput):
    """The browser's own colour picker."""

    input_type = "color"

    def __init__(self) -> None:
        super().__init__(attrs={"class": "sp-colour"})


def _colour(label: str) -> forms.CharField:
    return forms.CharField(label=label, widget=ColourInput(), max_length=7)


def _label(label: str, text: str = "", *, required: bool = True) -> forms.CharField:
    return forms.CharField(label=label, widget=TextInput(), help_text=text, required=required)


class PopupForm(ResourceForm):
    kind = POPUP
    fall_back = ("image",)
    field_names = {"expires_after": "expires_amount"}

    template = forms.ChoiceField(choices=PopupRevision.Template.choices, widget=UnfoldAdminSelectWidget())
    categories = forms.MultipleChoiceField(
        label="Categories offered",
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="Unticked when the popup opens; what an end user ticks is kept as a JS marker.",
    )
    title = _label("Title")
    text = forms.CharField(
        label="Text", required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "class": "sp-wide"})
    )
    image = forms.CharField(
        label="Image",
        required=False,
        widget=ImageInput({"class": "sp-wide"}),
        help_text="A square one stands beside the text; a wide one becomes a banner.",
    )
    primary = forms.ChoiceField(
        label="First button", choices=PopupRevision.Primary.choices, widget=UnfoldAdminSelectWidget()
    )
    primary_url = forms.CharField(
        label="Page to open",
        required=False,
        widget=TextInput({"placeholder": "https://"}),
        help_text="On the brand's own hosts.",
    )
    subscribe_label = _label("Title of the first button")
    later_label = _label(
        "Title of the second button", "Closes the popup. Empty: there is no second button.", required=False
    )
    close_label = _label("Cross", "Label of the close button (read out by screen readers).")
    expires_amount = forms.IntegerField(
        label="An offer stays open for", min_value=0, max_value=40_320, widget=UnfoldAdminIntegerFieldWidget()
    )
    expires_unit = forms.ChoiceField(
        label="Unit",
        choices=UNIT_CHOICES,
        widget=UnfoldAdminSelectWidget(),
        help_text="People who do not visit or answer in this time count as No answer. 28 days at most.",
    )
    colour_background = _colour("Background")
    colour_text = _colour("Text colour")
    colour_button = _colour("Button")
    colour_button_text = _colour("Button title")

    class Meta:
        model = PopupResource
        fields = ["name"]
        widgets = {"name": TextInput()}
        help_texts = {"name": "For you and your colleagues; end users do not see it."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        bound: Brand | None = getattr(self, "bound_brand", None)
        brand = self.instance.brand if self.instance.brand_id else bound
        rows = categories_in_use(brand_id=brand.pk) if brand is not None else []
        field: Any = self.fields["categories"]
        words = [category_words(category=row, language=self.asked_language) for row in rows]
        field.choices = [(item["marker"], item["name"]) for item in words]
        if not rows:
            field.help_text = format_html(
                'The brand has no push categories yet. <a class="sp-link" href="{}">Create the first one</a>.',
                reverse("admin:devices_pushcategory_add"),
            )

    def revision_initial(self, draft: PopupDraft) -> dict[str, Any]:
        amount, unit = parts(draft.expires_after)
        return {
            "template": draft.template,
            "categories": list(draft.categories),
            "primary": draft.primary,
            "primary_url": draft.primary_url,
            "expires_amount": amount,
            "expires_unit": unit,
            **{f"colour_{name}": getattr(draft.colours, name) for name in _COLOURS},
        }

    def variant_initial(self, variant: PopupVariantDraft | None) -> dict[str, Any]:
        if variant is None:
            variant = self._begun()
        return {name: getattr(variant, name) for name in _TEXTS}

    def _begun(self) -> PopupVariantDraft:
        """A language that nothing is written in yet: its own words on the buttons that the popup has."""
        labels = labels_in(self.asked_language)[self.before.primary]
        default = next((item for item in self.before.variants if item.language == self.before.default_language), None)
        if default is not None:
            labels["subscribe_label"] = translated(
                default.subscribe_label, language=self.asked_language, otherwise=labels["subscribe_label"]
            )
            labels["later_label"] = default.later_label and (
                labels["later_label"] or words_in(self.asked_language).buttons.later
            )
        close = words_in(self.asked_language).buttons.close
        return PopupVariantDraft(language="", title="", close_label=close, **labels)

    def revision_values(self, data: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "template": data["template"],
            "categories": tuple(data["categories"]),
            "primary": data["primary"],
            "primary_url": data["primary_url"],
            "expires_after": data["expires_amount"] * UNITS[data["expires_unit"]],
            "colours": Colours(**{name: data[f"colour_{name}"] for name in _COLOURS}),
        }

    def variant_of(self, data: Mapping[str, Any]) -> PopupVariantDraft:
        return PopupVariantDraft(language=data["language"], **{name: data[name] for name in _TEXTS})


@admin.register(PopupResource)
class PopupResourceAdmin(ResourceAdmin):
    begins_with_words = True
    form = PopupForm
    kind = POPUP
    list_display = ["name", "title", "template", "first_button", "languages", "updated_at"]
    preview_template = "assets/popup_preview.html"
    hint = (
        "A popup is shown on the brand's pages: it asks for push permission without a fright, or carries a promotion,"
        " an invitation, an announcement or an alert."
    )
    viewer_fields = ("name", "title", "template", "first_button", "languages", "updated_at")
    fieldsets = [
        (None, {"fields": ["name", "template", "categories"]}),
        ("Popup", {"fields": ["title", "text", "image"]}),
        ("Buttons", {"fields": ["primary", "primary_url", "subscribe_label", "later_label", "close_label"]}),
        ("Time", {"fields": [("expires_amount", "expires_unit")]}),
        (
            "Colours",
            {"fields": [("colour_background", "colour_text"), ("colour_button", "colour_button_text")]},
        ),
    ]

    class Media:
        js = ["assets/popup-preview.js"]

    @display(description="Template")
    def template(self, obj: PopupResource) -> str:
        return obj.current_revision.get_template_display() if obj.current_revision is not None else "–"

    @display(description="First button")
    def first_button(self, obj: PopupResource) -> str:
        return obj.current_revision.get_primary_display() if obj.current_revision is not None else "–"

    def warnings(self, brand: Brand, draft: PopupDraft) -> Sequence[str]:
        return popup_warnings(brand=brand, draft=draft)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        obj = kwargs.get("obj")
        brand = obj.brand if obj is not None else current_brand(request)
        language = self._language(request, obj)
        rows = categories_in_use(brand_id=brand.pk) if brand is not None else []
        own = brand.default_language if brand is not None else ""
        context |= {
            "popup_words": {
                "categories": [category_words(category=row, language=language, own=own) for row in rows],
                "labels": labels_in(language),
            }
        }
        return super().render_change_form(request, context, *args, **kwargs)

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """The page inside the sandboxed preview: the SDK's own drawing code and nothing of the admin."""
        if not self.has_view_permission(request):
            raise PermissionDenied(missing_right(Role.VIEWER, current_brand(request)))
        return TemplateResponse(request, "assets/popup_frame.html")
