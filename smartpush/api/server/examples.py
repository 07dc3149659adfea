"""Examples of the document: what is sent and what is answered."""

from typing import Any

from drf_spectacular.utils import OpenApiExample


def _sent(value: Any) -> OpenApiExample:
    return OpenApiExample("Call", value=value, request_only=True)


def _answered(value: Any, status: str = "200") -> OpenApiExample:
    return OpenApiExample("Answer", value=value, response_only=True, status_codes=[status])


_NOON = "2026-11-23T12:00:00Z"
_PROFILE = {
    "id": "nYq0g1B0cW3uL2vD",
    "external_id": "customer-42",
    "language": "en",
    "time_zone": "Europe/Athens",
    "country": "GR",
    "properties": {"first_name": "Ann", "balance": 120.5, "vip": True, "born": "1990-05-01"},
    "markers": {"js": ["NEWS"], "external": ["GOLD"], "back_office": []},
    "platform_opt_out": False,
    "user_opt_out": False,
    "never_contact": False,
    "target_devices": "all",
    "last_session_at": _NOON,
    "last_session_status": "allowed",
    "created_at": "2026-01-05T08:30:00Z",
}
_DELIVERY = {
    "id": "Zb2kq9dPqf0Xw7aT",
    "message": "h1Vx0mPz8sQe4LkB",
    "external_id": "customer-42",
    "source": "api",
    "campaign": None,
    "label": "API: Order shipped r3",
    "purpose": "operational",
    "platform": "web",
    "browser": "firefox",
    "state": "accepted",
    "reason": "",
    "held_for": "",
    "created_at": _NOON,
    "send_at": _NOON,
    "expires_at": "2026-11-24T12:00:00Z",
    "sent_at": _NOON,
    "finished_at": None,
    "displayed_at": "2026-11-23T12:00:02Z",
    "clicked_at": None,
    "clicked_action": "",
    "closed_at": None,
}

USERS_BULK = [
    _sent(
        {
            "users": [
                {
                    "external_id": "customer-42",
                    "language": "en",
                    "time_zone": "Europe/Athens",
                    "country": "GR",
                    "properties": {"first_name": "Ann", "balance": 120.5, "vip": True, "born": "1990-05-01"},
                    "markers": {"add": ["GOLD"], "remove": ["SILVER"]},
                },
                {"external_id": "customer-43", "platform_opt_out": True, "properties": {"nickname": None}},
            ]
        }
    ),
    _answered(
        {
            "created": 1,
            "updated": 0,
            "unchanged": 0,
            "errors": [
                {
                    "index": 1,
                    "code": "property_type",
                    "message": "properties.balance is a number in this brand; this value is not.",
                }
            ],
        }
    ),
]
USER = [_answered(_PROFILE)]
USER_CHANGE = [_sent({"language": "el", "properties": {"vip": False, "nickname": None}}), _answered(_PROFILE)]
ERASED = [_answered({"erased": True, "devices": 2, "events": 118, "deliveries": 12})]
MARKERS = [_sent({"operation": "add", "markers": ["GOLD"]}), _answered({"markers": ["GOLD"]})]
OPT_OUT = [_sent({"opted_out": True}), _answered({"platform_opt_out": True})]
NEVER_CONTACT = [_sent({"never_contact": True}), _answered({"never_contact": True})]
RENAME = [_sent({"external_id": "customer-4200"}), _answered({"id": _PROFILE["id"]})]
MERGE = [_sent({"into": "customer-42"}), _answered({"id": _PROFILE["id"]})]
EVENTS_BULK = [
    _sent(
        {
            "events": [
                {
                    "id": "order-1001-paid",
                    "external_id": "customer-42",
                    "name": "deposit",
                    "properties": {"amount": 20, "currency": "EUR"},
                    "occurred_at": _NOON,
                }
            ],
            "unknown_users": "create",
        }
    ),
    _answered({"accepted": 1, "duplicates": 0, "errors": []}),
]
CAMPAIGNS = [
    _answered({"campaigns": [{"id": "mC4xWn2kVb0Yt9sE", "name": "Welcome", "kind": "realtime", "state": "active"}]})
]
TRIGGER = [
    _sent({"users": [{"external_id": "customer-42", "data": {"order": "1001"}}], "data": {"shop": "Athens"}}),
    _answered({"entered": 1, "results": [{"index": 0, "result": "entered"}], "errors": []}),
]
RESOURCES = [_answered({"resources": [{"id": "p8TqXc5LrB1nHw0Z", "name": "Order shipped"}]})]
PUSH = [
    _sent({"external_id": "customer-42", "push": "p8TqXc5LrB1nHw0Z", "data": {"order": "1001"}, "ttl": 3600}),
    _answered(
        {
            "id": "h1Vx0mPz8sQe4LkB",
            "push": "p8TqXc5LrB1nHw0Z",
            "send_at": _NOON,
            "reason": "",
            "deliveries": ["Zb2kq9dPqf0Xw7aT"],
        },
        "202",
    ),
]
MESSAGE = [_answered({"id": "h1Vx0mPz8sQe4LkB", "deliveries": [_DELIVERY]})]
CANCEL = [_answered({"id": "h1Vx0mPz8sQe4LkB", "cancelled": 1})]
DELIVERIES = [_answered({"deliveries": [_DELIVERY], "next": None})]
DELIVERY = [_answered(_DELIVERY)]
