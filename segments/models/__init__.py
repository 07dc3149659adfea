"""Segments, imported lists, and who is in a watched segment."""

from segments.models.lists import ImportLine, ImportSlice, ListEntry, SegmentImport
from segments.models.segments import Segment, SegmentSize
from segments.models.watching import Passage, Presence
from segments.models.works import SegmentWork

__all__ = [
    "ImportLine",
    "ImportSlice",
    "ListEntry",
    "Passage",
    "Presence",
    "Segment",
    "SegmentImport",
    "SegmentSize",
    "SegmentWork",
]
