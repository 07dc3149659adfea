"""Writing segments."""

from segments.services.segments import CannotSaveSegment, segment_save, segments_make_ready
from segments.services.subscribed import segment_of_category

__all__ = ["CannotSaveSegment", "segment_of_category", "segment_save", "segments_make_ready"]
