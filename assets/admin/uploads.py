"""Pictures that staff upload: one reader with one limit, for the editors and for the list of images."""

from django.core.files.uploadedfile import UploadedFile

from assets.models import Image
from assets.services import CannotSaveImage, image_save
from assets.services.images import MAX_BYTES
from devices.models import Brand

ACCEPTED = "image/png,image/jpeg,image/webp,image/gif"  # what file dialogs offer; what is read is decided by content


def upload_take(*, brand: Brand, file: UploadedFile | None, name: str = "") -> Image:
    """Keep an uploaded picture, named after its file where no name is given. Raises CannotSaveImage."""
    if file is None:
        raise CannotSaveImage("image_missing", "Choose a picture.")
    if file.size is None or file.size > MAX_BYTES:  # known before it is read
        raise CannotSaveImage("image_too_large", "The file is larger than 1 MB. Make the picture smaller.")
    return image_save(brand=brand, name=name or file.name or "image", data=file.read())
