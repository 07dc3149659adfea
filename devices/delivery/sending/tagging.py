"""UTM tags: where a visit came from, as analytics tools read it from the address."""

from collections.abc import Mapping
from urllib.parse import quote, urlsplit, urlunsplit

UTM_KEYS = ("source", "medium", "campaign", "content", "term")


def utm_tagged(url: str, utm: Mapping[str, str]) -> str:
    """The web address with the tags added to its query; what it has already is kept as it is, tags of ours included."""
    tags = {f"utm_{key}": utm[key] for key in UTM_KEYS if utm.get(key)}
    if not url or not tags or not url.startswith(("https://", "http://")):
        return url
    parts = urlsplit(url)
    there = {pair.partition("=")[0] for pair in parts.query.split("&")}
    added = [f"{name}={quote(value, safe='')}" for name, value in tags.items() if name not in there]
    query = "&".join([*([parts.query] if parts.query else []), *added])
    return urlunsplit(parts._replace(query=query))
