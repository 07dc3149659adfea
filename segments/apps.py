"""The app; its core fields, and its steps of merges and erasures, are registered when it is ready."""

import importlib

from django.apps import AppConfig


class SegmentsConfig(AppConfig):
    name = "segments"
    verbose_name = "Segments"

    def ready(self) -> None:
        importlib.import_module("segments.core")
        steps = importlib.import_module("devices.lifecycle.steps")
        for place, module in (
            (steps.Above.LISTS, importlib.import_module("segments.services.list_merging")),
            (steps.Above.MEMBERSHIPS, importlib.import_module("segments.services.membership_merging")),
        ):
            steps.steps_register(place=place, merge=module.MERGE_STEP, erase=module.ERASE_STEP)
