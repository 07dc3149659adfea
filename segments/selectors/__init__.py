"""Reading segments."""

from segments.selectors.segments import SegmentCount, segment_count, segment_rules, segment_sample

__all__ = ["SegmentCount", "segment_count", "segment_rules", "segment_sample"]
