"""Serializers that keep what can be kept: a bad optional part is shortened or left out, and told (ADR 17)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.fields import SkipField, empty

from smartpush.common.calls.left_out import MOST, LeftOut, LeftOutCode, path_of

# Our word for what DRF, or a field of ours, calls a refusal; any other is `malformed`.
_CODES = {code.value: code for code in LeftOutCode} | {
    "invalid_choice": LeftOutCode.NOT_KNOWN,
    "max_length": LeftOutCode.TOO_LONG,
    "not_a_list": LeftOutCode.WRONG_TYPE,
}


class Notes:
    """Collects what the checks of one call leave out, and where in the request they stand."""

    def __init__(self, under: str = "") -> None:
        self.found: list[LeftOut] = []
        self._path = [under]

    @contextmanager
    def at(self, name: str) -> Iterator[None]:
        """Stand at the named part of where the checks stand now."""
        self._path.append(name)
        try:
            yield
        finally:
            self._path.pop()

    def add(self, code: LeftOutCode, message: str, *, part: str = "") -> None:
        """Note that the part at hand, or a part of it, was not kept as it came."""
        if len(self.found) < MOST:
            self.found.append(LeftOut(path_of(*self._path, part), code, message))


_notes: ContextVar[Notes] = ContextVar("notes")


def notes() -> Notes:
    """Return the notes of the call that is being checked."""
    return _notes.get()


def kept(
    serializer: serializers.Serializer[Any], data: Any, *, under: str = ""
) -> tuple[dict[str, Any], list[LeftOut]]:
    """Return the validated data and what was left out of it, each path below `under`; raises ValidationError."""
    mine = Notes(under)
    token = _notes.set(mine)
    try:
        return serializer.run_validation(data), mine.found
    finally:
        _notes.reset(token)


class KeepingSerializer(serializers.Serializer[Any]):
    """A body whose optional parts cost nothing but themselves.

    A field that is required, or named in `essential`, is refused as elsewhere: without it the call means nothing, or
    is not to be trusted. Any other that cannot be kept gets its default, and null is taken for absent.
    """

    essential: ClassVar[frozenset[str]] = frozenset()

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            raise serializers.ValidationError("Give a JSON object.", code=LeftOutCode.WRONG_TYPE)
        taken: dict[str, Any] = {}
        wrong: dict[str, Any] = {}
        for field in self._writable_fields:
            name = str(field.field_name)
            with notes().at(name):
                try:
                    taken[name] = self._take(field, data.get(name, empty))
                except SkipField:
                    continue
                except serializers.ValidationError as problem:
                    wrong[name] = problem.detail
        if wrong:
            raise serializers.ValidationError(wrong)
        return taken

    def _take(self, field: serializers.Field[Any, Any, Any, Any], raw: Any) -> Any:
        optional = not field.required and field.field_name not in self.essential
        if optional and raw is None and not field.allow_null:
            raw = empty
        before = len(notes().found)
        try:
            return field.run_validation(raw)
        except serializers.ValidationError as problem:
            if not optional:
                raise
            del notes().found[before:]  # the whole says it
            detail = _first(problem.detail)
            notes().add(_code_of(detail, field), str(detail))
            return field.run_validation(empty)


def _first(detail: Any) -> ErrorDetail:
    while not isinstance(detail, ErrorDetail):
        detail = next(iter(detail.values() if isinstance(detail, dict) else detail))
    return detail


def _code_of(detail: ErrorDetail, field: serializers.Field[Any, Any, Any, Any]) -> LeftOutCode:
    code = detail.code
    if code == "invalid" and isinstance(field, serializers.CharField | serializers.ListField):
        return LeftOutCode.WRONG_TYPE
    return _CODES.get(str(code), LeftOutCode.MALFORMED)


class KeptText(serializers.CharField):
    """Text of which the first `keep` characters are kept."""

    def __init__(self, *, keep: int, **options: Any) -> None:
        options.setdefault("help_text", f"The first {keep} characters are kept.")
        super().__init__(**{"required": False, "allow_blank": True, "default": "", **options})
        self.keep = keep

    def to_internal_value(self, data: Any) -> str:
        text: str = super().to_internal_value(data)
        if len(text) <= self.keep:
            return text
        notes().add(LeftOutCode.SHORTENED, f"Longer than {self.keep} characters: its beginning is kept.")
        return text[: self.keep]


class KeptList(serializers.ListField):
    """A list of which the good items are kept, the first `most` of them."""

    def __init__(self, *, most: int, **options: Any) -> None:
        super().__init__(**options)
        self.most = most

    def to_internal_value(self, data: Any) -> list[Any]:
        if not isinstance(data, list):
            raise serializers.ValidationError("Give a list.", code=LeftOutCode.WRONG_TYPE)
        good: list[Any] = []
        for index, item in enumerate(data[: self.most]):
            with notes().at(str(index)):
                try:
                    good.append(self.child.run_validation(item))
                except serializers.ValidationError as problem:
                    detail = _first(problem.detail)
                    notes().add(_code_of(detail, self.child), str(detail))
        if len(data) > self.most:
            notes().add(LeftOutCode.TOO_MANY, f"The first {self.most} of {len(data)} are looked at.")
        return good
