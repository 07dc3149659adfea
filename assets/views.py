"""Uploaded images for the world: immutable, and nothing but pictures."""

from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, HttpResponseNotModified
from django.views.decorators.http import require_safe

from assets.selectors import image_find


@require_safe
def image(request: HttpRequest, public: str, extension: str) -> HttpResponse:
    """GET /a/<public id>.<extension>."""
    found = image_find(public=public, extension=extension)
    if found is None:
        return HttpResponseNotFound("There is no such image.", content_type="text/plain")
    etag = f'"{found.sha256[:32]}"'
    response: HttpResponse
    if etag in request.headers.get("If-None-Match", ""):
        response = HttpResponseNotModified()
    else:
        response = HttpResponse(bytes(found.data), content_type=found.content_type)
    response["ETag"] = etag
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Content-Disposition"] = "inline"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    response["Access-Control-Allow-Origin"] = "*"
    return response
