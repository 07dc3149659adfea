"""Staff pages over the delivery side."""

from devices.admin import apps, ledgers, push_services, settings_pages

__all__ = ["apps", "ledgers", "push_services", "settings_pages"]
