"""Marketing > Assets: push, popups and images."""

from assets.admin import images, popups, push

__all__ = ["images", "popups", "push"]
