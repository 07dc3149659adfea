"""What the editors of pushes and popups share: languages, revisions, uploads, and faults beside their fields."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path, reverse
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from assets.admin.archive import ResourceArchivingAdmin
from assets.admin.uploads import upload_take
from assets.selectors import image_url
from assets.services import CannotSaveImage, CannotSaveResource
from assets.services.revisions import ResourceKind, resource_check, resource_save, revision_draft
from devices.brands.selectors.current_brand import current_brand
from devices.brands.selectors.staff import Role, missing_right
from devices.models import Brand
from smartpush.common.calls.limits import limit_exceeded
from smartpush.common.language.default_words import words_are_in
from smartpush.common.language.languages import (
    direction_of,
    known_language,
    language_label,
    language_same,
    wanted_range,
)

LANGUAGES = {
    "ar": "Arabic", "bg": "Bulgarian", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English",
    "en-GB": "English (UK)", "en-US": "English (US)", "es": "Spanish", "et": "Estonian", "fa": "Persian",
    "fi": "Finnish", "fil": "Filipino", "fr": "French", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian",
    "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ka": "Georgian", "ko": "Korean",
    "lt": "Lithuanian", "lv": "Latvian", "ms": "Malay", "nb": "Norwegian Bokmål", "nl": "Dutch",
    "nn": "Norwegian Nynorsk", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "pt-BR": "Portuguese (Brazil)",
    "pt-PT": "Portuguese (Portugal)", "ro": "Romanian", "ru": "Russian", "sk": "Slovak", "sl": "Slovenian",
    "sr": "Serbian", "sr-Latn": "Serbian (Latin)", "sv": "Swedish", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian",
    "vi": "Vietnamese", "zh": "Chinese", "zh-TW": "Chinese (Taiwan)",
}  # fmt: skip


def label_of(language: str) -> str:
    """Return a language's English name."""
    return language_label(language)


RATE_LIMITED = "rate_limited"


def templates_wait(staff_id: int | None) -> int | None:
    """Count one save or preview of a staff member; the seconds to wait where there were too many, else None.

    Each fills in every branch of every text, which costs more than any other page of the back office.
    """
    per_minute = settings.SMARTPUSH_LIMITS["templates_per_staff"]
    return limit_exceeded(scope="templates", key=str(staff_id), per_minute=per_minute)


def too_many_words(wait: int) -> str:
    """Say that there were too many saves and previews."""
    per_minute = settings.SMARTPUSH_LIMITS["templates_per_staff"]
    return f"You asked for more than {per_minute} previews and saves in a minute. Try again in {wait} seconds."


class ImageInput(UnfoldAdminTextInputWidget):
    """An image's address, with a button that uploads one (image-input.js)."""

    template_name = "assets/image_input.html"

    class Media:
        js = ["assets/image-input.js"]


