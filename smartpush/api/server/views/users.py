"""End users, written and read by the brand's own server."""

import json
from collections.abc import Iterator
from typing import Any

import structlog
from django.http import StreamingHttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.selectors.person import runs_of
from devices.lifecycle.export import end_user_parts, profile_of
from devices.lifecycle.users import CannotRename, RowError, UserInput, UserUnknown, user_rename
from devices.models import EndUser
from smartpush.api.openapi import idempotency_key
from smartpush.api.sdk.serializers.fields import checked
from smartpush.api.server import examples, flows
from smartpush.api.server.rows import RowRefused, external_id_checked, markers_checked, rows_in, user_row
from smartpush.api.server.serializers import users as s
from smartpush.api.server.views.base import (
    ServerView,
    caller_of,
    end_user_of,
    end_user_unknown,
    error_rows,
    once,
    refused,
)
from smartpush.common.calls.errors import ApiError
from smartpush.common.ids import public_id

log = structlog.get_logger(__name__)
WRITE = "users:write"


class UsersBulkView(ServerView):
    """Create or change up to 10,000 end users; a good row among bad ones is kept, each bad one is named."""

    scopes = {"POST": WRITE}

    @extend_schema(
        tags=["Users"],
        operation_id="server_users_bulk",
        request=s.UsersBulk,
        responses=s.UsersBulkAnswer,
        examples=examples.USERS_BULK,
    )
    def post(self, request: Request) -> Response:
        caller = caller_of(request)
        good: list[UserInput] = []
        errors: list[RowError] = []
        for index, raw in enumerate(rows_in(request.data, "users")[0]):
            try:
                good.append(user_row(index, raw))
            except RowRefused as problem:
                errors.append(RowError(index, problem.code, str(problem)))
        written = flows.users_take(brand=caller.brand, rows=good, now=caller.now)
        return Response(
            {
                "created": written.created,
                "updated": written.updated,
                "unchanged": written.unchanged,
                "errors": error_rows(errors + written.errors),
            }
        )


class UserView(ServerView):
    """One end user by the brand's own id."""

    scopes = {"GET": "users:read", "PATCH": WRITE, "DELETE": WRITE}

    @extend_schema(tags=["Users"], operation_id="server_user", responses=s.UserAnswer, examples=examples.USER)
    def get(self, request: Request, external_id: str) -> Response:
        """Everything on the profile; `GET users/{external_id}/export` has the history too."""
        return Response(profile_of(end_user_of(caller_of(request), external_id)))

    @extend_schema(
        tags=["Users"],
        operation_id="server_user_change",
        request=s.UserChange,
        responses=s.UserAnswer,
        examples=examples.USER_CHANGE,
    )
    def patch(self, request: Request, external_id: str) -> Response:
        """Change what the body names; the rest stays."""
        end_user = end_user_of(caller_of(request), external_id)
        try:
            row = user_row(0, request.data, external_id=external_id)
        except RowRefused as problem:
            raise refused(problem) from None
        return Response(profile_of(_change(request, end_user, row)))

    @extend_schema(
        tags=["Users"],
        operation_id="server_user_erase",
        request=None,
        responses={200: s.Erased},
        parameters=[idempotency_key()],
        examples=examples.ERASED,
    )
    def delete(self, request: Request, external_id: str) -> Response:
        """Erase the person and all that belongs to them, for good; waiting messages are cancelled."""
        caller = caller_of(request)

        def work(_: int) -> tuple[int, dict[str, Any]]:
            end_user_of(caller, external_id)
            try:
                number, gone = flows.user_erase(brand=caller.brand, external_id=external_id, now=caller.now)
            except UserUnknown:
                raise end_user_unknown() from None
            # The audit line: which row went, by whose key, and nothing about whose it was.
            log.info(
                "end_user_erased",
                brand=caller.brand.pk,
                api_key=caller.key_id,
                end_user=public_id("end_user", number),
                devices=gone.devices,
                events=gone.events,
                deliveries=gone.deliveries,
            )
            return 200, {
                "erased": True,
                "devices": gone.devices,
                "events": gone.events,
                "deliveries": gone.deliveries,
            }

        return once(request, scope="erase", work=work)


def _change(request: Request, end_user: EndUser, row: UserInput) -> EndUser:
    """Write one row about a known end user and read them again; raises ApiError."""
    caller = caller_of(request)
    written = flows.users_take(brand=caller.brand, rows=[row], now=caller.now, create=False)
    for error in written.errors:
        if error.code == "end_user_unknown":  # erased or renamed meanwhile
            raise end_user_unknown()
        raise ApiError(400, error.code, error.message)
    end_user.refresh_from_db()
    return end_user


class UserMarkersView(ServerView):
    """The external markers of an end user: only this API changes them."""

    scopes = {"POST": WRITE}

    @extend_schema(
        tags=["Users"],
        operation_id="server_user_markers",
        request=s.MarkersChange,
        responses=s.ExternalMarkers,
        examples=examples.MARKERS,
    )
    def post(self, request: Request, external_id: str) -> Response:
        end_user = end_user_of(caller_of(request), external_id)
        data = checked(s.MarkersChange, request.data)
        try:
            markers = markers_checked(data["markers"])
        except RowRefused as problem:
            raise refused(problem) from None
        row = UserInput(index=0, external_id=external_id, markers=[(data["operation"], markers)])
        return Response({"markers": _change(request, end_user, row).external_markers})


