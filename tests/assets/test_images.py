"""Uploaded images are drawn anew, kept once, and served so that nothing in them can run."""

import io
import subprocess
import sys

import pytest
from django.db import connection
from PIL import Image as Picture
from PIL import ImageCms
from PIL.PngImagePlugin import PngInfo

from assets.models import Image
from assets.selectors import image_find, image_path, image_url
from assets.services import CannotSaveImage, image_save, images
from smartpush.common.database.advisory_locks import LockOf


def picture(kind="PNG", size=(64, 48), **options):
    out = io.BytesIO()
    Picture.new("RGB", size, "#4f46e5").save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "kept"),
    [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp"), ("GIF", "image/png")],
)
def test_pictures_are_kept_in_a_form_that_browsers_show(brand, kind, kept):
    image = image_save(brand=brand, name="icon", data=picture(kind))
    assert (image.content_type, image.width, image.height) == (kept, 64, 48)
    assert Picture.open(io.BytesIO(bytes(image.data))).size == (64, 48)
    assert image.size == len(bytes(image.data))


def test_metadata_and_what_hangs_on_behind_do_not_survive(brand):
    info = PngInfo()
    info.add_text("Comment", "secret place")
    data = picture(pnginfo=info) + b"<script>alert(1)</script>"
    kept = bytes(image_save(brand=brand, name="icon", data=data).data)
    assert b"secret place" not in kept
    assert b"<script>" not in kept


def test_a_photo_is_kept_upright_without_its_place(brand):
    exif = Picture.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "Athens"
    kept = image_save(brand=brand, name="photo", data=picture("JPEG", exif=exif))
    assert (kept.width, kept.height) == (48, 64)
    assert b"Athens" not in bytes(kept.data)


def test_the_same_picture_is_kept_once_a_brand(brand):
    first = image_save(brand=brand, name="a", data=picture())
    assert image_save(brand=brand, name="b", data=picture()) == first
    assert Image.objects.count() == 1


def film(kind, **options):
    out = io.BytesIO()
    frames = [Picture.new("RGB", (8, 8), colour) for colour in ("#0000ff", "#ff0000")]
    frames[0].save(out, kind, save_all=True, append_images=frames[1:], **options)
    return out.getvalue()


def animated():
    out = io.BytesIO()
    frames = [Picture.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (lambda: b"", "image_empty"),
        (lambda: b"x" * (1024 * 1024 + 1), "image_too_large"),
        (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "image_unknown"),
        (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "image_unknown"),
        (lambda: picture(size=(4097, 10)), "image_too_wide"),
        (lambda: picture()[:60], "image_broken"),
        (animated, "image_animated"),
        (lambda: film("WEBP"), "image_animated"),
        (lambda: film("PNG"), "image_animated"),
        (lambda: picture(size=(5000, 5000)), "image_too_wide"),
    ],
)
def test_other_files_are_refused_with_a_reason(brand, data, code):
    with pytest.raises(CannotSaveImage) as caught:
        image_save(brand=brand, name="x", data=data())
    assert caught.value.code == code
    assert not Image.objects.exists()


