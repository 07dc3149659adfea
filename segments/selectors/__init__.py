"""Reading segments."""

from segments.selectors.markers import marker_suggestions
from segments.selectors.segments import SegmentCount, segment_count, segment_rules, segment_sample

__all__ = ["SegmentCount", "marker_suggestions", "segment_count", "segment_rules", "segment_sample"]
