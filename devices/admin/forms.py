"""Form pieces of the delivery side's admin."""

import re
import zoneinfo
from functools import cache
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from devices.brands.models.brands import ORIGIN_WORDS
from devices.models import App
from smartpush.common.addresses.origins import is_local_origin, normal_host, normal_origin


@cache
def time_zones() -> list[tuple[str, str]]:
    """The choices of a time zone: UTC first, then places by name."""
    places = sorted(
        zone
        for zone in zoneinfo.available_timezones()
        if "/" in zone and not zone.startswith(("Etc/", "SystemV/", "US/"))
    )
    return [("UTC", "UTC"), *((zone, zone.replace("_", " ")) for zone in places)]


def web_origin(value: str) -> str:
    """Return the exact origin as browsers send it; raises ValidationError that says what to type.

    International names are kept in the spelling of browsers (`https://xn--…`), whichever was typed.
    """
    address = value.strip()
    origin = normal_origin(address)
    rest = address.partition("://")[2]
    if origin is None or re.search(r"[/?#]", rest.removesuffix("/")):
        raise ValidationError(ORIGIN_WORDS)
    if is_local_origin(origin) and settings.DEVELOPMENT and origin not in settings.SMARTPUSH_DEV_ORIGINS:
        raise ValidationError(
            "Pages on your own machine need no website here. Switch on “Pages on developers' own machines” in the"
            " brand's settings instead."
        )
    if origin.startswith("http://") and origin not in settings.SMARTPUSH_DEV_ORIGINS:
        raise ValidationError("Browsers refuse push on insecure pages: the origin must begin with https://.")
    return origin


def host_name(value: str) -> str:
    """Return a bare host name as browsers spell it, or `*.` and one; raises ValidationError."""
    typed = value.strip()
    wildcard = "*." if typed.startswith("*.") else ""
    host = normal_host(typed.removeprefix("*."))
    if host is None or "." not in host:
        raise ValidationError(f"{typed!r} is not a host such as shop.example.com (no https://, no path).")
    return wildcard + host


class LinesField(forms.CharField):
    """A list of host names, one per line."""

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        return list(dict.fromkeys(host_name(line) for line in text.splitlines() if line.strip()))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), self.prepare_value(data))


class AppForm(forms.ModelForm):
    class Meta:
        model = App
        fields = ["kind", "name", "origin", "bundle_id"]

    def clean_origin(self) -> str:
        value: str = self.cleaned_data.get("origin", "")
        return web_origin(value) if value else ""

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        if "origin" in self.errors:
            return cleaned
        kind = cleaned.get("kind", self.instance.kind)
        if self.instance.pk and "kind" in self.changed_data:
            self.add_error("kind", "An app stays what it is. Add the other one beside it.")
        web = kind == App.Kind.WEB
        if web and not cleaned.get("origin"):
            self.add_error("origin", "A website needs its origin.")
        if web and cleaned.get("bundle_id"):
            self.add_error("bundle_id", "Only a native app has a bundle id.")
        if not web and not cleaned.get("bundle_id"):
            self.add_error("bundle_id", "A native app needs its bundle id.")
        if not web and cleaned.get("origin"):
            self.add_error("origin", "Only a website has an origin.")
        self._refuse_known(kind, cleaned)
        return cleaned

    def _refuse_known(self, kind: str, cleaned: dict[str, Any]) -> None:
        """Name the brand's own website or app of the same address; an archived one is better restored."""
        field, what = ("origin", "website") if kind == App.Kind.WEB else ("bundle_id", "app")
        brand = self.instance.brand_id
        if not cleaned.get(field) or brand is None:
            return
        same = App.objects.filter(brand=brand, kind=kind, **{field: cleaned[field]}).exclude(pk=self.instance.pk)
        known = same.select_related("brand").first()
        if known is None:
            return
        if known.archived_at is not None:
            advice = "It is archived. Restore it under Settings › Apps, Archived."
        else:
            advice = "Open that one under Settings › Apps, or give another address."
        self.add_error(field, f"The {what} “{known.name}” of {known.brand} has it already. {advice}")


class AppFormSet(forms.BaseInlineFormSet):
    """The websites and apps on a brand's page: two rows of one form are compared too, which no constraint sees."""

    def clean(self) -> None:
        super().clean()
        seen: dict[tuple[str, str], str] = {}
        for form in self.forms:
            values = form.cleaned_data if form.is_valid() else {}
            address = values.get("origin") or values.get("bundle_id")
            if not address:
                continue
            kind = values.get("kind", form.instance.kind)
            if (kind, address) in seen:
                field = "origin" if kind == App.Kind.WEB else "bundle_id"
                form.add_error(field, f"“{seen[kind, address]}” above has it already. Give another address.")
            else:
                seen[kind, address] = values["name"]
