"""Uploaded images are drawn anew, kept once, and served so that nothing in them can run."""

import io

import pytest
from PIL import Image as Picture
from PIL.PngImagePlugin import PngInfo

from assets.models import Image
from assets.selectors import image_find, image_path, image_url
from assets.services import CannotSaveImage, image_save


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
        (lambda: picture("BMP"), "image_unknown"),
        (lambda: picture(size=(4097, 10)), "image_too_wide"),
        (lambda: picture()[:60], "image_broken"),
        (animated, "image_animated"),
    ],
)
def test_other_files_are_refused_with_a_reason(brand, data, code):
    with pytest.raises(CannotSaveImage) as caught:
        image_save(brand=brand, name="x", data=data())
    assert caught.value.code == code
    assert not Image.objects.exists()


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
