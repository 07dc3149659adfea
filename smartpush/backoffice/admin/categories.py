"""Marketing > Push categories: what end users can choose to hear about, in the words of each language."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST
from unfold.decorators import display

from assets.admin.base import LANGUAGES, TextInput, label_of
from devices.admin.archiving import ArchivedFilter, ArchivingAdmin
from devices.admin.base import BrandScopedHistoryAdmin
from devices.brands.selectors.current_brand import current_brand
from devices.brands.selectors.staff import Role
from devices.models import Brand, PushCategory
from devices.people.selectors.categories import category_subscribers
from devices.people.services.categories import (
    CannotSaveCategory,
    categories_reorder,
    category_archive,
    category_change,
    category_create,
    category_restore,
    category_translations,
)
from smartpush.backoffice.category_uses import CategoryUses, category_uses
from smartpush.common.time.clock import utc_now


class TranslationsWidget(forms.Widget):
    """A row for each language: its name, the category's name and its description."""

    template_name = "backoffice/translations.html"
    # What a language that is chosen begins with: {language: [name, description]}.
    defaults: Mapping[str, tuple[str, str]] = {}

    class Media:
        js = ["backoffice/categories.js"]

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        columns = [data.getlist(f"{name}_{column}") for column in ("language", "name", "description")]
        if not all(len(column) == len(columns[0]) for column in columns):
            return None
        return [row for row in zip(*columns, strict=True) if any(text.strip() for text in row)]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        context["rows"] = [*(value or []), ("", "", "")]  # the last one is the empty row to copy
        context["languages"] = LANGUAGES | {code: label_of(code) for code, *_ in value or [] if code}
        context["defaults"] = self.defaults
        return context


class TranslationsField(forms.Field):
    """{language: {name, description}}, typed in rows."""

    widget = TranslationsWidget

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return [(language, words["name"], words.get("description", "")) for language, words in value.items()]

    def clean(self, value: Any) -> dict[str, dict[str, str]]:
        if value is None:
            raise forms.ValidationError("The translations did not arrive whole; press Save again.")
        found: dict[str, dict[str, str]] = {}
        for language, name, description in value:
            if not language:
                raise forms.ValidationError(f"Choose the language of “{name or description}”.")
            if language in found:
                raise forms.ValidationError(f"{label_of(language)} is there twice.")
            found[language] = {"name": name, "description": description}
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        return [tuple(row) for row in self.prepare_value(initial) or []] != [tuple(row) for row in data or []]


