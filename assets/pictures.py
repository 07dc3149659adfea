"""An uploaded picture as people see it: decoded within limits, upright, in sRGB, and drawn anew.

Decoding runs on bytes from outside, so that it takes formats by name, and no more pixels than a notification needs.
"""

import io
import warnings
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

MAX_SIDE: Final = 4096  # pixels, as uploaded
KEPT_SIDE: Final = 2048  # pixels: no browser or phone shows a notification's picture larger
CONTENT_TYPES: Final = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
# Those that Pillow decodes by itself (MPO as JPEG); others run programs (EPS), or hold no picture.
_TAKEN: Final = ("PNG", "JPEG", "WEBP", "GIF", "AVIF", "BMP", "ICO", "JPEG2000", "PPM", "TGA", "TIFF")
_MOVING: Final = frozenset({"AVIF", "GIF", "PNG", "WEBP"})  # more frames are a film; elsewhere they are more pictures
_PHOTOS: Final = frozenset({"AVIF", "JPEG", "JPEG2000", "MPO"})
# Also for pictures inside of others, whose size no header tells: Pillow itself refuses twice as many pixels.
Image.MAX_IMAGE_PIXELS = MAX_SIDE * MAX_SIDE
_TOO_WIDE: Final = f"The picture is larger than {MAX_SIDE} pixels a side."
_WORDS: Final = "This is not a picture that can be read. Save it as PNG, JPEG or WebP."


class CannotDraw(Exception):
    """The picture is not taken; `code` is for programs and the message for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture drawn anew; `kind` is one of CONTENT_TYPES, sizes in pixels."""

    kind: str
    width: int
    height: int
    data: bytes


def picture_redraw(data: bytes) -> Drawn:
    """Return the picture that people see in a file, without anything else that is in it; raises CannotDraw.

    Of several pictures that are no film (a phone's JPEG, pages, icon sizes) it is the first, or the largest icon.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=_TAKEN) as opened:
                kind = opened.format or ""
                _refuse(opened, kind)
                opened.draft("RGB" if opened.mode != "L" else "L", (KEPT_SIDE, KEPT_SIDE))  # only JPEG can do it
                picture = _plain(opened)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise CannotDraw("image_too_wide", _TOO_WIDE) from error
    except UnidentifiedImageError as error:
        raise CannotDraw("image_unknown", _WORDS) from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, OverflowError, TypeError) as error:
        raise CannotDraw("image_broken", "The picture is damaged.") from error
    picture.thumbnail((KEPT_SIDE, KEPT_SIDE))
    return _written(picture, kind)


def _refuse(opened: Image.Image, kind: str) -> None:
    if opened.width > MAX_SIDE or opened.height > MAX_SIDE:
        raise CannotDraw("image_too_wide", _TOO_WIDE)
    if kind in _MOVING and getattr(opened, "is_animated", False):
        raise CannotDraw(
            "image_animated", "Moving pictures are not shown in notifications. Save one frame of it as a picture."
        )


def _plain(opened: Image.Image) -> Image.Image:
    """Return it in RGB or RGBA, upright; each step lets go of the one before, so that two are held at most."""
    opened.load()
    ImageOps.exif_transpose(opened, in_place=True)
    profile = opened.info.get("icc_profile")
    picture = _eight_bits(opened)
    if profile and picture.mode in {"RGB", "RGBA", "CMYK", "LAB", "L"}:
        picture = _to_srgb(picture, profile)
    elif picture.mode == "LAB":
        picture = _to_srgb(picture, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes())
    if picture.mode in {"RGB", "RGBA"} and "transparency" not in picture.info:
        return picture
    return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Scale samples of more than 8 bits: `convert` alone would cut them off, and all would be white."""
    if not picture.mode.startswith(("I", "F")):
        return picture
    lowest, highest = (float(one) for one in picture.convert("F").getextrema())  # type: ignore[arg-type]
    whole = picture.mode.startswith("I")
    ranges = (65_535.0,) if whole else (1.0, 255.0, 65_535.0)  # those in use; of others what there is becomes the range
    known = next((top for top in ranges if lowest >= 0 and highest <= top), None)
    if known is not None:
        lowest, highest = 0.0, known
    scale = 255 / ((highest - lowest) or 1)
    return picture.convert("F").point(lambda sample: sample * scale - lowest * scale).convert("L")


def _to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """Return its colours as screens show them; as they are where the profile cannot be read or is another mode's."""
    mode = "RGBA" if picture.mode == "RGBA" else "RGB"
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        changed = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return picture
    return changed if changed is not None else picture


def _written(picture: Image.Image, kind: str) -> Drawn:
    """Write the pixels alone: photos stay photos, what has transparency keeps it."""
    if kind == "WEBP" or (kind in _PHOTOS and picture.mode == "RGBA"):
        kind = "WEBP"
    elif kind in _PHOTOS:
        kind = "JPEG"
    else:
        kind = "PNG"
    picture.info = {}
    picture.getexif().clear()
    out = io.BytesIO()
    options = {"optimize": True} if kind == "PNG" else {"quality": 90}
    picture.save(out, kind, **options)
    return Drawn(kind, picture.width, picture.height, out.getvalue())
