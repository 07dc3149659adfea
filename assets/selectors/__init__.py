"""Reading assets."""

from assets.selectors.images import image_find, image_path, image_url
from assets.selectors.names import popup_names, push_names

__all__ = ["image_find", "image_path", "image_url", "popup_names", "push_names"]