class CategoryForm(forms.ModelForm):
    translations = TranslationsField(
        required=False,
        help_text="Other languages. Whoever has none of them reads the words above.",
    )

    uses: CategoryUses | None = None

    class Meta:
        model = PushCategory
        fields = ["name", "description", "marker"]
        widgets = {
            "name": TextInput({"autocomplete": "off"}),
            "description": TextInput(),
            "marker": TextInput({"autocomplete": "off", "style": "text-transform: uppercase"}),
        }
        labels = {"marker": "JS marker"}
        help_texts = {
            "name": "What end users read beside the box that they tick, in the brand's default language.",
            "description": "One line under the name; may be empty.",
            "marker": "What a tick sets on the end user: segments and page code know the category by it.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "marker" not in self.fields:
            return
        self.fields["marker"].required = False
        if self.instance.pk:
            self.uses = category_uses(category=self.instance)
            self.initial["translations"] = self.instance.translations
            widget: Any = self.fields["translations"].widget
            widget.defaults = category_translations(category=self.instance, languages=LANGUAGES)
        if self.uses is not None and self.uses.fixed:
            self.fields["marker"].disabled = True
            self.fields["marker"].help_text = "It is in use and stays: segments, page code and end users know it."
        else:
            self.fields["marker"].widget.attrs["data-marker-of"] = "name"

    def _post_clean(self) -> None:
        """The service checks; the model's own checks would only say the same again."""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                self.saved = self._save(data)
            except CannotSaveCategory as refusal:
                for name, texts in refusal.fields.items():
                    field = name.split(".")[0]
                    parts = name.split(".")
                    prefix = f"{label_of(parts[1])}: " if len(parts) > 1 else ""
                    self.add_error(field, [f"{prefix}{text}" for text in texts])
        return data

    def _save(self, data: dict[str, Any]) -> PushCategory:
        words = {name: data[name] for name in ("name", "description", "marker", "translations")}
        if self.instance.pk:
            fixed = self.uses is None or self.uses.fixed
            return category_change(category=self.instance, marker_fixed=fixed, **words)
        return category_create(brand=self.instance.brand, **words)


@admin.register(PushCategory)
class PushCategoryAdmin(ArchivingAdmin, BrandScopedHistoryAdmin):
    form = CategoryForm
    empty_hint = "A push category is something that end users can choose to hear about, such as News or Offers."
    list_display = ["name", "marker", "languages", "subscribers", "order"]
    list_display_links = ["name"]
    list_filter = [ArchivedFilter]
    ordering = ["position", "name"]
    sortable_by: tuple[str, ...] = ()
    list_before_template = "assets/list_hint.html"
    hint = (
        "A push category is something that end users can choose to hear about, such as News or Offers: they tick it in"
        " a popup or on the preference page."
    )
    change_form_template = "backoffice/category.html"
    warn_unsaved_form = True
    fields = ["name", "description", "marker", "translations"]

    class Media:
        css = {"all": ["assets/editor.css"]}

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.move_view))
        return [
            path("<path:object_id>/move/<str:way>/", view, name="devices_pushcategory_move"),
            *super().get_urls(),
        ]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None and not self.has_change_permission(request, obj):
            return ["name", "description", "marker", "languages"]
        return super().get_fields(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["languages"] if obj is not None and not self.has_change_permission(request, obj) else []

    # --- the list ---
    @display(description="Languages")
    def languages(self, obj: PushCategory) -> str:
        return ", ".join([obj.brand.default_language, *sorted(obj.translations)])

    @display(description="Subscribed now")
    def subscribers(self, obj: PushCategory) -> int:
        return category_subscribers(category=obj)

    @display(description="Order")
    def order(self, obj: PushCategory) -> str:
        if obj.archived_at is not None:
            return "–"
        up, down = (reverse("admin:devices_pushcategory_move", args=[obj.pk, way]) for way in ("up", "down"))
        return format_html(
            '<span class="sp-move"><button type="submit" formaction="{}" aria-label="Move {} up">↑</button>'
            '<button type="submit" formaction="{}" aria-label="Move {} down">↓</button></span>',
            up, obj.name, down, obj.name,
        )  # fmt: skip

    def move_view(self, request: HttpRequest, object_id: str, way: str) -> HttpResponse:
        """POST: one place up or down in the order that end users see."""
        category: PushCategory = self.object_or_404(request, object_id)
        self.require_role(request, category, Role.EDITOR)
        step = {"up": -1, "down": 1}.get(way)
        if step is None:
            raise BadRequest("up or down")
        markers = list(
            PushCategory.objects.filter(brand_id=category.brand_id, archived_at=None).values_list("marker", flat=True)
        )
        if category.marker in markers:
            at = markers.index(category.marker)
            to = min(max(at + step, 0), len(markers) - 1)
            markers.insert(to, markers.pop(at))
            categories_reorder(brand=category.brand, markers=markers)
        return HttpResponseRedirect(reverse("admin:devices_pushcategory_changelist"))

    # --- one category ---
    def save_model(self, request: HttpRequest, obj: PushCategory, form: Any, change: bool) -> None:
        obj.pk = form.saved.pk
        obj.refresh_from_db()
        obj._state.adding = False

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        obj = kwargs.get("obj")
        brand: Brand | None = obj.brand if obj is not None else current_brand(request)
        context |= {
            "uses": category_uses(category=obj) if obj is not None else None,
            "default_language": label_of(brand.default_language) if brand else "",
            "show_save_and_add_another": obj is None,
        }
        return super().render_change_form(request, context, *args, **kwargs)

    # --- archiving ---
    def archive_row(self, row: Any) -> str:
        category_archive(category=row, now=utc_now())
        return "Archived."

    def restore_row(self, row: Any) -> str:
        category_restore(category=row)
        return "Restored."

    def archive_words(self, row: Any) -> str:
        if row.archived_at is not None:
            return "Popups may offer it again, and the preference page shows it."
        return (
            "It leaves the preference page, and popups cannot offer it any more; campaigns that run offer it until you"
            f" publish them again. Who ticked it keeps the marker {row.marker}. {category_uses(category=row).sentence}"
        )
