"""The campaign form: settings in the marketer's units, and the flow as the editor posts it."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from campaigns.activities import registry
from campaigns.journey.lengths import UNITS, split_seconds
from campaigns.journey.parse import Flow, parse
from campaigns.journey.validate import MAX_ACTIVITIES
from campaigns.models import Campaign
from campaigns.services.schedule import MAX_AHEAD, TOO_FAR
from devices.admin.wall_time import moment_words
from devices.models import Brand
from segments.selectors.names.known_names import KnownNames
from smartpush.common.time.clock import utc_now

_UNITS = tuple((str(seconds), f"{name}s") for seconds, name in UNITS)
MAX_INTERVAL = 31_536_000
# Problems that the editor cannot make: only a broken or hand-written post has them.
_BROKEN = frozenset({"malformed", "unknown_kind", "duplicate_key", "unknown_outcome"})


class IntervalWidget(forms.MultiWidget):
    template_name = "campaigns/interval.html"

    def __init__(self) -> None:
        widgets = [UnfoldAdminIntegerFieldWidget(attrs={"min": 0}), UnfoldAdminSelectWidget(choices=_UNITS)]
        super().__init__(widgets)
        self.widgets[0].attrs["aria-label"] = "Number"
        self.widgets[1].attrs["aria-label"] = "Unit"

    def build_attrs(self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None) -> dict[str, Any]:
        """Without the Alpine model that Unfold gives every field: both inputs would share it, and write each other."""
        attrs = super().build_attrs(base_attrs, extra_attrs)
        return {name: value for name, value in attrs.items() if not name.startswith("x-model")}

    def decompress(self, value: int | None) -> list[Any]:
        return list(split_seconds(value or 0))


class IntervalField(forms.MultiValueField):
    """A length of time in seconds, typed as a number and a unit."""

    widget = IntervalWidget

    def __init__(self, **kwargs: Any) -> None:
        fields = (forms.IntegerField(min_value=0, required=False), forms.ChoiceField(choices=_UNITS, required=False))
        super().__init__(fields=fields, require_all_fields=False, required=False, **kwargs)

    def compress(self, data_list: list[Any]) -> int:
        if not data_list or not data_list[0]:
            return 0
        seconds = int(data_list[0]) * int(data_list[1] or 86_400)
        if seconds > MAX_INTERVAL:
            raise ValidationError("The minimum time between entries is at most 365 days. Give a shorter one.")
        return seconds


class DatalistInput(UnfoldAdminTextInputWidget):
    """A text field that offers what is known and takes what is not."""

    template_name = "campaigns/datalist.html"

    def __init__(self, options: Sequence[str]) -> None:
        super().__init__()
        self.options = options

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        context["options"] = self.options
        context["widget"]["attrs"]["list"] = f"{name}-options"
        return context


class CampaignForm(forms.ModelForm):
    entry_interval = IntervalField(
        label="Minimum time between entries",
        help_text="How long after an entry the same end user may enter again; 0 for no limit.",
    )
    flow = forms.CharField(required=False, widget=forms.HiddenInput)

    bound_brand: Brand | None = None

    class Meta:
        model = Campaign
        fields = [
            "name", "kind", "trigger_kind", "trigger_event", "trigger_segment", "scheduled_at", "segment",
            "entry_mode", "entry_interval", "purpose", "flow",
        ]  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        brand = self._brand()
        if "trigger_event" in self.fields and brand is not None:
            self.fields["trigger_event"].widget = DatalistInput(KnownNames(brand=brand).events)
        if "scheduled_at" in self.fields and brand is not None:
            self.fields["scheduled_at"].help_text = self._schedule_help(brand)
        if "segment" in self.fields:
            self.fields["segment"].help_text = "Who may enter; nobody chosen means every end user."
            cast(forms.ModelChoiceField, self.fields["segment"]).empty_label = "Everybody"
        if "trigger_kind" in self.fields:
            self.fields["trigger_kind"].required = False
        if "trigger_segment" in self.fields:
            cast(forms.ModelChoiceField, self.fields["trigger_segment"]).empty_label = "Choose a segment"
        if not self.is_bound and "flow" in self.fields:
            self.initial["flow"] = json.dumps(self.instance.flow or {})

    def _brand(self) -> Brand | None:
        return self.instance.brand if self.instance.brand_id else self.bound_brand

    def _schedule_help(self, brand: Brand) -> str:
        """Say whose time it is, and of a start at a clock change which moment it stands for."""
        at = self.instance.scheduled_at
        words = moment_words(wall=timezone.make_naive(at), moment=at) if at is not None else ""
        return f"When it starts, in the time of {brand.time_zone}. {words}".strip()

    def clean_scheduled_at(self) -> datetime | None:
        """Keep the stored moment where the shown time was left alone: clocks may show it twice."""
        at: datetime | None = self.cleaned_data["scheduled_at"]
        return at if "scheduled_at" in self.changed_data or self.instance.pk is None else self.instance.scheduled_at

    @property
    def notices(self) -> list[str]:
        """Sentences about what was made of a time that was typed anew."""
        field = self.fields.get("scheduled_at")
        found = getattr(field, "notice", "") if "scheduled_at" in self.changed_data else ""
        return [found] if found and self.cleaned_data.get("kind") == Campaign.Kind.SCHEDULED else []

    def clean_trigger_kind(self) -> str:
        return self.cleaned_data.get("trigger_kind") or str(Campaign.Trigger.EVENT)

    def clean_trigger_event(self) -> str:
        name: str = self.cleaned_data.get("trigger_event", "").strip()
        return name

    def clean_flow(self) -> Any:
        text = self.cleaned_data["flow"]
        if not text:
            return self.instance.flow or {}
        try:
            draft = json.loads(text)
            if b"\\u0000" in json.dumps(draft, ensure_ascii=False).encode():  # encode() fails for half a surrogate pair
                raise ValueError("PostgreSQL keeps no NUL")
        except (ValueError, RecursionError) as error:
            raise ValidationError("The flow could not be read. Reload the page and try again.") from error
        flow = parse(draft, kinds=registry.kinds())
        broken = [problem.message for problem in flow.problems if problem.code in _BROKEN]
        if broken:
            raise ValidationError(broken)
        if draft and len(draft.get("activities", [])) > MAX_ACTIVITIES:
            raise ValidationError(f"A journey has at most {MAX_ACTIVITIES} activities.")
        foreign = foreign_resources(flow=flow, brand=self._brand())
        if foreign:
            raise ValidationError("The flow uses a push or popup that this brand does not have. Choose another one.")
        return draft

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        kind = cleaned.get("kind")
        if kind == Campaign.Kind.REALTIME:
            self._check_trigger(cleaned)
        if kind == Campaign.Kind.SCHEDULED:
            self._check_schedule(cleaned.get("scheduled_at"))
        return cleaned

    def _check_trigger(self, cleaned: dict[str, Any]) -> None:
        if cleaned.get("trigger_kind") == Campaign.Trigger.EVENT:
            if not cleaned.get("trigger_event"):
                self.add_error("trigger_event", "A real-time campaign needs the event that lets end users in.")
        elif not cleaned.get("trigger_segment") and "trigger_segment" not in self.errors:
            self.add_error("trigger_segment", "Choose the segment that end users enter or leave.")

    def _check_schedule(self, at: datetime | None) -> None:
        if at is None:
            if "scheduled_at" not in self.errors:
                self.add_error("scheduled_at", "A scheduled campaign needs its time.")
        elif "scheduled_at" in self.changed_data and at < utc_now() - timedelta(days=1):
            self.add_error("scheduled_at", "This time is past.")
        elif at > utc_now() + MAX_AHEAD:
            self.add_error("scheduled_at", TOO_FAR)


def foreign_resources(*, flow: Flow, brand: Brand | None) -> bool:
    """Whether the flow names a resource that is not the brand's."""
    for name, resources in registry.resources().items():
        named = {one.resource for one in flow.activities if one.kind.name == name and one.resource is not None}
        if named != resources.known(brand_id=brand.pk if brand is not None else None, ids=named):
            return True
    return False
