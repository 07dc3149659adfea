"""The builder's questions, in JSON: what there is, values to pick, how many, who, and one end user."""

import json
import time
from contextlib import AbstractContextManager
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse, RawPostDataException
from django.urls import URLPattern, path, reverse

from devices.admin.base import BrandScopedAdmin
from devices.brands.selectors.current_brand import current_brand
from devices.models import Brand, EndUser
from segments.conditions import Context
from segments.rules import InvalidRules, RuleProblem, Rules, parse_rules
from segments.selectors.bounded import TooSlow
from segments.selectors.catalogue import entry_named, segment_catalogue
from segments.selectors.checking import context_checked
from segments.selectors.counting import audience_count
from segments.selectors.names.finding import found_by_words
from segments.selectors.names.known_names import KnownNames
from segments.selectors.names.suggesting import suggestions
from segments.selectors.names.words import rules_in_words
from segments.selectors.people import audience_sample, checks_of, end_user_named
from segments.selectors.turns import newest_only
from smartpush.common.ids import public_id
from smartpush.common.time.clock import utc_now

MAX_BODY = 1_000_000  # bytes
_TOO_SLOW = "These rules took too long. Make them narrower, such as by a shorter time of an event, or try again later."


class Refused(Exception):
    """An answer in place of the one that was asked for."""

    def __init__(self, problems: list[RuleProblem], status: int = 200) -> None:
        super().__init__(str(problems))
        self.problems = problems
        self.status = status

    def answer(self) -> JsonResponse:
        """The problems as the builder reads them."""
        listed = [{"path": item.path, "message": item.message} for item in self.problems]
        return JsonResponse({"problems": listed}, status=self.status)


