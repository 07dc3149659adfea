"""What uses a segment: other segments by their rules, and campaigns, which tell of theirs from above."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.urls import reverse

from segments.models import Segment
from segments.rules import InvalidRules, parse_rules, segments_of


@dataclass(frozen=True)
class CampaignUse:
    """`state` in words; `as_entry`: it lets in who enters or leaves the segment. `through`: the segment by which."""

    name: str
    state: str
    url: str
    running: bool
    archived: bool = False
    as_entry: bool = False
    through: str = ""


@dataclass(frozen=True)
class SegmentUse:
    """Another segment; `through`: by way of which, where its own rules do not name it."""

    name: str
    url: str
    through: str = ""


@dataclass(frozen=True)
class Uses:
    campaigns: tuple[CampaignUse, ...] = ()
    segments: tuple[SegmentUse, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.campaigns or self.segments)

    @property
    def holding(self) -> "Uses":
        """Those for whose sake the segment cannot be deleted."""
        return Uses(
            tuple(use for use in self.campaigns if not use.through),
            tuple(use for use in self.segments if not use.through),
        )


# (brand, ids of the segment and of those that lead to it with the name by which; the segment itself has none)
CampaignsReader = Callable[[int, int, Mapping[int, str]], Sequence[CampaignUse]]
# brand -> segment to how many campaigns use it themselves
CampaignsCounter = Callable[[int], Mapping[int, int]]
_readers: list[CampaignsReader] = []
_counters: list[CampaignsCounter] = []


def campaigns_read_by(reader: CampaignsReader, counter: CampaignsCounter) -> None:
    """The app above says how its uses are found, and counted."""
    _readers.append(reader)
    _counters.append(counter)


def segment_use_counts(*, brand_id: int) -> Mapping[int, int]:
    """Of each segment of the brand how many segments and campaigns name it themselves."""
    found: Counter[int] = Counter()
    for rules in Segment.objects.filter(brand_id=brand_id, kind=Segment.Kind.DYNAMIC).values_list("rules", flat=True):
        found.update(_named(rules))
    for counter in _counters:
        found.update(counter(brand_id))
    return found


def segment_uses(*, segment: Segment) -> Uses:
    """Everything that uses the segment, itself or by way of another one."""
    rows = Segment.objects.filter(brand_id=segment.brand_id, kind=Segment.Kind.DYNAMIC).order_by("name")
    known = {key: (name, rules) for key, name, rules in rows.values_list("pk", "name", "rules")}
    names = {key: _named(rules) for key, (_, rules) in known.items()}
    by_way: dict[int, str] = {segment.pk: ""}
    waiting = [segment.pk]
    while waiting:
        target = waiting.pop(0)
        for key, found in names.items():
            if target in found and key not in by_way:
                by_way[key] = known[key][0]
                waiting.append(key)
    segments = tuple(
        SegmentUse(
            known[key][0],
            reverse("admin:segments_segment_change", args=[key]),
            "" if segment.pk in names[key] else next(known[by][0] for by in names[key] if by in by_way),
        )
        for key in by_way
        if key != segment.pk
    )
    campaigns = tuple(use for reader in _readers for use in reader(segment.brand_id, segment.pk, by_way))
    return Uses(campaigns, segments)


def _named(rules: object) -> set[int]:
    try:
        return segments_of(parse_rules(rules))
    except InvalidRules:
        return set()
