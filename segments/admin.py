"""Segments: a list with their sizes, and an editor in which nobody sees JSON."""

import json
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from devices.admin.base import BrandScopedAdmin
from devices.selectors.current_brand import current_brand
from segments import fields
from segments.describe import describe
from segments.models import Segment
from segments.rules import EVERYONE, InvalidRules, parse_rules, rules_json
from segments.selectors import marker_suggestions, segment_count, segment_rules, segment_sample
from segments.services import segment_save
from smartpush.common.clock import utc_now

MAX_BODY = 200_000  # bytes


class RulesWidget(forms.Widget):
    """The rule editor; its value travels in a hidden field that segment-editor.js fills."""

    template_name = "segments/rules_widget.html"

    class Media:
        js = ["segments/segment-editor.js"]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        context["widget"] |= {"extra": getattr(self, "extra", {})}
        return context


class RulesField(forms.CharField):
    widget = RulesWidget

    def clean(self, value: Any) -> Any:
        try:
            rules = json.loads(super().clean(value))
            json.dumps(rules, ensure_ascii=False).encode()  # fails for half a surrogate pair, which is no text
            return rules_json(parse_rules(rules))
        except (json.JSONDecodeError, UnicodeError, RecursionError) as error:
            raise forms.ValidationError("The rules did not arrive whole; press Save again.") from error
        except InvalidRules as refusal:
            raise forms.ValidationError([problem.message for problem in refusal.problems], code="rules") from refusal


class SegmentForm(forms.ModelForm):
    rules = RulesField(label="Who is in it")

    class Meta:
        model = Segment
        fields = ["name", "description", "rules"]
        widgets = {"name": UnfoldAdminTextInputWidget(), "description": UnfoldAdminTextInputWidget()}
        help_texts = {"description": "For your colleagues: what it is used for."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "rules" in self.fields:
            rules = self.instance.rules or rules_json(EVERYONE)
            self.initial["rules"] = json.dumps(rules)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        others = Segment.objects.filter(brand=self.instance.brand, name=name).exclude(pk=self.instance.pk)
        if others.exists():
            raise forms.ValidationError("The brand has a segment of this name.")
        return name


def field_catalogue(brand_id: int) -> list[dict[str, Any]]:
    """What the editor offers: fields with their operators, choices and suggestions."""
    suggestions = marker_suggestions(brand_id=brand_id)
    return [
        {
            "name": field.name,
            "label": field.label,
            "kind": field.kind_of({}),
            "group": field.group,
            "help": field.help,
            "operators": [{"name": op.name, "label": op.label, "many": op.many} for op in field.operators({})],
            "choices": [{"value": value, "label": label} for value, label in field.choices],
            "suggestions": suggestions.get(field.name, []),
        }
        for field in fields.all_fields()
    ]


@admin.register(Segment)
class SegmentAdmin(BrandScopedAdmin):
    form = SegmentForm
    list_display = ["name", "end_users", "meaning", "updated_at"]
    search_fields = ["name"]
    search_help_text = "Search by name"
    list_per_page = 25
    ordering = ["name"]
    actions: Any = ()
    fieldsets = [(None, {"fields": ["name", "description", "rules"]})]
    list_before_template = "segments/list_hint.html"
    warn_unsaved_form = True

    class Media:
        css = {"all": ["segments/segment-editor.css"]}

    @display(description="Who is in it")
    def meaning(self, obj: Segment) -> str:
        try:
            words = describe(segment_rules(segment=obj))
        except InvalidRules:
            words = "Rules that need to be mended: open it"
        return format_html(
            '<span class="sp-segment-words" title="{}">{}</span>',
            words,
            words if len(words) <= 90 else f"{words[:89]}…",
        )

    @display(description="End users now")
    def end_users(self, obj: Segment) -> str:
        try:
            count = segment_count(rules=segment_rules(segment=obj), brand_id=obj.brand_id, now=utc_now())
        except InvalidRules:
            return "–"
        return f"{count.selected:,} of {count.total:,}"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None and not self.has_change_permission(request, obj):
            return [(None, {"fields": ["name", "description", "meaning", "end_users"]})]
        return super().get_fieldsets(request, obj)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        brand = current_brand(request)
        if brand is not None and "rules" in form.base_fields:
            form.base_fields["rules"].widget.extra = {
                "catalogue": field_catalogue(brand.pk),
                "count_url": reverse("admin:segments_segment_count"),
            }
        return form

    def save_model(self, request: HttpRequest, obj: Segment, form: Any, change: bool) -> None:
        saved = segment_save(
            brand=obj.brand,
            name=form.cleaned_data["name"],
            description=form.cleaned_data["description"],
            rules=form.cleaned_data["rules"],
            by=request.user,  # type: ignore[arg-type]
            segment=obj if change else None,
        )
        obj.pk = saved.pk
        obj.refresh_from_db()
        obj._state.adding = False

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [path("count/", wrap(self.count_view), name="segments_segment_count"), *super().get_urls()]

    def count_view(self, request: HttpRequest) -> HttpResponse:
        """POST rules: how many end users of the current brand they select, and a few of them; or what is wrong."""
        brand = current_brand(request)
        if brand is None or not self.has_view_permission(request):
            raise PermissionDenied
        if request.method != "POST" or len(request.body) > MAX_BODY:
            return JsonResponse({"problems": [{"path": "", "message": "Send the rules."}]}, status=400)
        try:
            sent = json.loads(request.body)
            json.dumps(sent, ensure_ascii=False).encode()  # fails for half a surrogate pair, which is no text
            rules = parse_rules(sent)
        except InvalidRules as refusal:
            problems = [{"path": item.path, "message": item.message} for item in refusal.problems]
            return JsonResponse({"problems": problems})
        except (json.JSONDecodeError, UnicodeError, RecursionError):
            return JsonResponse({"problems": [{"path": "", "message": "These are no rules."}]}, status=400)
        now = utc_now()
        count = segment_count(rules=rules, brand_id=brand.pk, now=now)
        sample = segment_sample(rules=rules, brand_id=brand.pk, now=now, size=5)
        return JsonResponse(
            {
                "selected": count.selected,
                "total": count.total,
                "share": count.share,
                "words": describe(rules),
                "sample": [str(end_user) for end_user in sample],
            }
        )
