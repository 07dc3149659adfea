"""The marketer's back office: the admin site and the pages that join apps."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class BackofficeAdminConfig(admin_apps.AdminConfig):
    """Django's admin with our site class as the default one."""

    default = False
    default_site = "smartpush.backoffice.site.BackofficeSite"


class BackofficeConfig(AppConfig):
    default = True
    name = "smartpush.backoffice"
    label = "backoffice"
