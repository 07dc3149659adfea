"""The operations of the OpenAPI document."""

from functools import cache

from tests.api.page import CLIENT

SDK = "/api/v1/sdk/"


@cache
def document() -> dict:
    return CLIENT.get("/api/schema/?format=json").json()


def operations(prefix: str) -> list[tuple[str, str, dict]]:
    return [
        (path, method, operation)
        for path, methods in document()["paths"].items()
        if path.startswith(prefix)
        for method, operation in methods.items()
    ]
