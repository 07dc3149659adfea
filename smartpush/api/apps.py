from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "smartpush.api"
    label = "api"

    def ready(self) -> None:
        """Add our own metrics to those of the process."""
        from prometheus_client import REGISTRY  # noqa: PLC0415  models are loaded by now, not before

        from smartpush.api.metrics import IncidentCollector  # noqa: PLC0415

        REGISTRY.register(IncidentCollector())