class UserOptOutView(ServerView):
    """The platform's opt-out; the end user's own is another, and neither overwrites the other."""

    scopes = {"POST": WRITE}

    @extend_schema(
        tags=["Users"],
        operation_id="server_user_opt_out",
        request=s.OptOut,
        responses=s.OptOutAnswer,
        examples=examples.OPT_OUT,
    )
    def post(self, request: Request, external_id: str) -> Response:
        end_user = end_user_of(caller_of(request), external_id)
        data = checked(s.OptOut, request.data)
        row = UserInput(index=0, external_id=external_id, opted_out=data["opted_out"])
        return Response({"platform_opt_out": _change(request, end_user, row).platform_opt_out})


class UserNeverContactView(ServerView):
    """*Never contact*: above both opt-outs, and nothing overrides it. Setting it ends journeys and cancels messages."""

    scopes = {"POST": WRITE}

    @extend_schema(
        tags=["Users"],
        operation_id="server_user_never_contact",
        request=s.NeverContact,
        responses=s.NeverContactAnswer,
        examples=examples.NEVER_CONTACT,
    )
    def post(self, request: Request, external_id: str) -> Response:
        end_user = end_user_of(caller_of(request), external_id)
        data = checked(s.NeverContact, request.data)
        row = UserInput(index=0, external_id=external_id, never_contact=data["never_contact"])
        return Response({"never_contact": _change(request, end_user, row).never_contact})


def _who(end_user: EndUser) -> dict[str, Any]:
    """An answer that is kept for replays names a row and tells nothing of the person, who may be erased meanwhile."""
    return {"id": public_id("end_user", end_user.pk)}


def _external_id(value: str) -> str:
    try:
        return external_id_checked(value)
    except RowRefused as problem:
        raise refused(problem) from None


class UserRenameView(ServerView):
    """Give an end user another external id."""

    scopes = {"POST": WRITE}

    @extend_schema(
        tags=["Users"],
        operation_id="server_user_rename",
        request=s.Rename,
        responses=s.UserReference,
        parameters=[idempotency_key()],
        examples=examples.RENAME,
    )
    def post(self, request: Request, external_id: str) -> Response:
        caller = caller_of(request)
        wanted = _external_id(checked(s.Rename, request.data)["external_id"])

        def work(_: int) -> tuple[int, dict[str, Any]]:
            end_user_of(caller, external_id)
            try:
                renamed = user_rename(brand_id=caller.brand.pk, external_id=external_id, new_external_id=wanted)
            except UserUnknown:
                raise end_user_unknown() from None
            except CannotRename:
                raise ApiError(
                    409, "external_id_taken", "Another end user has this external id; merge them if they are one."
                ) from None
            return 200, _who(renamed)

        return once(request, scope="rename", work=work)


class UserMergeView(ServerView):
    """Two end users are one person: this one becomes part of the other."""

    scopes = {"POST": WRITE}

    @extend_schema(
        tags=["Users"],
        operation_id="server_user_merge",
        request=s.Merge,
        responses=s.UserReference,
        parameters=[idempotency_key()],
        examples=examples.MERGE,
    )
    def post(self, request: Request, external_id: str) -> Response:
        caller = caller_of(request)
        into = _external_id(checked(s.Merge, request.data)["into"])
        if into == external_id:
            raise ApiError(400, "merge_with_itself", "Name another end user.", fields={"into": ["The same end user."]})

        def work(_: int) -> tuple[int, dict[str, Any]]:
            end_user_of(caller, external_id)
            try:
                merged = flows.users_merge(brand=caller.brand, external_id=external_id, into=into, now=caller.now)
            except UserUnknown:
                raise end_user_unknown() from None
            return 200, _who(merged)

        return once(request, scope="merge", work=work)


class UserExportView(ServerView):
    """Everything that is kept about one person, and nothing of another's."""

    scopes = {"GET": "users:read"}

    @extend_schema(tags=["Users"], operation_id="server_user_export", responses=s.Export)
    def get(self, request: Request, external_id: str) -> StreamingHttpResponse:
        end_user = end_user_of(caller_of(request), external_id)
        return StreamingHttpResponse(_export(end_user), content_type="application/json")


def _export(end_user: EndUser) -> Iterator[bytes]:
    """One JSON object, part after part, so that a long history takes no memory."""
    json_of = JSONRenderer().render
    yield b'{"end_user":' + json_of(profile_of(end_user))
    parts = [*end_user_parts(end_user=end_user), ("campaigns", runs_of(end_user_id=end_user.pk))]
    for name, rows in parts:
        yield b"," + json.dumps(name).encode() + b":["
        for number, row in enumerate(rows):
            yield (b"," if number else b"") + json_of(row)
        yield b"]"
    yield b"}"
