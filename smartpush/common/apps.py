"""The ground floor: what every app may use."""

from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "smartpush.common"
    label = "common"

    def ready(self) -> None:
        from smartpush.common import checks  # noqa: F401, PLC0415  registers the system checks
