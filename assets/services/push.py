"""Push resources: what a push may say, how large it gets, and what of it the delivery side reads."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser

from assets.models import PushResource, PushRevision, PushVariant
from assets.services.refusals import Faults
from assets.services.revisions import (
    ResourceKind,
    fallen_back,
    resource_check,
    resource_save,
    revision_draft,
)
from devices.delivery.sending.claim import Row
from devices.delivery.sending.render import BrandFacts, CannotSend, payload_render
from devices.delivery.transports.encryption import MAX_PLAINTEXT
from devices.models import Brand, PushCategory
from segments.selectors.names.known_names import KnownNames
from smartpush.common.language.languages import language_label
from smartpush.common.personalisation import address_doubts, check_message, names_guarded, names_used

MAX_BUTTONS = 3
MIN_TTL = 60  # seconds: nothing reaches a device in less
MAX_TTL = 2_419_200  # seconds: four weeks, the most that push services keep
MAX_APP_BADGE = 99_999
MAX_UTM = 100  # characters
FALL_BACK = ("icon", "image", "badge", "url", "deep_link")  # a language that leaves them empty has the default's
AIM_PAYLOAD = 2_000  # bytes: what Firefox on Android takes for certain
_PLACES = {
    "title": "Title",
    "message": "Message",
    "click_url": "Click opens",
    "deep_link": "Click opens in the app",
    **{f"buttons.{n}.title": f"Button {n}" for n in range(1, MAX_BUTTONS + 1)},
    **{f"buttons.{n}.url": f"Button {n} opens" for n in range(1, MAX_BUTTONS + 1)},
    **{f"buttons.{n}.deep_link": f"Button {n} opens in the app" for n in range(1, MAX_BUTTONS + 1)},
}
_LIKELY_VALUE = "x" * 40  # the longest value that personalisation is likely to fill in
_UNMADE = "With this text no message can be made. Check what stands between {% and %}."
_LIQUID = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_LIQUID_TAG = re.compile(r"\{%.*?%\}", re.DOTALL)


@dataclass(frozen=True)
class ButtonDraft:
    """`url` for browsers, `deep_link` for native apps; without an address the button only closes the push."""

    title: str
    url: str
    deep_link: str = ""


@dataclass(frozen=True)
class PushVariantDraft:
    language: str
    title: str
    message: str
    icon: str = ""
    image: str = ""
    badge: str = ""
    click_url: str = ""
    deep_link: str = ""
    buttons: tuple[ButtonDraft, ...] = ()


@dataclass(frozen=True)
class Utm:
    """What analytics tools are told about where a visit came from; empty ones are left out."""

    source: str = ""
    medium: str = ""
    campaign: str = ""
    content: str = ""
    term: str = ""

    def filled(self) -> dict[str, str]:
        """Those that say something."""
        return {name: value for name, value in vars(self).items() if value}


@dataclass(frozen=True)
class PushDraft:
    """Everything that a revision holds; `ttl` in seconds, `app_badge` the number on the app's icon (None: as it is).

    `category`: the marker of the push category that it is about, or empty.
    """

    variants: tuple[PushVariantDraft, ...]
    default_language: str = "en"
    ttl: int = 86_400
    urgency: str = "normal"
    policy: str = "at_least_once"
    utm: Utm = Utm()
    silent: bool = False
    app_badge: int | None = None
    category: str = ""


class PushKind(ResourceKind[PushDraft, PushRevision]):
    """What a push may say."""

    def columns(self, draft: PushDraft) -> dict[str, Any]:
        return super().columns(draft) | {"utm": draft.utm.filled()}

    def variant_columns(self, variant: PushVariantDraft) -> dict[str, Any]:
        return super().variant_columns(variant) | {"buttons": _buttons(variant.buttons)}

    def values(self, revision: PushRevision) -> dict[str, Any]:
        return super().values(revision) | {"utm": Utm(**revision.utm)}

    def variant_values(self, row: Any) -> dict[str, Any]:
        buttons = tuple(ButtonDraft(item["title"], item["url"], item.get("deep_link", "")) for item in row.buttons)
        return super().variant_values(row) | {"buttons": buttons}

    def tidy(self, draft: PushDraft) -> PushDraft:
        utm = Utm(**{name: value.strip() for name, value in vars(draft.utm).items()})
        variants = sorted(map(_tidy_variant, draft.variants), key=lambda item: item.language)
        return replace(draft, utm=utm, variants=tuple(variants), category=draft.category.strip().upper())

    def check(self, draft: PushDraft, faults: Faults) -> None:
        if not MIN_TTL <= draft.ttl <= MAX_TTL:
            faults.add("ttl", "Keep trying for at least a minute and at most 28 days.")
        if draft.urgency not in PushRevision.Urgency.values:
            faults.add("urgency", "Choose an urgency.")
        if draft.policy not in PushRevision.Policy.values:
            faults.add("policy", "Choose what happens when we are unsure.")
        if draft.app_badge is not None and not 0 <= draft.app_badge <= MAX_APP_BADGE:
            faults.add("app_badge", f"The number on the icon is from 0 to {MAX_APP_BADGE}.")
        if draft.category and not PushCategory.objects.filter(brand_id=faults.brand_id, marker=draft.category).exists():
            faults.add("category", "Choose one of the brand's push categories.")
        for name, value in draft.utm.filled().items():
            faults.text(f"utm.{name}", value, most=MAX_UTM, liquid=False)
        for variant in draft.variants:
            _check_variant(draft, variant, faults)


PUSH = PushKind(PushResource, PushRevision, PushVariant, PushDraft, PushVariantDraft)


def push_resource_check(
    *, brand: Brand, name: str, draft: PushDraft, resource: PushResource | None = None
) -> PushDraft:
    """The tidied draft, when it can be saved; raises CannotSaveResource with every fault."""
    return resource_check(PUSH, brand=brand, name=name, draft=draft, resource=resource)


def push_resource_save(
    *,
    brand: Brand,
    name: str,
    draft: PushDraft,
    by: AbstractBaseUser | None = None,
    resource: PushResource | None = None,
) -> PushRevision:
    """Write the draft as the next revision (none when nothing changed); raises CannotSaveResource."""
    return resource_save(PUSH, brand=brand, name=name, draft=draft, by=by, resource=resource)


def push_draft(revision: PushRevision) -> PushDraft:
    """A revision as a draft to go on from."""
    return revision_draft(PUSH, revision)


def push_content(revision: PushRevision) -> dict[str, Any]:
    """Dispatch.content of a push."""
    return {**_content(push_draft(revision)), "revision": revision.pk}


def push_warnings(*, brand: Brand, draft: PushDraft) -> Sequence[str]:
    """What is allowed but unwise, in sentences for the marketer."""
    facts = Faults(brand).facts
    draft = PUSH.tidy(draft)
    found: list[str] = []
    for variant in draft.variants:
        label = language_label(variant.language)
        found += _doubts(variant)
        size, _field = payload_size(draft=draft, variant=variant, facts=facts)
        if size > AIM_PAYLOAD:
            found.append(
                f"With long names the message in {label} takes about {size} bytes; Firefox on Android"
                f" shows up to {AIM_PAYLOAD} for certain. Shorten the text or the addresses."
            )
    return [*found, *push_name_warnings(draft=draft, known=KnownNames(brand=brand))]


def push_name_warnings(*, draft: PushDraft, known: KnownNames, event: str | None = "") -> list[str]:
    """Say which values the texts name and the brand's data does not know, each once, with the first place.

    `event`: the name of the event that brings `event.…` (empty: any may; None: none does).
    """
    found: dict[str, str] = {}
    for variant in sorted(draft.variants, key=lambda item: item.language != draft.default_language):
        for field, text in variant_texts(variant).items():
            label = language_label(variant.language)
            place = _PLACES.get(field, field) + (f" ({label})" if len(draft.variants) > 1 else "")
            for used in names_used(text):
                warning = known.value_warning(*used, event, guarded=used in names_guarded(text))
                if warning:
                    found.setdefault(warning, f"{place}: {warning}")
    return list(found.values())


def _doubts(variant: PushVariantDraft) -> list[str]:
    """Say which parts of addresses are encoded as values although they may be parts of the address."""
    addresses = [variant.click_url, variant.deep_link]
    for button in variant.buttons:
        addresses += [button.url, button.deep_link]
    label = language_label(variant.language)
    return [
        f"{output} in an address of the {label} text is encoded as one value, so that its & and = do not"
        " separate parameters. If it is a part of an address already, write | safe behind it."
        for output in dict.fromkeys(output for text in addresses for output in address_doubts(text))
    ]


def payload_size(*, draft: PushDraft, variant: PushVariantDraft, facts: BrandFacts) -> tuple[int, str]:
    """Bytes of the rendered payload with long plausible values, and the longest field when that is too much.

    Safari's document is not counted: where it does not fit, Safari gets the plain message too.
    """
    plain = replace(
        variant,
        title=_longest(variant.title),
        message=_longest(variant.message),
        click_url=_longest(variant.click_url),
        buttons=tuple(replace(item, title=_longest(item.title), url=_longest(item.url)) for item in variant.buttons),
    )
    draft = replace(draft, variants=(plain,), default_language=variant.language)
    try:
        payload = payload_render(row=SAMPLE_ROW, day=date(2026, 1, 1), content=_content(draft), brand=facts)
    except CannotSend as refusal:
        code, _, field = refusal.reason.partition(":")
        if code != "payload_too_large":
            raise
        return MAX_PLAINTEXT + 1, "click_url" if field == "url" else field
    return len(payload), ""


SAMPLE_ROW = Row(
    id=2**53,
    end_user_id=1,
    device_id=1,
    endpoint="",
    token_hash="",
    p256dh=b"",
    auth=b"",
    vapid_key_id=1,
    expires_at=datetime.max.replace(tzinfo=UTC),
    variables=None,
    tries=0,
    external_id=None,
    language="",
    device_language="",
    properties={},
    origin="",
    native_token="",
)


def variant_texts(variant: PushVariantDraft) -> dict[str, str]:
    """Every text of a language that may be personalised, by its field."""
    names = ("title", "message", "click_url", "deep_link")
    texts = {name: getattr(variant, name) for name in names}
    for number, button in enumerate(variant.buttons, 1):
        texts |= {f"buttons.{number}.{name}": value for name, value in vars(button).items()}
    return texts


def _longest(text: str) -> str:
    """Return a text as long as it is likely to get; what is left of braces (`{% raw %}`) begins no template."""
    return _LIQUID_TAG.sub("", _LIQUID.sub(_LIKELY_VALUE, text)).replace("{", "x")


def _field_of(refusal: CannotSend) -> str:
    """Return the field that a message cannot be made of."""
    field = refusal.reason.partition(":")[2]
    if field.startswith("button "):
        return f"buttons.{field.removeprefix('button ')}.url"
    return {"url": "click_url"}.get(field, field or "message")


def _buttons(buttons: Sequence[ButtonDraft]) -> list[dict[str, str]]:
    return [{"id": f"b{n}", **vars(item)} for n, item in enumerate(buttons, 1)]


def _content(draft: PushDraft) -> dict[str, Any]:
    variants = {
        variant.language: {
            "title": variant.title,
            "message": variant.message,
            "icon": variant.icon,
            "image": variant.image,
            "badge": variant.badge,
            "url": variant.click_url,
            "deep_link": variant.deep_link,
            "buttons": _buttons(variant.buttons),
        }
        for variant in draft.variants
    }
    return {
        "kind": "push",
        "default_language": draft.default_language,
        "ttl": draft.ttl,
        "urgency": draft.urgency,
        "policy": draft.policy,
        "utm": draft.utm.filled(),
        "silent": draft.silent,
        "app_badge": draft.app_badge,
        "variants": fallen_back(variants, default=draft.default_language, names=FALL_BACK),
        **({"category": draft.category} if draft.category else {}),
    }


def _tidy_variant(variant: PushVariantDraft) -> PushVariantDraft:
    texts = {name: value.strip() for name, value in vars(variant).items() if isinstance(value, str)}
    texts["message"] = texts["message"].replace("\r\n", "\n")
    buttons = (ButtonDraft(*(value.strip() for value in vars(item).values())) for item in variant.buttons)
    return replace(variant, **texts, buttons=tuple(item for item in buttons if any(vars(item).values())))


def _check_variant(draft: PushDraft, variant: PushVariantDraft, faults: Faults) -> None:
    where = f"variants.{variant.language}"
    before = len(faults.fields)
    faults.text(f"{where}.title", variant.title, most=200, required="Give the push a title.")
    faults.text(f"{where}.message", variant.message, most=1000, required="Write the message.")
    for field in ("icon", "image", "badge"):
        faults.image_url(f"{where}.{field}", getattr(variant, field))
    faults.click_url(f"{where}.click_url", variant.click_url)
    faults.deep_link(f"{where}.deep_link", variant.deep_link)
    if len(variant.buttons) > MAX_BUTTONS:
        faults.add(f"{where}.buttons", f"There are {MAX_BUTTONS} buttons at most.")
    for number, button in enumerate(variant.buttons, 1):
        faults.text(f"{where}.buttons.{number}.title", button.title, most=60, required="Give the button a title.")
        # Without an address a button only closes the push; one that opens the app says where it leads on the web too.
        required = "Say where the button leads in browsers." if button.deep_link else ""
        faults.click_url(f"{where}.buttons.{number}.url", button.url, required=required)
        faults.deep_link(f"{where}.buttons.{number}.deep_link", button.deep_link)
    if len(faults.fields) > before or any(name.startswith("utm.") for name in faults.fields):
        return
    costly = check_message(variant_texts(variant))
    if costly is not None:
        faults.add(f"{where}.{costly[0]}", costly[1])
        return
    try:
        size, field = payload_size(draft=draft, variant=variant, facts=faults.facts)
    except CannotSend as refusal:
        faults.add(f"{where}.{_field_of(refusal)}", _UNMADE)
        return
    if size > MAX_PLAINTEXT:
        faults.code = "payload_too_large"
        faults.add(
            f"{where}.{field}",
            f"The push is larger than the {MAX_PLAINTEXT} bytes that push services take, and this is its longest part.",
        )
