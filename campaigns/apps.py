"""The app; what it lets segments ask about is registered when it is ready."""

import importlib

from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "campaigns"
    verbose_name = "Campaigns"

    def ready(self) -> None:
        importlib.import_module("campaigns.segment_fields")
