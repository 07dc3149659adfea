"""Events from the brand's own server."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from devices.lifecycle.server_events import ServerEvent
from devices.lifecycle.users import RowError
from smartpush.api.sdk.serializers.fields import checked
from smartpush.api.server import examples, flows
from smartpush.api.server.rows import RowRefused, event_row, rows_in
from smartpush.api.server.serializers import events as s
from smartpush.api.server.views.base import ServerView, caller_of, error_rows

_OPTIONS = frozenset({"historical", "unknown_users"})


class EventsBulkView(ServerView):
    """Record up to 10,000 events and let in whom they let in; each bad row is named, the good ones are kept."""

    scopes = {"POST": "events:write"}

    @extend_schema(
        tags=["Events"],
        operation_id="server_events_bulk",
        request=s.EventsBulk,
        responses=s.EventsBulkAnswer,
        examples=examples.EVENTS_BULK,
    )
    def post(self, request: Request) -> Response:
        caller = caller_of(request)
        rows, rest = rows_in(request.data, "events", others=_OPTIONS)
        options = checked(s.EventsOptions, rest)
        good: list[ServerEvent] = []
        errors: list[RowError] = []
        for index, raw in enumerate(rows):
            try:
                good.append(event_row(index, raw, historical=options["historical"], now=caller.now))
            except RowRefused as problem:
                errors.append(RowError(index, problem.code, str(problem)))
        taken = flows.events_take(
            brand=caller.brand, events=good, create_unknown=options["unknown_users"] == "create", now=caller.now
        )
        return Response(
            {"accepted": taken.accepted, "duplicates": taken.duplicates, "errors": error_rows(errors + taken.errors)}
        )
