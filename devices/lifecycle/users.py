"""End users as the brand's own server writes them: by set, a good row among bad ones is kept."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from django.db import IntegrityError, connection, transaction

from devices.lifecycle.arriving import bucket_of
from devices.people.models import ConsentRecord, EndUser
from devices.people.models.languages import canonical_of
from devices.people.services.markers import MAX_MARKERS
from devices.people.services.properties import (
    MAX_DEFINITIONS,
    MAX_STORED,
    MAX_STORED_BYTES,
    problem_of,
    properties_set,
    properties_too_many,
    types_learn,
    types_of,
)
from devices.popups.offers import offers_withdraw
from smartpush.common.database import statements
from smartpush.common.database.deadlocks import transaction_again

CHUNK = 1000  # rows a transaction


@dataclass(frozen=True, slots=True)
class UserInput:
    """What a server says of one end user; None leaves a field alone, a property that is null is removed.

    `markers` are operations on the external markers, in order: ("add" | "remove" | "replace", cleaned markers).
    """

    index: int
    external_id: str
    language: str | None = None
    time_zone: str | None = None
    country: str | None = None
    target_devices: str | None = None
    opted_out: bool | None = None
    never_contact: bool | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    markers: Sequence[tuple[str, Sequence[str]]] = ()


@dataclass(frozen=True, slots=True)
class RowError:
    """One row that was refused, and why."""

    index: int
    code: str
    message: str


@dataclass(slots=True)
class UsersWritten:
    """`created` and `updated` count end users, `unchanged` those that were so already."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: list[RowError] = field(default_factory=list)


# Marks these end users *never contact* (True) or takes the mark away, with all that follows, in the caller's
# transaction; returns those who were not so before. campaigns.services.never_contact has it: journeys end with it.
NeverContact = Callable[[Sequence[int], bool], Sequence[int]]


class UserUnknown(Exception):
    """The brand has no end user of this external id."""


class CannotRename(Exception):
    """The new external id is another end user's."""


@dataclass(slots=True)
class _Row:
    """An end user as stored, and whether a row of this call changed it."""

    id: int
    language: str
    time_zone: str
    country: str
    target_devices: str
    opted_out: bool
    properties: dict[str, Any]
    markers: list[str]
    changed: bool = False
    created: bool = False
    opt_changed: bool = False
    never_contact: bool | None = None


class _Held(NamedTuple):
    """A row of _LOCK."""

    id: int
    external_id: str
    language: str
    time_zone: str
    country: str
    target_devices: str
    platform_opt_out: bool
    properties: str
    external_markers: list[str]


