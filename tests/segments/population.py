"""A brand of random end users, and a slow reading of the rules that shares nothing with the compiler."""

import random
from datetime import UTC, datetime

from django.db import connection

from devices.models import App, Brand, Device, EndUser, PushStatus, VapidKey

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
STATUSES = ["ask", "allowed", "blocked", "not_supported", "suspended"]
MARKERS = ["NEWS", "SPORT", "VIP", "CASINO"]
LANGUAGES = ["", "en", "en-GB", "EN", "eng", "pt-BR", "de", "nb-NO", "nn", "no", "zh-TW", "zh-Hant"]
# What these begin with, and no more: a reader of its own beside the canonical column.
_SPOKEN = {"eng": "en", "nb-NO": "no-NO", "nn": "no", "zh-TW": "zh-Hant-TW"}
PLATFORMS = ["web", "android", "ios"]


def populate(*, seed: int, end_users: int = 60, name: str = "Acme") -> Brand:
    """A brand with end users whose devices, pairs and tokens are in every mixture that the constraints allow."""
    dice = random.Random(seed)
    brand = Brand.objects.create(name=name)
    app = App.objects.create(brand=brand, name="Site", origin=f"https://{name.lower()}.example.com")
    key = VapidKey.objects.create(brand=brand, public_key=f"key-{name}-{seed}", private_key_encrypted="x")
    people = EndUser.objects.bulk_create(
        EndUser(
            brand=brand,
            external_id=f"{name}-{n}" if dice.random() < 0.7 else None,
            language=dice.choice(LANGUAGES),
            js_markers=dice.sample(MARKERS, dice.randint(0, 3)),
            external_markers=dice.sample(MARKERS, dice.randint(0, 2)),
            backoffice_markers=dice.sample(MARKERS, dice.randint(0, 1)),
            last_session_status=dice.choice(STATUSES),
            last_session_at=NOW if dice.random() < 0.8 else None,
        )
        for n in range(end_users)
    )
    for n in range(end_users):
        live = dice.random() < 0.6
        holder = dice.choice(people) if live or dice.random() < 0.3 else None
        device = Device.objects.create(
            brand=brand,
            app=app,
            session_end_user=dice.choice(people),
            holder=holder,
            secret_hash="s",
            platform=dice.choice(PLATFORMS),
            native_token=f"fcm-{name}-{seed}-{n}",
            endpoint="https://push.example/x",
            p256dh=b"p",
            auth=b"a",
            vapid_key=key,
            token_hash=f"{name}-{seed}-{n}" if live else None,
            last_seen_at=NOW,
        )
        allowed = False
        for person in {holder, *dice.sample(people, min(2, end_users))} - {None}:
            status = dice.choice(STATUSES)
            if status == "allowed" and allowed:
                status = "blocked"
            allowed = allowed or status == "allowed"
            PushStatus.objects.create(
                brand=brand, end_user=person, device=device, status=status, since=NOW, reported_at=NOW
            )
    with connection.cursor() as cursor:  # as in a running system: of a table that was empty, plans expect anything
        cursor.execute("ANALYZE devices_enduser, devices_device, devices_pushstatus")
    return brand


class SlowReader:
    """The end users whom rules mean, one at a time in Python, over the brand as it was when this was made."""

    def __init__(self, brand: Brand) -> None:
        devices = list(Device.objects.filter(brand=brand))
        pairs = list(PushStatus.objects.filter(brand=brand).select_related("device"))
        self.people = [
            (
                person,
                [d for d in devices if person.pk in (d.holder_id, d.session_end_user_id)],
                [p for p in pairs if p.end_user_id == person.pk],
            )
            for person in EndUser.objects.filter(brand=brand)
        ]

    def expected(self, rules: dict) -> set[int]:
        return {person.pk for person, devices, pairs in self.people if _means(rules["rule"], person, devices, pairs)}


def _spoken(tag):
    return _SPOKEN.get(tag, tag).lower()


def _means(rule, person, devices, pairs):
    if "all" in rule:
        return all(_means(item, person, devices, pairs) for item in rule["all"])
    if "any" in rule:
        return any(_means(item, person, devices, pairs) for item in rule["any"])
    if "not" in rule:
        return not _means(rule["not"], person, devices, pairs)
    field, operator, value = rule["field"], rule["operator"], rule["value"]
    if field == "push_status_last_session":
        return _compare(operator, value, lambda one: person.last_session_status == one)
    if field == "platform":
        return _compare(operator, value, lambda one: any(device.platform == one for device in devices))
    if field == "language":
        spoken = _spoken(person.language)
        return _compare(operator, value, lambda one: spoken == _spoken(one) or spoken.startswith(f"{_spoken(one)}-"))
    if field == "is_anonymous":
        return (person.external_id is None) is value
    if field == "push_enabled":
        reachable = any(
            pair.status == "allowed" and pair.device.token_hash is not None and pair.device.holder_id == person.pk
            for pair in pairs
        )
        return reachable is value
    has = set(getattr(person, field))
    wanted = {value.upper()} if isinstance(value, str) else {item.upper() for item in value}
    return {
        "has": wanted <= has,
        "has_all": wanted <= has,
        "has_any": bool(wanted & has),
        "has_none": not wanted & has,
    }[operator]


def _compare(operator, value, holds):
    if operator == "is_any_of":
        return any(holds(one) for one in value)
    return holds(value) is (operator == "is")
