"""Writing segments."""

from segments.services.guard import CannotDeleteSegment, segment_delete
from segments.services.ready import segment_ready, segments_make_ready
from segments.services.segments import CannotSaveSegment, segment_save
from segments.services.subscribed import segment_of_category

__all__ = [
    "CannotDeleteSegment",
    "CannotSaveSegment",
    "segment_delete",
    "segment_of_category",
    "segment_ready",
    "segment_save",
    "segments_make_ready",
]
