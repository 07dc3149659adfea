"""Addresses of uploaded images, under /a/."""

from django.urls import URLPattern, re_path

from assets.views import image

urlpatterns: list[URLPattern] = [
    re_path(r"^(?P<public>[A-Za-z0-9_-]{16})\.(?P<extension>png|jpg|webp|gif)$", image, name="asset-image"),
]
