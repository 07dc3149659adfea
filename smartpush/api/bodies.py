"""Bodies of calls that would read as empty or as no JSON although there is nothing wrong with what is in them."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse

from smartpush.common.calls.errors import error_body

PREFIX = "/api/"
_NO_LENGTH = "The call does not say how long its body is: send it with Content-Length, not with chunked encoding."


class BodyMiddleware:
    """Refuses what Django would read as no body at all (chunked), and bodies that are compressed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(PREFIX):
            if "Transfer-Encoding" in request.headers and not request.headers.get("Content-Length"):
                return JsonResponse(error_body("length_required", _NO_LENGTH), status=411)
            coding = request.headers.get("Content-Encoding", "").strip()
            if coding and coding.lower() != "identity":
                text = f"A body is sent as it is, without Content-Encoding: {coding[:20]} is not read here."
                return JsonResponse(error_body("unsupported_media_type", text), status=415)
        return self.get_response(request)
