"""Staff pages over the delivery side."""

from devices.admin import apps, ledgers, settings_pages

__all__ = ["apps", "ledgers", "settings_pages"]
