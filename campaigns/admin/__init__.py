"""Staff pages over campaigns."""

from campaigns.admin import pages

__all__ = ["pages"]
