"""Admin pages that join apps, and the staff's own accounts."""

from smartpush.backoffice.admin import api_keys, brands, categories, consents, end_users, identity, staff

__all__ = ["api_keys", "brands", "categories", "consents", "end_users", "identity", "staff"]
