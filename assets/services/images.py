"""Uploaded images: checked, drawn anew so that nothing but the picture remains, and kept once."""

import hashlib
import io
import warnings

from django.db import IntegrityError, transaction
from PIL import Image as Picture
from PIL import ImageOps, UnidentifiedImageError

from assets.models import Image
from devices.models import Brand

MAX_BYTES = 1024 * 1024
MAX_SIDE = 4096  # pixels
_FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif"}


class CannotSaveImage(Exception):
    """The file is not taken; `code` is for programs and the message for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def image_save(*, brand: Brand, name: str, data: bytes) -> Image:
    """Keep an uploaded picture (PNG, JPEG, WebP or GIF without movement); the same one is kept once."""
    if not data:
        raise CannotSaveImage("image_empty", "The file is empty.")
    if len(data) > MAX_BYTES:
        raise CannotSaveImage("image_too_large", "The file is larger than 1 MB.")
    kind, width, height, clean = _redraw(data)
    digest = hashlib.sha256(clean).hexdigest()
    known = Image.objects.filter(brand=brand, sha256=digest).first()
    if known is not None:
        return known
    try:
        with transaction.atomic():
            return Image.objects.create(
                brand=brand,
                name=name.strip()[:120] or "image",
                content_type=_FORMATS[kind],
                width=width,
                height=height,
                size=len(clean),
                sha256=digest,
                data=clean,
            )
    except IntegrityError:
        return Image.objects.get(brand=brand, sha256=digest)


def _redraw(data: bytes) -> tuple[str, int, int, bytes]:
    """Format, width, height and the bytes of the picture drawn anew, upright and without metadata."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Picture.DecompressionBombWarning)
            with Picture.open(io.BytesIO(data), formats=list(_FORMATS)) as opened:
                kind = opened.format or ""
                if opened.width > MAX_SIDE or opened.height > MAX_SIDE:
                    raise CannotSaveImage("image_too_wide", f"The picture is larger than {MAX_SIDE} pixels a side.")
                if getattr(opened, "is_animated", False):
                    raise CannotSaveImage("image_animated", "Moving pictures are not shown in notifications.")
                opened.load()
                picture = ImageOps.exif_transpose(opened)
    except (UnidentifiedImageError, Picture.DecompressionBombError, Picture.DecompressionBombWarning) as error:
        raise CannotSaveImage("image_unknown", "This is not a PNG, JPEG, WebP or GIF picture.") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise CannotSaveImage("image_broken", "The picture is damaged.") from error
    plain = picture.convert("RGB" if kind == "JPEG" else "RGBA")
    fresh = Picture.new(plain.mode, plain.size)
    fresh.paste(plain)
    out = io.BytesIO()
    if kind == "JPEG":
        fresh.save(out, "JPEG", quality=90, optimize=True)
    elif kind == "WEBP":
        fresh.save(out, "WEBP", quality=90)
    else:
        kind = "PNG"
        fresh.save(out, "PNG", optimize=True)
    clean = out.getvalue()
    if len(clean) > 2 * MAX_BYTES:
        raise CannotSaveImage("image_too_large", "The picture is larger than 2 MB when drawn anew; make it smaller.")
    return kind, fresh.width, fresh.height, clean
