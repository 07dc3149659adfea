"""Staff pages of segments."""

from segments.admin import pages

__all__ = ["pages"]
