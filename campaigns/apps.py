"""The app; what it lets segments ask about is registered when it is ready."""

import importlib

from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "campaigns"
    verbose_name = "Campaigns"

    def ready(self) -> None:
        importlib.import_module("campaigns.segment_fields")
        ours = importlib.import_module("campaigns.selectors.uses")
        segments_uses = importlib.import_module("segments.selectors.uses")
        segments_uses.campaigns_read_by(ours.campaigns_using, ours.campaigns_counted)
        steps = importlib.import_module("devices.lifecycle.steps")
        steps.steps_register(
            place=steps.Above.JOURNEYS,
            merge=importlib.import_module("campaigns.services.merging").MERGE_STEP,
            erase=importlib.import_module("campaigns.services.forgetting").ERASE_STEP,
        )
        never_contact = importlib.import_module("campaigns.services.never_contact")
        importlib.import_module("segments.tasks").work_done_by("mark", never_contact.list_mark)
