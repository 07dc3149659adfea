"""Read from a page's markup how it is installed: the SDK's script, the arguments of init, and policies."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

_INIT = re.compile(r"smartpush\s*\(\s*['\"`]init['\"`]")
_OPTION: Final = r"['\"]?\b{name}\b['\"]?\s*:\s*['\"`]([^'\"`]{{1,300}})['\"`]"


@dataclass(slots=True)
class PageRead:
    """The parts of a page that concern us; '' and False where it shows none."""

    script: str = ""
    script_nonce: bool = False
    snippet: bool = False
    snippet_nonce: bool = False
    brand: str = ""
    host: str = ""
    worker: str = ""
    policies: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found = PageRead()
        self._inline: dict[str, str | None] | None = None
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "script":
            self._inline, self._text = named, []
            source = (named.get("src") or "").strip()
            if re.search(r"/sdk/v1/smartpush\.js(?:[?#]|$)", source):
                self.found.script, self.found.script_nonce = source, bool(named.get("nonce"))
        if tag == "meta" and (named.get("http-equiv") or "").lower() == "content-security-policy":
            self.found.policies.append(named.get("content") or "")

    def handle_data(self, data: str) -> None:
        if self._inline is not None:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag != "script" or self._inline is None:
            return
        text, attributes = "".join(self._text), self._inline
        self._inline = None
        if not _INIT.search(text):
            return
        found = self.found
        found.snippet, found.snippet_nonce = True, bool(attributes.get("nonce"))
        after = text[_INIT.search(text).end() :]  # type: ignore[union-attr]
        for name, option in (("brand", "brand"), ("host", "host"), ("worker", "serviceWorker")):
            value = re.search(_OPTION.format(name=option), after)
            if value:
                setattr(found, name, value[1])


def page_read(html: str) -> PageRead:
    """Read a page's markup, whatever state it is in."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.found
