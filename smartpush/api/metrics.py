"""What Prometheus is told beside the counters of this process: open incidents, read when it asks."""

from collections.abc import Iterator

from django.db import DatabaseError
from django.db.models import Count
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from devices.models import Incident


class IncidentCollector(Collector):
    """`smartpush_incidents_open` by kind; nothing while the database does not answer."""

    def describe(self) -> list[GaugeMetricFamily]:
        """Name the metric without asking the database: the registry looks when the process starts."""
        return [self._family()]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Count the open incidents of each kind."""
        family = self._family()
        try:
            counts = dict(
                Incident.objects.filter(until__isnull=True).values_list("kind").annotate(count=Count("pk")).order_by()
            )
        except DatabaseError:
            return
        for kind in Incident.Kind.values:
            family.add_metric([kind], counts.get(kind, 0))
        yield family

    def _family(self) -> GaugeMetricFamily:
        return GaugeMetricFamily("smartpush_incidents_open", "Open incidents by kind.", labels=["kind"])
