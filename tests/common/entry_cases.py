"""What a client can write into a request that makes some reader of it fail, as (headers, target) to be combined."""

from dataclasses import dataclass

# Django pages, DRF views of both surfaces, files, a plain view, and what exists nowhere.
PATHS = (
    "/",
    "/healthz",
    "/metrics",
    "/admin/",
    "/admin/login/",
    "/api/v1/sdk/session",
    "/api/v1/server/users",
    "/api/nowhere",
    "/sdk/v1/smartpush.js",
    "/static/nowhere.js",
    "/p/nowhere",
    "/a/nowhere",
    "/nowhere",
)
METHODS = ("GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PROPFIND")

# Codecs that decode no text, that know no replacement of bytes, that always fail, and that do not exist.
CHARSETS = (
    "hex", "zlib", "bz2", "base64", "quopri", "uu", "rot13", "idna", "punycode", "undefined", "unicode_escape",
    "raw_unicode_escape", "utf-7", "utf-16", "utf-32", "mbcs", "nothing", "..", '"hex"', "HEX", "\xff", "x" * 2000, "",
)  # fmt: skip
CONTENT_TYPES = (
    *(f"a/b; charset={charset}" for charset in CHARSETS),
    *(f"{kind}; charset=hex" for kind in ("application/json", "application/x-www-form-urlencoded", "text/html")),
    "multipart/form-data; boundary=x; charset=hex",
    # Parameters by RFC 2231 have a codec of their own each.
    "a/b; charset*=hex''x",
    "a/b; charset*=nothing''x",
    "a/b; charset*=idna''%e9",
    "a/b; x*=idna''%e9%ff",
    "a/b; charset*0*=nothing''x; charset*1=y",
    "multipart/form-data; boundary*=nothing''x",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "multipart/form-data; boundary=\xe9",
    "multipart/form-data; boundary=" + "x" * 300,
    ";",
    ";;;=",
    "x",
    "\xff\xfe",
    "a/b;" + "x=y;" * 1000,
)
QUERIES = ("a=%41", "%zz", "%", "%ff=%ff", "a=%ed%a0%80", "a=%00", "%00", "a=%u0041", "=", "&&&", "a=b&" * 900)
ODD_TARGETS = (
    "/%00", "/admin/%00/", "/admin/login/%00", "/api/v1/sdk/%00", "/api/v1/server/users/%00", "/p/%00", "/a/x%00y",
    "/static/%00", "/sdk/v1/%00",
    "/%ff", "/%zz", "/%", "//evil.example", "/..%2f..%2fetc", "/static/..%2fmanage.py", "/p/%ed%a0%80",
)  # fmt: skip
HOSTS = (
    "evil.example", "", "a b", "\xff", "127.0.0.1:x", "[::1", "127.0.0.1,evil.example",
    "<script>", "..", "@", "127.0.0.1@evil.example", "a" * 2000,
)  # fmt: skip
HEADERS = (
    ("X-Forwarded-For", "\xff\xfe, , ;"),
    ("X-Forwarded-For", "1.2.3.4," * 500),
    ("X-Forwarded-For", "'; DROP TABLE x; --"),
    ("X-Forwarded-Proto", "\xff"),
    ("X-Forwarded-Proto", "https, http"),
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-Port", "x"),
    ("X-Request-ID", "\xff" * 300),
    ("X-Correlation-ID", "\xff"),
    ("Forwarded", 'for="_x";proto=\xff'),
    ("Cookie", 'sessionid="\\000aaaaaaaaa"'),
    ("Cookie", 'sessionid="\\377aaaaaaaaa"'),
    ("Cookie", "sessionid=\xffaaaaaaaaaa"),
    ("Cookie", 'csrftoken="\\000"; messages="\\000"; django_language="\\000"'),
    ("Cookie", "=;;;=\xff"),
    ("Accept", "a/b; q*=nothing''x"),
    ("Accept", "application/json; version*=idna''%ff"),
    ("Accept", "\xff/\xff,,;q=x"),
    ("Accept-Language", "\xff;q=x," + "a-" * 300),
    ("Authorization", "Bearer \xff"),
    ("Authorization", "\xff"),
    ("If-Modified-Since", "\xff"),
    ("If-None-Match", "\xff"),
    ("Range", "bytes=\xff-"),
    ("Referer", "\xff://["),
    ("Origin", "http://["),
    ("User-Agent", "\xff" * 3000),
    ("Idempotency-Key", "\xff"),
    ("X-Smartpush-Key", "\xff"),
    ("X-CSRFToken", "\xff"),
    ("Content-Encoding", "gzip"),
)


@dataclass(frozen=True)
class Case:
    """One request; `status` where it is not the path's own business what comes of it."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    host: str = "127.0.0.1"
    status: int | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.target[:60]} {[(k, v[:50]) for k, v in self.headers]} Host {self.host[:40]}"


def kinds_on(path: str) -> list[str]:
    """The content types that a path is tried with: taken in turn, so that each path has a third of them."""
    number = PATHS.index(path)
    return [kind for turn, kind in enumerate(CONTENT_TYPES) if (turn + number) % 3 == 0]


def cases() -> list[Case]:
    """Every kind on several paths, with methods taken in turn."""
    found = []
    for number, path in enumerate(PATHS):
        for turn, kind in enumerate(kinds_on(path)):
            found.append(Case(METHODS[(number + turn) % len(METHODS)], f"{path}?a=%41", (("Content-Type", kind),)))
        for turn, query in enumerate(QUERIES):
            if (turn + number) % 3 == 0:
                found.append(Case("GET", f"{path}?{query}"))
        for turn, header in enumerate(HEADERS):
            if (turn + number) % 3 == 0:
                found.append(Case(METHODS[(number + turn) % len(METHODS)], path, (header,)))
    found += [Case(method, target) for target in ODD_TARGETS for method in ("GET", "POST")]
    found += [
        Case("GET", ("/healthz", "/api/v1/sdk/session", "/admin/login/")[turn % 3], host=host, status=400)
        for turn, host in enumerate(HOSTS)
    ]
    return found
