"""What follows `/admin/in/<brand>/` in an address: the pages of the back office, and nothing else."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, path

handler400 = "smartpush.common.calls.errors.bad_request"
handler500 = "smartpush.api.outages.failed"

urlpatterns: list[URLPattern | URLResolver] = [path("", admin.site.urls)]
