"""Segments, imported lists, and who is in a watched segment."""

from segments.models.lists import ImportLine, ListEntry, SegmentImport
from segments.models.segments import Segment, SegmentSize
from segments.models.watching import Passage, Presence

__all__ = ["ImportLine", "ListEntry", "Passage", "Presence", "Segment", "SegmentImport", "SegmentSize"]
