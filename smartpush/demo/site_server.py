"""The demo shop's web server: its own origin, its own service worker file, one line long."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

_SITE = Path(__file__).parent / "site"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def make_app(*, brand_key: Callable[[], Awaitable[str]], host: str) -> web.Application:
    """The shop, integrated with the server at `host` (an origin) by the brand key that holds at each page load."""

    async def page(request: web.Request) -> web.Response:
        html = (_SITE / "index.html").read_text(encoding="utf-8")
        return web.Response(
            text=html.replace("{{brand}}", await brand_key()).replace("{{host}}", host),
            content_type="text/html",
            headers={"Cache-Control": "no-store"},
        )

    async def worker(request: web.Request) -> web.Response:
        return web.Response(text=f"importScripts('{host}/sdk/v1/sw.js');\n", content_type="text/javascript")

    async def asset(request: web.Request) -> web.Response:
        path = _SITE / request.match_info["name"]
        return web.Response(body=path.read_bytes(), content_type=_TYPES[path.suffix])

    app = web.Application()
    app.router.add_get("/push/smartpush-sw.js", worker)
    app.router.add_get(r"/{name:(site\.css|site\.js|icon\.svg)}", asset)
    app.router.add_get("/{page:(books/.*)?}", page)
    return app
