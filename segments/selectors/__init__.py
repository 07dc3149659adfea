"""Reading segments."""

from segments.selectors.segments import SegmentCount, segment_count, segment_rules

__all__ = ["SegmentCount", "segment_count", "segment_rules"]