class TextInput(UnfoldAdminTextInputWidget):
    """Unfold's one-line input at the full width of its column."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs={"class": "sp-wide", **(attrs or {})})


class ResourceForm(forms.ModelForm):
    """One language of a resource at a time; the others stay as they are."""

    language = forms.CharField(widget=forms.HiddenInput, max_length=16)
    drop_language = forms.BooleanField(required=False, widget=forms.HiddenInput)
    make_default = forms.BooleanField(required=False, widget=forms.HiddenInput)
    kind: ResourceKind[Any, Any]
    # The service's name of a field to the form's; variants.<language>. is cut off before.
    field_names: Mapping[str, str] = {}
    # Left empty in a language, they are the default language's.
    fall_back: tuple[str, ...] = ()
    asked_language = "en"
    staff_id: int | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        revision = self.instance.current_revision
        self.before = revision_draft(self.kind, revision) if revision is not None else self.kind.draft(variants=())
        written = {item.language: item for item in self.before.variants}
        self.initial = {
            "language": self.asked_language,
            **self.revision_initial(self.before),
            **self.variant_initial(written.get(self.asked_language)),
            **self.initial,
        }
        default = written.get(self.before.default_language)
        if default is not None and default.language != self.asked_language:
            label = label_of(default.language)
            for name in self.fall_back:
                field = self.fields[name]
                field.widget.attrs["placeholder"] = getattr(default, name) or f"As in {label}"
                field.widget.attrs["data-fallback"] = getattr(default, name)
                field.help_text = f"{field.help_text} Empty: as in {label}.".strip()

    def revision_initial(self, draft: Any) -> dict[str, Any]:
        """What the form shows of the whole resource."""
        raise NotImplementedError

    def variant_initial(self, variant: Any) -> dict[str, Any]:
        """What the form shows of its language; None where nothing is written in it yet."""
        raise NotImplementedError

    def revision_values(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """What was typed about the whole resource, as fields of the draft."""
        raise NotImplementedError

    def variant_of(self, data: Mapping[str, Any]) -> Any:
        """What was typed in the form's language, as a variant's draft."""
        raise NotImplementedError

    def draft(self) -> Any:
        """The draft of the whole resource as it would be saved."""
        data = self.cleaned_data
        language, default = data["language"], self.before.default_language
        others = tuple(item for item in self.before.variants if item.language != language)
        dropped = data["drop_language"] and language != default
        if not self.before.variants or (data["make_default"] and not dropped):
            default = language
        return self.kind.draft(
            variants=others if dropped else (*others, self.variant_of(data)),
            default_language=default,
            **self.revision_values(data),
        )

    def check(self, draft: Any) -> None:
        """Raise CannotSaveResource when the draft cannot be saved."""
        name = self.cleaned_data["name"]
        resource_check(self.kind, brand=self.instance.brand, name=name, draft=draft, resource=self.instance)

    def clean(self) -> dict[str, Any] | None:
        data = super().clean()
        if self.errors or data is None:
            return data
        wait = templates_wait(self.staff_id)
        if wait is not None:
            raise forms.ValidationError(too_many_words(wait), code=RATE_LIMITED)
        self.saved_draft = self.draft()
        try:
            self.check(self.saved_draft)
        except CannotSaveResource as refusal:
            for name, texts in refusal.fields.items():
                self._place(name, texts)
        return data

    def _place(self, name: str, texts: list[str]) -> None:
        """Put a fault beside its field, or above the form when it is about another language."""
        prefix = f"variants.{self.cleaned_data['language']}."
        field: str | None = name.removeprefix(prefix)
        if name.startswith("variants.") and not name.startswith(prefix):
            texts = [f"{name.split('.')[1]}: {text}" for text in texts]
        field = self.field_names.get(str(field), field)
        self.add_error(field if field in self.fields else None, texts)


class ResourceAdmin(ResourceArchivingAdmin):
    """The list with Create, and an editor beside a preview."""

    list_display_links = ["name"]
    search_fields = ["name"]
    search_help_text = "Search by resource name"
    list_per_page = 25
    actions: Any = ()
    warn_unsaved_form = True
    compressed_fields = False  # labels above: half of the page is the preview's
    viewer_fields: tuple[str, ...] = ()
    change_form_template = "assets/change_form.html"
    list_before_template = "assets/list_hint.html"
    preview_template = ""
    hint = ""
    kind: ResourceKind[Any, Any]
    list_select_related: Any = ["current_revision"]
    ordering: Any = ["-updated_at"]
    # Whether a language that nothing is written in begins with words of ours.
    begins_with_words = False

    class Media:
        css = {"all": ["assets/editor.css"]}

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("current_revision__variants")

    # --- the list ---
    @display(description="Title")
    def title(self, obj: Any) -> str:
        revision = obj.current_revision
        titles = {item.language: item.title for item in revision.variants.all()} if revision is not None else {}
        return titles.get(revision.default_language, "–") if revision is not None else "–"

    @display(description="Languages")
    def languages(self, obj: Any) -> str:
        revision = obj.current_revision
        return ", ".join(sorted(label_of(item.language) for item in revision.variants.all())) if revision else "–"

    @display(description="Revision", ordering="current_revision__number")
    def revision(self, obj: Any) -> str:
        return str(obj.current_revision.number) if obj.current_revision is not None else "–"

    # --- saving ---
    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        by: Any = request.user
        revision = resource_save(
            self.kind,
            brand=obj.brand,
            name=form.cleaned_data["name"],
            draft=form.saved_draft,
            by=by,
            resource=obj if change else None,
        )
        obj.pk = revision.resource_id
        obj.refresh_from_db()
        obj._state.adding = False
        for sentence in self.warnings(obj.brand, form.saved_draft):
            messages.warning(request, sentence)

    def warnings(self, brand: Brand, draft: Any) -> Sequence[str]:
        """What is allowed but unwise, in sentences."""
        raise NotImplementedError

    # --- urls ---
    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        name = f"assets_{self.opts.model_name}"
        return [
            path("upload/", wrap(self.upload_view), name=f"{name}_upload"),
            path("preview/", wrap(self.preview_view), name=f"{name}_preview"),
            *super().get_urls(),
        ]

    def upload_view(self, request: HttpRequest) -> HttpResponse:
        """POST file: keep an image for the current brand and answer with its address."""
        brand = current_brand(request)
        if brand is None or not self.has_add_permission(request):
            raise PermissionDenied(missing_right(Role.EDITOR, brand))
        file = request.FILES.get("file") if request.method == "POST" else None
        try:
            image = upload_take(brand=brand, file=file)
        except CannotSaveImage as refusal:
            return JsonResponse({"error": str(refusal)}, status=400)
        return JsonResponse({"url": image_url(image), "width": image.width, "height": image.height})

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """What the preview beside the form asks for."""
        raise NotImplementedError

    # --- form ---
    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None and not self.has_change_permission(request, obj):
            return [(None, {"fields": self.viewer_fields})]
        return super().get_fieldsets(request, obj)

    def _language(self, request: HttpRequest, obj: Any) -> str:
        revision = obj.current_revision if obj is not None else None
        brand = current_brand(request)
        default = revision.default_language if revision is not None else (brand.default_language if brand else "en")
        asked = request.GET.get("language", "")
        written = [item.language for item in revision.variants.all()] if revision is not None else []
        same = next((code for code in (default, *written) if language_same(code, asked)), "")
        return same or known_language(asked) or default

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.asked_language = self._language(request, obj)
        form.staff_id = request.user.pk
        return form

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        obj = kwargs.get("obj")
        language = self._language(request, obj)
        revision = obj.current_revision if obj is not None else None
        default = revision.default_language if revision is not None else language
        written = sorted(item.language for item in revision.variants.all()) if revision is not None else []
        base = wanted_range(language).split("-")[0]
        name = f"assets_{self.opts.model_name}"
        context |= {
            "editor": {
                "preview_template": self.preview_template,
                "preview_url": reverse(f"admin:{name}_preview"),
                "upload_url": reverse(f"admin:{name}_upload"),
                "language": language,
                "direction": direction_of(language),
                "language_label": label_of(language),
                "default_language": default,
                "default_label": label_of(default),
                "base_label": label_of(base) if base != language else "",
                "writing_new": language not in written,
                "begins_with_ours": language not in written and self.begins_with_words and words_are_in(language),
                "languages": [
                    {"code": code, "label": label_of(code), "written": code in written}
                    for code in dict.fromkeys([default, *written, language])
                ],
                "more_languages": [(code, label) for code, label in LANGUAGES.items() if code not in written],
                "can_drop": language in written and language != default,
                "is_new": obj is None,
                "archived": obj is not None and obj.archived_at is not None,
                "archive_url": reverse(f"admin:{name}_archive", args=[obj.pk]) if obj is not None else "",
                "writable": self.has_change_permission(request, obj) if obj is not None else True,
                "revisions": self._revisions(obj),
            },
            "show_save_and_add_another": False,
        }
        return super().render_change_form(request, context, *args, **kwargs)

    def _revisions(self, obj: Any) -> list[dict[str, Any]]:
        if obj is None:
            return []
        rows = obj.revisions.select_related("created_by").prefetch_related("variants").order_by("-number")[:20]
        return [
            {
                "number": row.number,
                "current": row.pk == obj.current_revision_id,
                "by": row.created_by,
                "at": row.created_at,
                "variants": [
                    (label_of(item.language), item.title, getattr(item, "message", None) or getattr(item, "text", ""))
                    for item in sorted(row.variants.all(), key=lambda item: label_of(item.language))
                ],
            }
            for row in rows
        ]

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        response = super().response_change(request, obj)
        language = request.POST.get("language", "")
        if "_continue" in request.POST and known_language(language) and "drop_language" not in request.POST:
            response["Location"] = f"{request.path}?{urlencode({'language': language})}"
        return response
