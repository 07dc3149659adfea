"""Reading segments."""

from segments.selectors.segments import segment_rules

__all__ = ["segment_rules"]
