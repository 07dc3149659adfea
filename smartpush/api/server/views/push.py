"""Transactional pushes, taking them back, and what became of deliveries."""

from datetime import timedelta
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from assets.models import PushResource
from devices.delivery.selectors.deliveries import DeliveryFilter, deliveries_find, delivery_find, message_known
from devices.delivery.services.messages import TooLate, message_cancel
from smartpush.api.openapi import idempotency_key
from smartpush.api.sdk.serializers.fields import checked
from smartpush.api.server import examples, flows
from smartpush.api.server.serializers import push as s
from smartpush.api.server.views.base import ServerView, caller_of, end_user_of, once
from smartpush.common.calls.errors import ApiError
from smartpush.common.database.deadlocks import transaction_again
from smartpush.common.ids import public_id, row_number

SEND, READ = "push:send", "deliveries:read"
_AHEAD = timedelta(days=28)  # partitions for deliveries are made that far ahead, and push services keep no longer
_MOST = 1000
_DEVICES = 500  # deliveries of one message that are listed


class ResourcesView(ServerView):
    """The brand's push resources that can be sent: at most a thousand, last changed first."""

    scopes = {"GET": SEND}

    @extend_schema(
        tags=["Push"], operation_id="server_push_resources", responses=s.ResourcesAnswer, examples=examples.RESOURCES
    )
    def get(self, request: Request) -> Response:
        found = PushResource.objects.filter(
            brand=caller_of(request).brand, archived_at=None, current_revision__isnull=False
        )
        rows = found.order_by("-updated_at").values_list("pk", "name")[:_MOST]
        return Response({"resources": [{"id": public_id("push", number), "name": name} for number, name in rows]})


class PushView(ServerView):
    """Send a push resource to every reachable device of one end user, once a key."""

    scopes = {"POST": SEND}

    @extend_schema(
        tags=["Push"],
        operation_id="server_push",
        request=s.TransactionalPush,
        responses={202: s.PushAnswer},
        parameters=[idempotency_key(required=True)],
        examples=examples.PUSH,
    )
    def post(self, request: Request) -> Response:
        caller = caller_of(request)
        data = checked(s.TransactionalPush, request.data)
        send_at = data["send_at"]
        if send_at is not None and send_at > caller.now + _AHEAD:
            raise ApiError(
                400, "invalid_request", "The request is not valid.", fields={"send_at": ["At most 28 days ahead."]}
            )
        if send_at is not None and send_at <= caller.now:
            send_at = None

        def work(request_id: int) -> tuple[int, dict[str, Any]]:
            order = flows.PushOrder(
                resource=_resource(request, data["push"]),
                end_user=end_user_of(caller, data["external_id"]),
                data=data["data"],
                purpose=data["purpose"],
                target_devices=data["target_devices"],
                ttl=data["ttl"],
                send_at=send_at,
            )
            message = flows.push_take(brand=caller.brand, order=order, request_id=request_id, now=caller.now)
            # Nothing about the person: the answer is kept for replays.
            return 202, {
                "id": public_id("message", request_id),
                "push": data["push"],
                "send_at": send_at or caller.now,
                "reason": message.reason,
                "deliveries": [public_id("delivery", number) for number in message.delivery_ids],
            }

        return once(request, scope="push", work=work, required=True)


def _resource(request: Request, public: str) -> PushResource:
    number = row_number("push", public)
    found = None
    if number is not None:
        known = PushResource.objects.select_related("current_revision")
        found = known.filter(pk=number, brand=caller_of(request).brand, archived_at=None).first()
    if found is None or found.current_revision is None:
        raise ApiError(404, "push_unknown", "The brand has no such push resource, or it is put away.")
    return found


def _message(request: Request, public: str) -> int:
    number = row_number("message", public)
    if number is None or not message_known(brand_id=caller_of(request).brand.pk, request_id=number):
        raise ApiError(404, "message_unknown", "The brand has asked for no such message.")
    return number


class MessageView(ServerView):
    """One transactional push."""

    scopes = {"GET": READ, "DELETE": SEND}

    @extend_schema(tags=["Push"], operation_id="server_message", responses=s.MessageAnswer, examples=examples.MESSAGE)
    def get(self, request: Request, message: str) -> Response:
        """Its deliveries, one a device, each with its state and reason."""
        number = _message(request, message)
        wanted = DeliveryFilter(request_id=number)
        found = deliveries_find(brand_id=caller_of(request).brand.pk, wanted=wanted, limit=_DEVICES)
        return Response({"id": message, "deliveries": found})

    @extend_schema(
        tags=["Push"],
        operation_id="server_message_cancel",
        request=None,
        responses={200: s.CancelAnswer},
        examples=examples.CANCEL,
    )
    def delete(self, request: Request, message: str) -> Response:
        """Take back what has not been sent; 409 when nothing of it waits any more."""
        return Response(_cancelled(request, message))


class MessageCancelView(ServerView):
    """As DELETE does, for clients that only post."""

    scopes = {"POST": SEND}

    @extend_schema(
        tags=["Push"],
        operation_id="server_message_cancel_post",
        request=None,
        responses=s.CancelAnswer,
        examples=examples.CANCEL,
    )
    def post(self, request: Request, message: str) -> Response:
        return Response(_cancelled(request, message))


def _cancelled(request: Request, message: str) -> dict[str, Any]:
    number = _message(request, message)
    caller = caller_of(request)
    try:
        cancelled = transaction_again(
            lambda: message_cancel(brand_id=caller.brand.pk, request_id=number, now=caller.now)
        )
    except TooLate:
        raise ApiError(409, "too_late", "Nothing of this message waits any more; look it up to see why.") from None
    return {"id": message, "cancelled": cancelled}


class DeliveriesView(ServerView):
    """The brand's deliveries from every source, newest first."""

    scopes = {"GET": READ}

    @extend_schema(
        tags=["Deliveries"],
        operation_id="server_deliveries",
        parameters=[s.DeliveriesQuery],
        responses=s.DeliveriesAnswer,
        examples=examples.DELIVERIES,
    )
    def get(self, request: Request) -> Response:
        caller = caller_of(request)
        query = checked(s.DeliveriesQuery, request.query_params.dict())
        external_id = query.get("external_id")
        before = None
        if "cursor" in query:
            before = row_number("delivery", query["cursor"])
            if before is None:
                raise ApiError(400, "invalid_request", "Not a cursor.", fields={"cursor": ["Take `next` as it is."]})
        wanted = DeliveryFilter(
            end_user_id=None if external_id is None else end_user_of(caller, external_id).pk,
            request_id=_message(request, query["message"]) if "message" in query else None,
            state=query.get("state"),
            since=query.get("since"),
            until=query.get("until"),
            before_id=before,
        )
        found = deliveries_find(brand_id=caller.brand.pk, wanted=wanted, limit=query["limit"] + 1)
        page = found[: query["limit"]]
        return Response({"deliveries": page, "next": page[-1]["id"] if len(found) > len(page) else None})


class DeliveryView(ServerView):
    """One delivery."""

    scopes = {"GET": READ}

    @extend_schema(
        tags=["Deliveries"], operation_id="server_delivery", responses=s.DeliveryAnswer, examples=examples.DELIVERY
    )
    def get(self, request: Request, delivery: str) -> Response:
        number = row_number("delivery", delivery)
        found = None
        if number is not None:
            found = delivery_find(brand_id=caller_of(request).brand.pk, delivery_id=number)
        if found is None:
            raise ApiError(404, "delivery_unknown", "The brand has no such delivery.")
        return Response(found)