class _Refused(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


_INSERT = """
INSERT INTO devices_enduser (brand_id, external_id, language, time_zone, country, properties, bucket)
SELECT %(brand)s, n.external_id, '', '', '', '{}', n.bucket
FROM unnest(%(ids)s::text[], %(buckets)s::int[]) AS n(external_id, bucket)
ON CONFLICT DO NOTHING RETURNING external_id
"""
_LOCK = """
SELECT id, external_id, language, time_zone, country, target_devices, platform_opt_out, properties, external_markers
FROM devices_enduser WHERE brand_id = %(brand)s AND external_id = ANY(%(ids)s::text[]) ORDER BY id FOR NO KEY UPDATE
"""
_UPDATE = """
UPDATE devices_enduser u SET language = c.language, language_canonical = c.canonical, time_zone = c.time_zone,
       country = c.country, target_devices = c.target_devices, platform_opt_out = c.opted_out,
       properties = c.properties::jsonb, external_markers = ARRAY(SELECT jsonb_array_elements_text(c.markers::jsonb))
FROM unnest(%(ids)s::bigint[], %(languages)s::text[], %(canonical)s::text[], %(zones)s::text[],
            %(countries)s::text[], %(targets)s::text[], %(opted)s::boolean[], %(properties)s::text[],
            %(markers)s::text[])
  AS c(id, language, canonical, time_zone, country, target_devices, opted_out, properties, markers)
WHERE u.id = c.id
"""


def users_insert(*, brand_id: int, external_ids: Sequence[str]) -> set[str]:
    """Create the end users that are missing, in one statement; returns the external ids of the new ones."""
    ids = sorted(set(external_ids))  # in one order, so that two calls never wait for each other crosswise
    if not ids:
        return set()
    buckets = [bucket_of(brand_id=brand_id, key=one) for one in ids]
    return set(statements.column(_INSERT, {"brand": brand_id, "ids": ids, "buckets": buckets}))


def users_upsert(
    *,
    brand_id: int,
    rows: Sequence[UserInput],
    now: datetime,
    create: bool = True,
    never_contact: NeverContact | None = None,
) -> UsersWritten:
    """Create or change end users, a thousand a transaction; rows of one end user take effect in their order.

    `never_contact` is needed where a row says so.
    """
    written = UsersWritten()
    for chunk in _chunks(rows):
        part = transaction_again(partial(_chunk, brand_id, chunk, now, create, never_contact))
        written.created += part.created
        written.updated += part.updated
        written.unchanged += part.unchanged
        written.errors += part.errors
    written.errors.sort(key=lambda error: error.index)
    return written


def _chunks(rows: Sequence[UserInput]) -> Iterator[Sequence[UserInput]]:
    for at in range(0, len(rows), CHUNK):
        yield rows[at : at + CHUNK]


def _chunk(
    brand_id: int, rows: Sequence[UserInput], now: datetime, create: bool, never_contact: NeverContact | None
) -> UsersWritten:
    part = UsersWritten()
    known = types_of(brand_id=brand_id)
    types = types_learn(brand_id=brand_id, known=known, rows=(row.properties for row in rows))
    good = []
    for row in rows:
        problem = problem_of(types, row.properties)
        if problem is not None:
            part.errors.append(RowError(row.index, "property_type", problem))
        elif any(value is not None and name not in types for name, value in row.properties.items()):
            text = f"A brand has {MAX_DEFINITIONS} properties at most; this row would add to them."
            part.errors.append(RowError(row.index, "too_many_properties", text))
        else:
            good.append(row)
    ids = list({row.external_id for row in good})
    # Who is there is locked before anybody is created: new people have the highest ids, and locks go by id.
    stored = _locked(brand_id, ids, set())
    missing = [one for one in ids if one not in stored]
    if create and missing:
        created = users_insert(brand_id=brand_id, external_ids=missing)
        stored |= _locked(brand_id, missing, created)
    for row in good:
        one = stored.get(row.external_id)
        if one is None:
            part.errors.append(RowError(row.index, "end_user_unknown", "There is no end user of this external id."))
            continue
        try:
            _apply(one, row)
        except _Refused as refusal:
            part.errors.append(RowError(row.index, refusal.code, str(refusal)))
    _write([one for one in stored.values() if one.changed])
    _opt_outs_record(brand_id, [one for one in stored.values() if one.opt_changed], now)
    marked: set[int] = set()
    for on in (True, False):
        chosen = [one.id for one in stored.values() if one.never_contact is on]
        if chosen:
            assert never_contact is not None  # whoever reads rows from outside gives it
            marked |= set(never_contact(chosen, on))
    part.created = sum(one.created for one in stored.values())
    part.updated = sum((one.changed or one.id in marked) and not one.created for one in stored.values())
    part.unchanged = len(stored) - part.created - part.updated
    return part


def _locked(brand_id: int, ids: Sequence[str], created: set[str]) -> dict[str, _Row]:
    return {
        held.external_id: _Row(
            id=held.id,
            language=held.language,
            time_zone=held.time_zone,
            country=held.country,
            target_devices=held.target_devices,
            opted_out=held.platform_opt_out,
            properties=json.loads(held.properties),
            markers=held.external_markers,
            created=held.external_id in created,
        )
        for held in statements.rows(_Held, _LOCK, {"brand": brand_id, "ids": list(ids)})
    }


def _apply(one: _Row, row: UserInput) -> None:
    """Change the end user as the row says; all of it or, raising _Refused, nothing."""
    properties = properties_set(one.properties, row.properties)
    if row.properties and properties_too_many(stored=one.properties, wanted=properties):
        raise _Refused(
            "too_many_properties",
            f"An end user has {MAX_STORED} properties and {MAX_STORED_BYTES} bytes of them at most.",
        )
    markers = set(one.markers)
    for operation, named in row.markers:
        markers = {"add": markers | set(named), "remove": markers - set(named), "replace": set(named)}[operation]
    if len(markers) > MAX_MARKERS:
        raise _Refused("too_many_markers", f"An end user may carry {MAX_MARKERS} markers; this makes {len(markers)}.")
    before = (one.properties, one.markers, one.language, one.time_zone, one.country, one.target_devices, one.opted_out)
    one.properties, one.markers = properties, sorted(markers)
    one.language = one.language if row.language is None else row.language
    one.time_zone = one.time_zone if row.time_zone is None else row.time_zone
    one.country = one.country if row.country is None else row.country
    one.target_devices = one.target_devices if row.target_devices is None else row.target_devices
    if row.opted_out is not None and row.opted_out != one.opted_out:
        one.opted_out, one.opt_changed = row.opted_out, True
    one.never_contact = one.never_contact if row.never_contact is None else row.never_contact
    after = (one.properties, one.markers, one.language, one.time_zone, one.country, one.target_devices, one.opted_out)
    one.changed = one.changed or before != after


def _write(rows: Sequence[_Row]) -> None:
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _UPDATE,
            {
                "ids": [one.id for one in rows],
                "languages": [one.language for one in rows],
                "canonical": [canonical_of(one.language) for one in rows],
                "zones": [one.time_zone for one in rows],
                "countries": [one.country for one in rows],
                "targets": [one.target_devices for one in rows],
                "opted": [one.opted_out for one in rows],
                "properties": [json.dumps(one.properties, ensure_ascii=False) for one in rows],
                "markers": [json.dumps(one.markers) for one in rows],
            },
        )


def _opt_outs_record(brand_id: int, rows: Sequence[_Row], now: datetime) -> None:
    """Keep each change of an opt-out as proof, and end the popups that may not be shown any more."""
    gone = [one.id for one in rows if one.opted_out]
    if gone:
        offers_withdraw(end_user_ids=gone, now=now)
    ConsentRecord.objects.bulk_create(
        [
            ConsentRecord(
                brand_id=brand_id,
                end_user_id=one.id,
                subject=ConsentRecord.Subject.OPT_OUT,
                answer="opted_out" if one.opted_out else "opted_in",
                by="platform",
                at=now,
            )
            for one in rows
        ]
    )


@transaction.atomic
def user_rename(*, brand_id: int, external_id: str, new_external_id: str) -> EndUser:
    """Give an end user another external id; splits and samples stay as they were. Raises UserUnknown, CannotRename."""
    known = EndUser.objects.select_for_update(no_key=True)
    end_user = known.filter(brand_id=brand_id, external_id=external_id).first()
    if end_user is None:
        raise UserUnknown
    if end_user.external_id == new_external_id:
        return end_user
    end_user.external_id = new_external_id
    try:
        with transaction.atomic():
            end_user.save(update_fields=["external_id"])
    except IntegrityError:
        raise CannotRename from None
    return end_user
