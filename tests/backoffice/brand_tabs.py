"""A member of staff of two brands, with a tab of each: what a page holds, and a form sent as a browser sends it."""

import re
from html.parser import HTMLParser
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from devices.models import Brand, BrandMembership

FIELD = "_brand"


class _Forms(HTMLParser):
    """Collects what a browser would send with each form that is posted, and where the choice of a brand leads back."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, list[str]]] = []
        self.actions: list[str] = []
        self.kept: list[str] = []  # what the choice of a brand is sent with
        self._open = False
        self._text: str | None = None  # the name of the textarea that is read
        self._choice: str | None = None  # the name of the select that is read

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        name, kind = told.get("name", ""), told.get("type", "text")
        if name == "next":
            self.kept.append(told["value"])
        if tag == "form":
            self._open = told.get("method", "").lower() == "post"
            if self._open:
                self.forms.append({})
                self.actions.append(told.get("action", ""))
        if not self._open or "disabled" in told:
            return
        if tag == "input" and name and kind not in {"file", "submit", "button"}:
            if kind not in {"checkbox", "radio"} or "checked" in told:
                self._keep(name, told.get("value", ""))
        elif tag == "textarea":
            self._text = name
            self._keep(name, "")
        elif tag == "select":
            self._choice = name
        elif tag == "option" and "selected" in told and self._choice:
            self._keep(self._choice, told.get("value", ""))

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self.forms[-1][self._text][-1] += data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = False
        elif tag == "textarea":
            self._text = None
        elif tag == "select":
            self._choice = None

    def _keep(self, name: str, value: str) -> None:
        self.forms[-1].setdefault(name, []).append(value)


class Seen:
    """One page as it was shown."""

    def __init__(self, response: Any) -> None:
        self.text = response.content.decode()
        parser = _Forms()
        parser.feed(self.text)
        self.forms, self.actions = parser.forms, parser.actions
        written = re.findall(r"""["'(\s](/admin/[^"')\s]*)""", self.text)  # in scripts and data too
        self.addresses = [one for one in written if one not in parser.kept]
        self.brand = re.search(r'<option value="(\d+)" selected>', self.text)

    def form(self, **filled: Any) -> tuple[str, dict[str, Any]]:
        """The page's own form, which is the last one in it: where it goes, and all of its fields."""
        names = [
            name for name in range(len(self.forms)) if FIELD in self.forms[name] and "next" not in self.forms[name]
        ]
        return self.actions[names[-1]], {**self.forms[names[-1]], **filled}


def joins(client_name: str, brand: Brand, role: str = "admin") -> None:
    """Let somebody work for a second brand."""
    BrandMembership.objects.create(brand=brand, user=User.objects.get(username=client_name), role=role)


def choose(client: Client, brand: Brand) -> None:
    """Choose the brand in the sidebar of another tab."""
    client.post(reverse("admin:choose_brand"), {"brand": brand.pk})


def inside(brand: Brand, address: str) -> str:
    """The address with its brand."""
    return address.replace("/admin/", f"/admin/in/{brand.pk}/", 1)
