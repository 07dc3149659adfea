"""Other segments: the rules of a dynamic one, the list of an imported one."""

from segments.conditions import Node, Related, Rows
from segments.fields import Asked, Field, Reads, register
from segments.models import Segment
from segments.operators import Kind
from segments.sql import Sql, fill


def _segment(asked: Asked) -> Node:
    # The rules of a dynamic one stand in its place by now (references.inlined).
    return Related((Rows(Sql("segments_listentry l"), "l.end_user_id", fill("l.segment_id = {}", asked.value)),))


def _check(brand_id: int, value: int, given: object) -> str | None:
    if Segment.objects.filter(brand_id=brand_id, pk=value).exists():
        return None
    return "The brand does not have this segment (any more): choose another."


def _choices(brand_id: int) -> list[tuple[str, str]]:
    found = Segment.objects.filter(brand_id=brand_id).order_by("name").values_list("pk", "name")
    return [(str(key), name) for key, name in found]


register(
    Field(
        "segment",
        "Segment",
        Kind.SEGMENT,
        _segment,
        frozenset({Reads.OTHER}),
        group="Segments",
        check=_check,
        value_choices=_choices,
        help="Another segment: one with rules, or an imported list.",
    )
)
