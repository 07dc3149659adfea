"""Uploaded images and their addresses."""

from django.conf import settings

from assets.models import Image
from smartpush.common.ids import public_id, row_number

EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/gif": "gif"}


def image_path(image: Image) -> str:
    """The path of an image on this server; it never changes what it shows."""
    return f"/a/{public_id('image', image.pk)}.{EXTENSIONS[image.content_type]}"


def image_url(image: Image) -> str:
    """The address under which browsers load an image."""
    return settings.SMARTPUSH_PUBLIC_URL + image_path(image)


def image_find(*, public: str, extension: str) -> Image | None:
    """The image of a public id with this file extension, or None."""
    number = row_number("image", public)
    image = Image.objects.filter(pk=number).first() if number is not None else None
    return image if image is not None and EXTENSIONS[image.content_type] == extension else None
