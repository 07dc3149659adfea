"""Uploaded images: a list to look at, and a form that takes another picture in."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextInputWidget

from assets.admin.uploads import ACCEPTED, upload_take
from assets.models import Image
from assets.selectors import image_path, image_url
from assets.services import CannotSaveImage
from devices.admin.base import ReadOnlyAdmin
from devices.admin.deleting import Never
from devices.brands.selectors.current_brand import current_brand
from devices.brands.selectors.staff import Role
from devices.models import Brand
from smartpush.common.time.clock import utc_now


class ImageForm(forms.Form):
    file = forms.FileField(
        label="Picture",
        allow_empty_file=True,  # the reader refuses it, with its own words
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ACCEPTED}),
        help_text="PNG, JPEG, WebP or GIF, of 1 MB at most.",
        error_messages={"required": "Choose a picture.", "missing": "Choose a picture."},
    )
    name = forms.CharField(
        required=False,
        max_length=120,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text="To find it by in this list. Empty: the name of the file.",
    )


@admin.register(Image)
class ImageAdmin(ReadOnlyAdmin):
    """Pictures come in here and with the editors of pushes and popups; none is ever changed."""

    add_role = Role.EDITOR
    nobody = "A picture stays as it was uploaded. Upload another one instead."
    deleting = Never("An image stays: messages that were sent show it.")
    empty_hint = "Pictures of pushes and popups are kept here, also those that their editors upload."
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

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Take a picture in as the editors do, and show it with its address."""
        self.require_role(request, None, Role.EDITOR)
        brand = current_brand(request)
        if brand is None:
            raise PermissionDenied("Make a brand first: a picture belongs to one.")
        form = ImageForm(request.POST, request.FILES) if request.method == "POST" else ImageForm()
        image = self._taken(request, form, brand) if form.is_valid() else None
        if image is not None:
            return HttpResponseRedirect(reverse("admin:assets_image_change", args=[image.pk]))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "back": reverse("admin:assets_image_changelist"),
            "title": f"New image of {brand}",
            "explanation": "The picture gets an address that pushes and popups can show. "
            "The editors of both upload pictures as well.",
            "form": form,
            "button": "Upload",
        }
        return TemplateResponse(request, "backoffice/form_page.html", context)

    def _taken(self, request: HttpRequest, form: ImageForm, brand: Brand) -> Image | None:
        """Keep the form's picture and say so; None where it is refused, which the form then says."""
        begun = utc_now()
        try:
            image = upload_take(brand=brand, file=form.cleaned_data["file"], name=form.cleaned_data["name"])
        except CannotSaveImage as refusal:
            form.add_error("file", str(refusal))
            return None
        if image.created_at < begun:
            messages.info(request, f"This picture was here already, as {image.name}.")
        else:
            self.log_addition(request, image, "Uploaded the picture.")
            messages.success(request, f"{image.name} is uploaded.")
        return image
