"""Whether a Content Security Policy lets the SDK work (docs/web/csp.md)."""

from collections.abc import Iterable
from urllib.parse import urlsplit

_FALLBACK = {
    "script-src-elem": ("script-src-elem", "script-src", "default-src"),
    "connect-src": ("connect-src", "default-src"),
    "worker-src": ("worker-src", "child-src", "script-src", "default-src"),
}


def policies_split(values: Iterable[str]) -> list[dict[str, list[str]]]:
    """Read policies from headers and markup: each as its directives with their sources."""
    found = []
    for value in values:
        for policy in value.split(","):
            directives: dict[str, list[str]] = {}
            for part in policy.split(";"):
                name, *sources = part.split() or [""]
                if name:
                    directives.setdefault(name.lower(), sources)
            if directives:
                found.append(directives)
    return found


def missing_sources(
    policies: Iterable[dict[str, list[str]]],
    *,
    host: str,
    origin: str,
    script_nonce: bool,
    inline: bool,
    inline_nonce: bool,
) -> list[str]:
    """Return what has to be added, as `directive source`; empty when every policy lets the SDK of `host` work."""
    missing = []
    for policy in policies:
        scripts = _sources(policy, "script-src-elem")
        if scripts is not None:
            with_nonce = any(source.startswith("'nonce-") for source in scripts)
            named = _allows(scripts, host, origin) and "'strict-dynamic'" not in scripts
            if not named and not (script_nonce and with_nonce):
                missing.append(f"script-src {host}")
            hashed = any(source.startswith(("'sha256-", "'sha384-", "'sha512-")) for source in scripts)
            free = "'unsafe-inline'" in scripts and not with_nonce and not hashed
            if inline and not (free or hashed or (inline_nonce and with_nonce)):
                missing.append("script-src 'nonce-…', with the same nonce on the snippet")
        calls = _sources(policy, "connect-src")
        if calls is not None and not _allows(calls, host, origin):
            missing.append(f"connect-src {host}")
        workers = _sources(policy, "worker-src")
        if workers is not None and not _allows(workers, origin, origin):
            missing.append("worker-src 'self'")
    return list(dict.fromkeys(missing))


def _sources(policy: dict[str, list[str]], directive: str) -> list[str] | None:
    return next((policy[name] for name in _FALLBACK[directive] if name in policy), None)


def _allows(sources: Iterable[str], wanted: str, origin: str) -> bool:
    return any(_matches(source, wanted, origin) for source in sources)


def _matches(source: str, wanted: str, origin: str) -> bool:
    target = urlsplit(wanted)
    source = source.lower()
    if source == "'self'":
        return wanted == origin
    if source == "*":
        return True
    if source.endswith(":"):
        return source == f"{target.scheme}:"
    scheme, _, rest = source.rpartition("://")
    if scheme and scheme != target.scheme:
        return False
    name, _, port = rest.split("/", 1)[0].partition(":")
    default = {"https": 443, "http": 80}.get(target.scheme)
    if port not in ("*", str(target.port or default)) and not (not port and target.port in (None, default)):
        return False
    host = target.hostname or ""
    return host.endswith(name[1:]) if name.startswith("*.") else host == name
