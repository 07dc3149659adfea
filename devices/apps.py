"""The app; its checks, and what it does about Redis when that is away, are registered when it is ready."""

import importlib

from django.apps import AppConfig


class DevicesConfig(AppConfig):
    name = "devices"
    verbose_name = "Devices"

    def ready(self) -> None:
        importlib.import_module("devices.checks")
        importlib.import_module("devices.brands.services.redis_trouble")
