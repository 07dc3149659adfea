"""What a save refuses, and the checks that push and popup resources share; every fault is named by its field."""

import re
from collections.abc import Callable, Mapping

from django.conf import settings

from devices.delivery.sending.render import BrandFacts, brand_facts
from devices.models import Brand
from smartpush.common.addresses.deep_links import MESSAGES as LINK_MESSAGES
from smartpush.common.addresses.deep_links import check_deep_link, is_allowed_deep_link
from smartpush.common.addresses.origins import MESSAGES, check_click_url, is_allowed_click_url, normal_origin
from smartpush.common.language.languages import language_valid
from smartpush.common.personalisation import address_samples, check_rendering, check_template, is_template

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}\Z")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")  # half a surrogate pair is no text either
MAX_IMAGE_URL = 500
MAX_CLICK_URL = 1_000  # characters
MAX_NAME = 120


class CannotSaveResource(Exception):
    """A refusal; `fields` maps a field (name, ttl, variants.en.title) to what to do; `code` names the gravest."""

    def __init__(self, *, fields: Mapping[str, list[str]], code: str = "invalid") -> None:
        super().__init__("; ".join(f"{field}: {text}" for field, texts in fields.items() for text in texts))
        self.fields = dict(fields)
        self.code = code


def facts_of(brand: Brand) -> BrandFacts:
    """What rendering knows of the brand."""
    return brand_facts(brand_id=brand.pk)


class Faults:
    """Collects faults by field while a draft is read."""

    def __init__(self, brand: Brand) -> None:
        self.fields: dict[str, list[str]] = {}
        self.code = "invalid"
        self.brand_id = brand.pk
        self.facts = facts_of(brand)

    def add(self, field: str, message: str) -> None:
        """Note one fault."""
        self.fields.setdefault(field, []).append(message)

    def raise_if_any(self) -> None:
        """Refuse with everything that was found."""
        if self.fields:
            raise CannotSaveResource(fields=self.fields, code=self.code)

    def name(self, value: str) -> None:
        """The resource name that marketers see."""
        if not value:
            self.add("name", "Give the resource a name.")
        elif len(value) > MAX_NAME:
            self.add("name", f"The name has {MAX_NAME} characters at most.")
        elif _CONTROL.search(value):
            self.add("name", "The name has a control character in it.")

    def language(self, field: str, value: str) -> None:
        """A language tag such as en or pt-BR."""
        if not _LANGUAGE.match(value) or not language_valid(value):
            self.add(field, f"{value!r} is not a language such as en or pt-BR.")

    def text(self, field: str, value: str, *, most: int, required: str = "", liquid: bool = True) -> None:
        """Text of a length, and Liquid that works where there may be Liquid."""
        if required and not value:
            self.add(field, required)
        elif len(value) > most:
            self.add(field, f"There are {len(value)} characters; {most} is the most.")
        elif _CONTROL.search(value):
            self.add(field, "The text has a control character in it.")
        elif liquid:
            self._template(field, value)
        elif is_template(value):
            self.add(field, "Personalisation works in push messages, not here.")

    def click_url(self, field: str, value: str, *, liquid: bool = True, required: str = "") -> None:
        """An address that a click may open: https on the brand's hosts."""
        if not value:
            if required:
                self.add(field, required)
            return
        if len(value) > MAX_CLICK_URL:
            self.add(field, f"The address is longer than {MAX_CLICK_URL} characters.")
            return
        if _CONTROL.search(value):
            self.add(field, "The address has a control character in it.")
            return
        problem = check_click_url(value, hosts=self.facts.click_hosts, dev_origins=settings.SMARTPUSH_DEV_ORIGINS)
        if problem == "url_host":
            known = ", ".join(sorted(self.facts.click_hosts)) or "none yet: add the brand's website first"
            self.add(field, f"{MESSAGES[problem]} They are: {known}.")
        elif problem is not None:
            self.add(field, MESSAGES[problem])
        elif not liquid and is_template(value):
            self.add(field, "Personalisation works in push messages, not here.")
        else:
            self._address_template(field, value, is_allowed_click_url)

    def deep_link(self, field: str, value: str) -> None:
        """An address inside a native app: its own scheme, or https on the brand's hosts."""
        if not value:
            return
        problem = check_deep_link(value, hosts=self.facts.click_hosts, dev_origins=settings.SMARTPUSH_DEV_ORIGINS)
        if problem is not None:
            self.add(field, LINK_MESSAGES.get(problem) or MESSAGES[problem])
        elif _CONTROL.search(value):
            self.add(field, "The link has a control character in it.")
        else:
            self._address_template(field, value, is_allowed_deep_link)

    def _address_template(self, field: str, value: str, allowed: Callable[..., bool]) -> None:
        """Check Liquid in an address: what it comes to with likely values is an address that may be opened.

        Values are encoded, so that what is wrong then stands in the text itself.
        """
        before = len(self.fields.get(field, []))
        self._template(field, value)
        if not is_template(value) or len(self.fields.get(field, [])) > before:
            return
        rules = {"hosts": self.facts.click_hosts, "dev_origins": settings.SMARTPUSH_DEV_ORIGINS}
        wrong = next((address for address in address_samples(value) if not allowed(address, **rules)), None)
        if wrong is not None:
            self.add(field, f"Filled in, this would be {wrong[:200]!r}, which cannot be opened: correct the text.")

    def _template(self, field: str, value: str) -> None:
        """Liquid that can be read and rendered: what fails for everybody would be found out by sending."""
        faults = check_template(value)
        failure = check_rendering(value) if all(fault.over_limit for fault in faults) else None
        for fault in [failure] if failure is not None else map(str, faults):
            self.add(field, fault)

    def image_url(self, field: str, value: str) -> None:
        """A picture's address: https, one of ours, or a development origin."""
        problem = image_url_problem(value) if value else None
        if problem is not None:
            self.add(field, problem)

    def colour(self, field: str, value: str) -> None:
        """#rrggbb."""
        if not _COLOUR.match(value):
            self.add(field, "Choose a colour, such as #4f46e5.")


def image_url_problem(value: str) -> str | None:
    """Return what is wrong with a picture's address; None where browsers load it."""
    if len(value) > MAX_IMAGE_URL:
        return f"The address of the image is longer than {MAX_IMAGE_URL} characters."
    if is_template(value):
        return "The address of an image cannot be personalised."
    origin = normal_origin(value)
    if origin is None or re.search(r"[\s\\\x00-\x1f\x7f]", value):
        return "This is not the address of an image, such as https://www.example.com/icon.png."
    ours = {settings.SMARTPUSH_PUBLIC_URL, *settings.SMARTPUSH_DEV_ORIGINS}
    if not origin.startswith("https://") and origin not in {normal_origin(item) for item in ours}:
        return "Browsers load images from https:// addresses only."
    return None


def contrast(one: str, other: str) -> float:
    """The WCAG 2 contrast ratio of two #rrggbb colours, from 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
