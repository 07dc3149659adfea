"""The app; its core fields are registered when it is ready."""

import importlib

from django.apps import AppConfig


class SegmentsConfig(AppConfig):
    name = "segments"
    verbose_name = "Segments"

    def ready(self) -> None:
        importlib.import_module("segments.core")
