"""The SDK and the service worker as sites load them: unhashed addresses, an ETag and a short cache."""

import hashlib
from functools import lru_cache

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.views.decorators.http import require_safe

from devices.sdk_files import RARE_FILES, SDK_FILES, WORKER_FILES, bundle

_SCRIPTS = {"smartpush.js": SDK_FILES, "sw.js": WORKER_FILES, "rare.js": RARE_FILES}


@lru_cache(maxsize=4)
def _script(name: str) -> tuple[bytes, str]:
    body = bundle(_SCRIPTS[name]).encode()
    return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'


@require_safe
def script(request: HttpRequest, name: str) -> HttpResponse:
    """GET /sdk/v1/smartpush.js, /sdk/v1/rare.js and /sdk/v1/sw.js."""
    body, etag = _script(name)
    response: HttpResponse
    if etag in request.headers.get("If-None-Match", ""):
        response = HttpResponseNotModified()
    else:
        response = HttpResponse(body, content_type="text/javascript; charset=utf-8")
    response["ETag"] = etag
    response["Cache-Control"] = "public, max-age=300"
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
