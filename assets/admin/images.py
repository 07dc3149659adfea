"""Uploaded images, to look at."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.decorators import display

from assets.models import Image
from assets.selectors import image_path, image_url
from devices.admin.base import ReadOnlyAdmin
from devices.admin.deleting import Never


@admin.register(Image)
class ImageAdmin(ReadOnlyAdmin):
    """Images come in with the editors of pushes and popups."""

    deleting = Never("An image stays: messages that were sent show it.")
    empty_hint = "Images are uploaded from the forms of pushes and popups."
    list_display = ["picture", "name", "dimensions", "kilobytes", "created_at"]
    list_display_links = ["picture", "name"]
    search_fields = ["name"]
    fields = ["picture", "name", "address", "dimensions", "kilobytes", "created_at"]

    class Media:
        css = {"all": ["assets/editor.css"]}

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("data")

    @display(description="Image")
    def picture(self, obj: Image) -> str:
        return format_html('<img class="sp-thumb" src="{}" alt="{}" loading="lazy">', image_path(obj), obj.name)

    @display(description="Address")
    def address(self, obj: Image) -> str:
        return image_url(obj)

    @display(description="Pixels")
    def dimensions(self, obj: Image) -> str:
        return f"{obj.width} × {obj.height}"

    @display(description="Size")
    def kilobytes(self, obj: Image) -> str:
        return f"{max(1, round(obj.size / 1024))} kB"