class SegmentEndpoints(BrandScopedAdmin):
    """All of the current brand, for whoever may see its segments."""

    def get_urls(self) -> list[URLPattern]:
        views = {
            "catalogue": self.catalogue_view,
            "values": self.values_view,
            "find": self.find_view,
            "count": self.count_view,
            "sample": self.sample_view,
            "evaluate": self.evaluate_view,
        }
        wrap = self.admin_site.admin_view
        ours = [path(f"{name}/", wrap(view), name=f"segments_segment_{name}") for name, view in views.items()]
        return [*ours, *super().get_urls()]

    def catalogue_view(self, request: HttpRequest) -> HttpResponse:
        """GET: the fields with their operators, arguments and choices."""
        brand = self._brand(request)
        return JsonResponse(segment_catalogue(brand_id=brand.pk, time_zone=brand.time_zone))

    def values_view(self, request: HttpRequest) -> HttpResponse:
        """GET id, arg, name, property and q: values to pick from, the most frequent first."""
        brand = self._brand(request)
        sent = {name: request.GET.get(name, "")[:300] for name in ("id", "arg", "name", "property", "q")}
        found = entry_named(name=sent["id"], brand_id=brand.pk)
        if found is None or any("\x00" in value for value in sent.values()):
            return JsonResponse({"values": []})
        field, given = found
        told = {name: sent[name] for name in ("name", "property") if sent[name]}
        values = suggestions(
            field=field,
            brand_id=brand.pk,
            argument=sent["arg"] or "value",
            given={**told, **{name: str(value) for name, value in given.items()}},
            typed=sent["q"],
        )
        return JsonResponse(
            {
                "values": [
                    {
                        "value": item.value,
                        "label": item.label,
                        **({"count": item.count} if item.count is not None else {}),
                        **({"type": item.type} if item.type else {}),
                    }
                    for item in values
                ]
            }
        )

    def find_view(self, request: HttpRequest) -> HttpResponse:
        """GET q: events and markers of the brand that have the words typed into the field picker."""
        brand = self._brand(request)
        found = found_by_words(brand_id=brand.pk, typed=request.GET.get("q", "")[:300])
        return JsonResponse({"found": [item.as_json() for item in found]})

    def count_view(self, request: HttpRequest) -> HttpResponse:
        """POST rules: how many they select; at once, by an estimate where that is not exact, or `exact`."""
        started = time.monotonic()
        try:
            sent, rules, context = self._asked(request)
            with self._turn(request, context, "count"):
                count = audience_count(rules=rules, context=context, exact=sent.get("exact") is True)
        except Refused as refusal:
            return refusal.answer()
        except TooSlow:
            return Refused([RuleProblem("", _TOO_SLOW)], 503).answer()
        return JsonResponse(
            {
                "state": "exact" if count.exact else "estimate",
                "selected": count.selected,
                "error": count.error,
                "total": count.total,
                "share": count.share,
                "reachable": count.reachable,
                "platforms": count.platforms,
                "never_contact": count.never_contact,
                "ask_visited": count.ask_visited,
                "ask_never_visited": count.never_visited,
                "words": rules_in_words(rules=rules, brand_id=context.brand_id),
                "warnings": [{"path": item.path, "message": item.message} for item in self._warnings(request, rules)],
                "seconds": round(time.monotonic() - started, 3),
            }
        )

    def sample_view(self, request: HttpRequest) -> HttpResponse:
        """POST rules: a few of those whom they select, and why."""
        try:
            _sent, rules, context = self._asked(request)
            with self._turn(request, context, "sample"):
                people = audience_sample(rules=rules, context=context)
        except Refused as refusal:
            return refusal.answer()
        except TooSlow:
            return Refused([RuleProblem("", _TOO_SLOW)], 503).answer()
        return JsonResponse({"people": [{**_named(one.end_user), "reasons": list(one.reasons)} for one in people]})

    def evaluate_view(self, request: HttpRequest) -> HttpResponse:
        """POST rules and who: whether each of the rules holds of this end user."""
        try:
            sent, rules, context = self._asked(request)
            who = sent.get("who")
            end_user = end_user_named(brand_id=context.brand_id, who=who) if isinstance(who, str) else None
            if end_user is None:
                raise Refused([RuleProblem("who", "The brand has no end user of this id.")])
            checks = checks_of(rules=rules, context=context, end_user_ids=[end_user.pk])[end_user.pk]
        except Refused as refusal:
            return refusal.answer()
        except TooSlow:
            return Refused([RuleProblem("", _TOO_SLOW)], 503).answer()
        return JsonResponse({"end_user": _named(end_user), "matches": checks["rule"], "checks": checks})

    def _brand(self, request: HttpRequest) -> Brand:
        brand = current_brand(request)
        if brand is None or not self.has_view_permission(request):
            raise PermissionDenied
        return brand

    def _warnings(self, request: HttpRequest, rules: Rules) -> list[RuleProblem]:
        return KnownNames(brand=self._brand(request)).rule_warnings(rules)

    def _turn(self, request: HttpRequest, context: Context, what: str) -> AbstractContextManager[None]:
        return newest_only(what=what, staff_id=request.user.pk or 0, brand_id=context.brand_id)

    def _asked(self, request: HttpRequest) -> tuple[dict[str, Any], Rules, Context]:
        """What was sent, its rules and what they are compiled for; raises Refused."""
        brand = self._brand(request)
        sent = _body(request)
        try:
            rules = parse_rules(sent.get("rules"))
            return sent, rules, context_checked(rules=rules, brand_id=brand.pk, now=utc_now())
        except InvalidRules as refusal:
            raise Refused(refusal.problems) from refusal


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        if request.method != "POST" or len(request.body) > MAX_BODY:
            raise Refused([RuleProblem("", "Send the rules.")], 400)
        sent = json.loads(request.body)
        json.dumps(sent, ensure_ascii=False).encode()  # fails for half a surrogate pair, which is no text
    except (ValueError, RecursionError, RequestDataTooBig, RawPostDataException) as error:
        raise Refused([RuleProblem("", "These are no rules.")], 400) from error
    if not isinstance(sent, dict):
        raise Refused([RuleProblem("", "These are no rules.")], 400)
    return sent


def _named(end_user: EndUser) -> dict[str, str]:
    return {
        "id": public_id("end_user", end_user.pk),
        "name": str(end_user),
        "url": reverse("admin:devices_enduser_change", args=[end_user.pk]),
    }
