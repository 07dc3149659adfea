"""What the OpenAPI document says of every call of a surface: who may call, how errors look, how limits are told."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from smartpush.api.sdk_examples import SDK_EXAMPLES

SDK, SERVER = "/api/v1/sdk/", "/api/v1/server/"
_SCHEMES = {
    "BrandKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Smartpush-Key",
        "description": "The brand's public key, from one of its exact origins (the browser's own Origin header).",
    },
    "AppKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Smartpush-App",
        "description": "The key of a native app; no Origin.",
    },
    "ApiKey": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "sk_...",
        "description": "An API key of the brand, made by an admin of the brand under Settings, with scopes.",
    },
}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "fields"],
            "properties": {
                "code": {"type": "string", "description": "For programs; never changes its meaning."},
                "message": {"type": "string", "description": "For people; may change."},
                "fields": {
                    "type": "object",
                    "description": "A path in the request to what is wrong there.",
                    "additionalProperties": {"type": "array", "items": {"type": "string"}},
                },
            },
        }
    },
}
_ERRORS = {
    "400": ("BadRequest", "The request is not valid; `fields` says where.", "invalid_request"),
    "401": ("Unauthorized", "Who calls is not known, or has not proven who they are.", "key_unknown"),
    "403": ("Forbidden", "Known, but not allowed to do this.", "scope_missing"),
    "404": ("NotFound", "The brand has nothing of this id.", "end_user_unknown"),
    "406": ("NotAcceptable", "Answers are application/json; the Accept header leaves it out.", "not_acceptable"),
    "409": ("Conflict", "It contradicts what is already so.", "idempotency_conflict"),
    "411": ("LengthRequired", "A chunked body: send Content-Length.", "length_required"),
    "413": ("TooLarge", "The body is too large; send less at a time.", "payload_too_large"),
    "415": ("UnsupportedMediaType", "Bodies are application/json, without Content-Encoding.", "unsupported_media_type"),
    "429": ("TooManyRequests", "Wait as long as Retry-After says.", "rate_limited"),
    "500": ("InternalError", "Something went wrong here; it is logged.", "internal"),
    "503": ("Busy", "Try again: no effect was had.", "server_busy"),
}
_HEADERS = {
    "RateLimit-Limit": "Calls a minute with this key.",
    "RateLimit-Remaining": "Calls left in this minute.",
    "RateLimit-Reset": "Seconds until the minute ends.",
}


def idempotency_key(*, required: bool = False) -> OpenApiParameter:
    """The header that makes a replay of a call have one effect."""
    return OpenApiParameter(
        name="Idempotency-Key",
        type=OpenApiTypes.STR,
        location=OpenApiParameter.HEADER,
        required=required,
        description=(
            "1 to 128 printable ASCII characters of your own. Within seven days the same key with the same request is"
            " answered as the first time and has no second effect; with another request it is `idempotency_conflict`."
        ),
    )


def _response(status: str) -> dict[str, Any]:
    _, description, code = _ERRORS[status]
    body: dict[str, Any] = {
        "description": description,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Error"},
                "example": {"error": {"code": code, "message": description, "fields": {}}},
            }
        },
    }
    if status in ("429", "503"):
        body["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
    return body


def _statuses(path: str, method: str, operation: Mapping[str, Any]) -> list[str]:
    # Middleware answers 411 and 415 whatever the method is: a GET too may carry a body.
    statuses = ["400", "406", "411", "415", "429", "500", "503"]
    if method != "get":
        statuses.append("413")
    if not path.endswith("/reports"):  # they carry their own proof
        statuses += ["401", "403"]
    if "{" in path or "push" in path or "popups" in path or path.endswith("deliveries"):
        statuses.append("404")
    if "popups" in path or (path.startswith(SERVER) and ("{" in path or path.endswith("/push"))):
        statuses.append("409")
    return sorted(set(statuses) - operation["responses"].keys())


def complete(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """drf-spectacular's hook over the finished document."""
    components = result.setdefault("components", {})
    components["securitySchemes"] = _SCHEMES
    components.setdefault("schemas", {})["Error"] = _ERROR
    components["responses"] = {name: _response(status) for status, (name, _, _) in sorted(_ERRORS.items())}
    components["headers"] = {
        name: {"schema": {"type": "integer"}, "description": text} for name, text in _HEADERS.items()
    }
    for path, methods in result["paths"].items():
        for method, operation in methods.items():
            if path.startswith(SERVER):
                operation["security"] = [{"ApiKey": []}]
                for response in operation["responses"].values():
                    response["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in _HEADERS}
            elif path.startswith(SDK):
                operation["tags"] = ["SDK"]
                operation["security"] = [{}] if path.endswith("/reports") else [{"BrandKey": []}, {"AppKey": []}]
                _example(operation)
            else:
                continue
            for status in _statuses(path, method, operation):
                operation["responses"][status] = {"$ref": f"#/components/responses/{_ERRORS[status][0]}"}
    return result


def _example(operation: dict[str, Any]) -> None:
    example = SDK_EXAMPLES.get(operation["operationId"])
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if example is not None and content is not None:
        content["example"] = example
