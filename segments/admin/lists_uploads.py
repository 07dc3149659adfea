"""Uploads of lists: written to disk as they come, and no further than the limit."""

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, StopUpload, TemporaryFileUploadHandler
from django.http import HttpRequest


class BoundedUploadHandler(FileUploadHandler):
    """Lets files through up to the limit; of a larger one the rest is read and thrown away."""

    chunk_size = 1 << 20
    taken = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self.taken += len(raw_data)
        if self.taken > upload_limit():
            self.request.upload_too_large = True  # type: ignore[union-attr]
            raise StopUpload(connection_reset=False)
        return raw_data

    def file_complete(self, file_size: int) -> Any:
        return None


def upload_limit() -> int:
    """In bytes."""
    return settings.SMARTPUSH_IMPORT_MEGABYTES * 1_048_576


def upload_to_disk(request: HttpRequest) -> None:
    """Take the files of this request that way; before anybody has read its POST."""
    request.upload_handlers = [BoundedUploadHandler(request), TemporaryFileUploadHandler(request)]


def upload_too_large(request: HttpRequest) -> bool:
    """Whether a file of the request was over the limit."""
    return bool(getattr(request, "upload_too_large", False))
