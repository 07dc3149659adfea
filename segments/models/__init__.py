"""Segments, imported lists, and who is in a watched segment."""

from segments.models.lists import ImportLine, ImportSlice, ListEntry, SegmentImport
from segments.models.memberships import MembershipChange, SegmentMembership
from segments.models.scheduled_work import SegmentWork
from segments.models.segments import Segment, SegmentSize

__all__ = [
    "ImportLine",
    "ImportSlice",
    "ListEntry",
    "MembershipChange",
    "Segment",
    "SegmentImport",
    "SegmentMembership",
    "SegmentSize",
    "SegmentWork",
]
