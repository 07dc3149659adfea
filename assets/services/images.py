"""Uploaded images: checked, drawn anew so that nothing but the picture remains, and kept once."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, OperationalError, connection, transaction

from assets.models import Image
from assets.pictures import CONTENT_TYPES, CannotDraw, picture_redraw
from devices.models import Brand
from smartpush.common.database.advisory_locks import LockOf, lock_of_hold, lock_of_hold_try

MAX_BYTES = 1024 * 1024
AT_ONCE = 2  # pictures decoded at a time by all processes together: each takes up to 320 MB
WAIT = "20s"  # how long an upload waits for its turn
_NOT_IN_TIME = "55P03"  # lock_not_available


class CannotSaveImage(Exception):
    """The file is not taken; `code` is for programs and the message for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def image_save(*, brand: Brand, name: str, data: bytes) -> Image:
    """Keep the picture that people see in an uploaded file; the same one is kept once. Raises CannotSaveImage."""
    if not data:
        raise CannotSaveImage("image_empty", "The file is empty.")
    if len(data) > MAX_BYTES:
        raise CannotSaveImage("image_too_large", "The file is larger than 1 MB. Make the picture smaller.")
    try:
        with _turn():
            drawn = picture_redraw(data)
    except CannotDraw as refusal:
        raise CannotSaveImage(refusal.code, str(refusal)) from refusal
    if len(drawn.data) > 2 * MAX_BYTES:
        raise CannotSaveImage("image_too_large", "The picture is larger than 2 MB when drawn anew; make it smaller.")
    digest = hashlib.sha256(drawn.data).hexdigest()
    known = Image.objects.filter(brand=brand, sha256=digest).first()
    if known is not None:
        return known
    try:
        with transaction.atomic():
            return Image.objects.create(
                brand=brand,
                name=name.strip()[:120] or "image",
                content_type=CONTENT_TYPES[drawn.kind],
                width=drawn.width,
                height=drawn.height,
                size=len(drawn.data),
                sha256=digest,
                data=drawn.data,
            )
    except IntegrityError:
        return Image.objects.get(brand=brand, sha256=digest)


@contextmanager
def _turn() -> Iterator[None]:
    """Hold one of the places for decoding, on whatever machine; raises CannotSaveImage when none gets free in time."""
    with transaction.atomic():
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                for place in range(AT_ONCE):
                    if lock_of_hold_try(lock=LockOf.IMAGE_PLACES, number=place):
                        break
                else:
                    cursor.execute("SELECT set_config('lock_timeout', %s, true)", [WAIT])
                    place = connection.connection.info.backend_pid % AT_ONCE
                    lock_of_hold(lock=LockOf.IMAGE_PLACES, number=place)
                    cursor.execute("SET LOCAL lock_timeout = DEFAULT")
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") != _NOT_IN_TIME:
                raise
            raise CannotSaveImage(
                "image_busy", "Many pictures are being taken in at this moment. Upload this one again in a minute."
            ) from error
        yield