def shown(image):
    """The picture that is kept, and a pixel in its middle: red, green, blue, opaqueness."""
    kept = Picture.open(io.BytesIO(bytes(image.data)))
    return kept, kept.convert("RGBA").getpixel((kept.width // 2, kept.height // 2))


def near(one, other):
    return all(abs(a - b) <= 6 for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(("kind", "kept"), [("MPO", "image/jpeg"), ("TIFF", "image/png")])
def test_of_several_pictures_that_are_no_film_the_first_is_kept(brand, kind, kept):
    image = image_save(brand=brand, name="phone", data=film(kind))
    assert image.content_type == kept
    assert near(shown(image)[1], (0, 0, 255, 255))


@pytest.mark.parametrize("kind", ["AVIF", "BMP", "GIF", "ICO", "JPEG", "JPEG2000", "PNG", "PPM", "TGA", "TIFF", "WEBP"])
def test_a_picture_looks_the_same_from_every_container(brand, kind):
    assert near(shown(image_save(brand=brand, name="x", data=picture(kind)))[1], (79, 70, 229, 255))


@pytest.mark.parametrize(
    ("mode", "kind", "colour", "seen"),
    [
        ("CMYK", "JPEG", (255, 0, 0, 0), (0, 255, 255, 255)),
        ("CMYK", "TIFF", (255, 0, 0, 0), (0, 255, 255, 255)),
        ("LAB", "TIFF", (255, 128, 128), (254, 255, 254, 255)),
        ("L", "JPEG", 100, (100, 100, 100, 255)),
        ("1", "PNG", 1, (255, 255, 255, 255)),
        ("LA", "PNG", (100, 128), (100, 100, 100, 128)),
        ("RGBA", "WEBP", (10, 20, 30, 128), (10, 20, 30, 128)),
        ("RGBA", "AVIF", (10, 20, 30, 128), (10, 20, 30, 128)),
        ("I;16", "PNG", 20_000, (77, 77, 77, 255)),
        ("I;16", "TIFF", 20_000, (77, 77, 77, 255)),
        ("I", "TIFF", 20_000, (77, 77, 77, 255)),
        ("F", "TIFF", 0.5, (127, 127, 127, 255)),
        ("F", "TIFF", 100.0, (100, 100, 100, 255)),
    ],
)
def test_a_picture_of_every_mode_is_kept_as_people_see_it(brand, mode, kind, colour, seen):
    out = io.BytesIO()
    Picture.new(mode, (64, 48), colour).save(out, kind)
    found = shown(image_save(brand=brand, name="x", data=out.getvalue()))[1]
    assert near(found, seen), found


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_the_transparent_colour_of_a_palette_stays_transparent(brand, kind):
    drawn = Picture.new("P", (64, 48), 1)
    drawn.putpalette([255, 0, 0, 0, 0, 255])
    drawn.paste(0, (0, 0, 10, 10))
    out = io.BytesIO()
    drawn.save(out, kind, transparency=0)
    kept, middle = shown(image_save(brand=brand, name="x", data=out.getvalue()))
    assert middle == (0, 0, 255, 255)
    assert kept.convert("RGBA").getpixel((2, 2))[3] == 0


def test_a_colour_profile_that_cannot_be_read_costs_no_picture_and_is_not_kept(brand):
    image = image_save(brand=brand, name="x", data=picture("JPEG", icc_profile=b"no profile at all"))
    kept, middle = shown(image)
    assert near(middle, (79, 70, 229, 255))
    assert "icc_profile" not in kept.info


def test_colours_of_a_profile_are_kept_as_screens_show_them(brand):
    lab = Picture.new("LAB", (64, 48), (255, 128, 128))
    out = io.BytesIO()
    lab.save(out, "TIFF", icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes())
    assert near(shown(image_save(brand=brand, name="x", data=out.getvalue()))[1], (254, 255, 254, 255))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_large_picture_is_kept_as_large_as_any_device_shows_it(brand, kind):
    image = image_save(brand=brand, name="x", data=picture(kind, size=(4096, 1024)))
    assert (image.width, image.height) == (2048, 512)


def test_uploads_take_turns_across_processes_and_say_so_when_none_comes(brand, monkeypatch):
    """Another session of the database holds all places, as other processes would."""
    monkeypatch.setattr(images, "WAIT", "100ms")
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            for place in range(images.AT_ONCE):
                cursor.execute("SELECT pg_advisory_lock(%s, %s)", [LockOf.IMAGE_PLACES.value, place])
        with pytest.raises(CannotSaveImage) as caught:
            image_save(brand=brand, name="x", data=picture())
        assert caught.value.code == "image_busy"
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, 1)", [LockOf.IMAGE_PLACES.value])
        assert image_save(brand=brand, name="x", data=picture()).width == 64
    finally:
        other.close()


_MEASURED = """
import resource, sys
from assets.pictures import picture_redraw
data = open(sys.argv[1], "rb").read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
picture_redraw(data)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.parametrize(("kind", "most"), [("JPEG", 60), ("PNG", 240)])
def test_the_largest_picture_takes_a_bounded_amount_of_memory(tmp_path, kind, most):
    file = tmp_path / "picture"
    file.write_bytes(picture(kind, size=(4096, 4096)))
    run = subprocess.run([sys.executable, "-c", _MEASURED, str(file)], capture_output=True, text=True, check=True)
    assert int(run.stdout) < most


def test_an_image_is_served_for_good_and_harmless(brand, client):
    image = image_save(brand=brand, name="icon", data=picture())
    answer = client.get(image_path(image))
    assert answer.status_code == 200
    assert answer.content == bytes(image.data)
    assert answer["Content-Type"] == "image/png"
    assert "immutable" in answer["Cache-Control"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert image_url(image).endswith(image_path(image))
    assert client.get(image_path(image), headers={"If-None-Match": answer["ETag"]}).status_code == 304


def test_unknown_and_misnamed_images_are_not_found(brand, client):
    image = image_save(brand=brand, name="icon", data=picture())
    assert client.get(image_path(image).replace(".png", ".jpg")).status_code == 404
    assert client.get("/a/AAAAAAAAAAAAAAAA.png").status_code == 404
    assert image_find(public="AAAAAAAAAAAAAAAA", extension="png") is None
