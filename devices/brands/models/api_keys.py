"""Keys of the server API: shown once, kept as hashes."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from devices.brands.models.brands import Brand


class ApiKey(models.Model):
    """A secret of a brand's own server; it may do what its scopes say until it is revoked."""

    class Scope(models.TextChoices):
        USERS_READ = "users:read", "Read end users, export one"
        USERS_WRITE = "users:write", "Write end users, markers and opt-outs; erase"
        EVENTS_WRITE = "events:write", "Write events"
        CAMPAIGNS_TRIGGER = "campaigns:trigger", "Trigger campaigns"
        PUSH_SEND = "push:send", "Send and cancel transactional pushes"
        DELIVERIES_READ = "deliveries:read", "Look up deliveries"

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=120, help_text="Who uses it, such as: shop back end.")
    prefix = models.CharField(max_length=16, editable=False, help_text="Its first characters, to know it by.")
    secret_hash = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=24, choices=Scope), default=list)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "API key"
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    scopes__contained_by=[
                        "users:read",
                        "users:write",
                        "events:write",
                        "campaigns:trigger",
                        "push:send",
                        "deliveries:read",
                    ]
                ),
                name="devices_apikey_scopes",
                violation_error_message="Choose only scopes of the list.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
