"""Campaigns: which there are, and letting end users in."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.models import Campaign
from campaigns.services.entry_by_api import ENTERED, CannotTrigger, TriggerRow
from devices.lifecycle.users import RowError
from devices.models import EndUser
from smartpush.api.openapi import idempotency_key
from smartpush.api.server import examples, flows
from smartpush.api.server.rows import RowRefused, properties_checked, rows_in, trigger_row
from smartpush.api.server.serializers import campaigns as s
from smartpush.api.server.views.base import ServerView, caller_of, error_rows, once, refused
from smartpush.common.calls.errors import ApiError
from smartpush.common.ids import public_id, row_number

SCOPE = "campaigns:trigger"
_MOST = 1000


class CampaignsView(ServerView):
    """The brand's campaigns, last changed first: at most a thousand, archived ones left out."""

    scopes = {"GET": SCOPE}

    @extend_schema(
        tags=["Campaigns"],
        operation_id="server_campaigns",
        responses=s.CampaignsAnswer,
        examples=examples.CAMPAIGNS,
    )
    def get(self, request: Request) -> Response:
        found = Campaign.objects.filter(brand=caller_of(request).brand).exclude(state=Campaign.State.ARCHIVED)
        rows = found.order_by("-updated_at").values_list("pk", "name", "kind", "state")[:_MOST]
        return Response(
            {
                "campaigns": [
                    {"id": public_id("campaign", number), "name": name, "kind": kind, "state": state}
                    for number, name, kind, state in rows
                ]
            }
        )


class TriggerView(ServerView):
    """Let end users into an active campaign, as its audience and entry mode allow."""

    scopes = {"POST": SCOPE}

    @extend_schema(
        tags=["Campaigns"],
        operation_id="server_campaign_trigger",
        request=s.Trigger,
        responses=s.TriggerAnswer,
        parameters=[idempotency_key(required=True)],
        examples=examples.TRIGGER,
    )
    def post(self, request: Request, campaign: str) -> Response:
        caller = caller_of(request)
        number = row_number("campaign", campaign)
        if number is None or not Campaign.objects.filter(pk=number, brand=caller.brand).exists():
            raise ApiError(404, "campaign_unknown", "The brand has no such campaign.")
        rows, rest = rows_in(request.data, "users", others=frozenset({"data"}))
        try:
            shared = properties_checked(rest.get("data") or {}, "data")
        except RowRefused as problem:
            raise refused(problem) from None

        def work(request_id: int) -> tuple[int, dict[str, Any]]:
            good, errors = _rows(caller.brand.pk, rows, shared)
            try:
                results = flows.campaign_enter(campaign_id=number, rows=good, key=f"api:{request_id}", now=caller.now)
            except CannotTrigger as problem:
                raise ApiError(409, "campaign_not_active", str(problem)) from None
            return 200, {
                "entered": sum(result == ENTERED for result in results.values()),
                "results": [{"index": index, "result": result} for index, result in sorted(results.items())],
                "errors": error_rows(errors),
            }

        return once(request, scope="trigger", work=work, required=True)


def _rows(brand_id: int, raws: Any, shared: Any) -> tuple[list[TriggerRow], list[RowError]]:
    """Whom the rows mean; unknown end users are errors."""
    checked: list[tuple[int, str, Any]] = []
    errors: list[RowError] = []
    for index, raw in enumerate(raws):
        try:
            checked.append((index, *trigger_row(raw, shared=shared)))
        except RowRefused as problem:
            errors.append(RowError(index, problem.code, str(problem)))
    wanted = {external_id for _, external_id, _ in checked}
    people = dict(EndUser.objects.filter(brand_id=brand_id, external_id__in=wanted).values_list("external_id", "pk"))
    good = []
    for index, external_id, data in checked:
        if external_id in people:
            good.append(TriggerRow(index=index, end_user_id=people[external_id], data=data))
        else:
            errors.append(RowError(index, "end_user_unknown", "There is no end user of this external id."))
    return good, errors
