"""How many devices a website or app has, counted without being loaded."""

from dataclasses import dataclass

from devices.brands.models import App
from devices.brands.selectors.consequences import MOST_COUNTED, number_words
from devices.installations.models import Device
from smartpush.common.numbers import noun


@dataclass(frozen=True, slots=True)
class DeviceNumbers:
    """All its devices, and those with a live token; MOST_COUNTED + 1 where there are more."""

    devices: int
    reachable: int

    @property
    def words(self) -> str:
        """Say them: `12,345 devices (11,000 with a push address that works)`."""
        if not self.devices:
            return "no devices"
        devices = f"{number_words(self.devices)} {noun(number=self.devices, one='device')}"
        return f"{devices} ({number_words(self.reachable)} with a push address that works)"


def app_devices(*, app: App) -> DeviceNumbers:
    """Count the devices of an app, up to MOST_COUNTED."""
    rows = Device.objects.filter(app=app).values("pk")
    most = MOST_COUNTED + 1
    return DeviceNumbers(rows[:most].count(), rows.filter(token_hash__isnull=False)[:most].count())
