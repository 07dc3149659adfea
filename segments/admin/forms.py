"""The form of a segment with rules: the builder's JSON travels in a hidden field, and nobody sees it."""

import json
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget

from segments.models import Segment
from segments.rules import EVERYONE, InvalidRules, parse_rules, rules_json


class RulesWidget(forms.Widget):
    """The rule builder (segments/builder)."""

    template_name = "segments/rules_widget.html"

    class Media:
        css = {"all": ["segments/builder.css"]}
        js = ["segments/builder.js"]

    def __init__(self, *, read_only: bool = False) -> None:
        super().__init__()
        self.read_only = read_only

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        context["widget"]["read_only"] = self.read_only
        return context


class RulesField(forms.CharField):
    widget = RulesWidget

    def clean(self, value: Any) -> Any:
        try:
            rules = json.loads(super().clean(value))
            json.dumps(rules, ensure_ascii=False).encode()  # fails for half a surrogate pair, which is no text
            return rules_json(parse_rules(rules))
        except (ValueError, RecursionError) as error:  # ValueError: also a number of thousands of digits
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
