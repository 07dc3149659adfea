"""Proof of who is there: the brand's public keys for identity tokens, and what checking them has seen."""

from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from devices.brands.models.brands import Brand


class IdentityKey(models.Model):
    """A P-256 public key (RFC 7518 section 3.4, ES256) whose private half the brand's own server keeps."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="identity_keys")
    kid = models.CharField("key id", max_length=64, help_text="The `kid` in the header of the tokens.")
    public_key = models.TextField(help_text="PEM, beginning with -----BEGIN PUBLIC KEY-----")
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    history = HistoricalRecords()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "kid"],
                name="devices_identitykey_kid",
                violation_error_message=(
                    "The brand has a key with this id already, perhaps a revoked one. Choose another id."
                ),
            ),
            models.CheckConstraint(
                condition=~Q(kid=""),
                name="devices_identitykey_kid_filled",
                violation_error_message="A key needs an id. Give the one that your tokens name as kid.",
            ),
        ]

    def __str__(self) -> str:
        return self.kid


SHARDS = 16


class IdentityObservation(models.Model):
    """How often a day identifying calls ended in one way, with the last example.

    Up to 16 rows a brand, day and outcome: who counts takes the row of their own process and thread, so that calls that
    end at the same moment do not wait for each other. Readers add them up.
    """

    class Outcome(models.TextChoices):
        VALID = "valid", "Proven"
        MISSING = "missing", "No token"
        MALFORMED = "malformed", "Not a token"
        ALGORITHM = "algorithm", "Not signed with ES256"
        KEY_UNKNOWN = "key_unknown", "Signed with a key that is not known here"
        KEY_REVOKED = "key_revoked", "Signed with a revoked key"
        SIGNATURE = "signature", "Wrong signature"
        EXPIRED = "expired", "Expired"
        NOT_YET = "not_yet", "Not valid yet"
        TOO_LONG = "too_long", "Valid for more than an hour"
        SUBJECT = "subject", "For another end user"

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()
    outcome = models.CharField(max_length=12, choices=Outcome)
    shard = models.SmallIntegerField(default=0, db_default=0)
    count = models.BigIntegerField(default=0)
    last_at = models.DateTimeField()
    last_external_id = models.CharField(max_length=255, blank=True)
    last_origin = models.CharField(max_length=255, blank=True)
    last_kid = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-day", "outcome"]
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "day", "outcome", "shard"], name="devices_identityobservation_once"
            ),
            models.CheckConstraint(
                condition=Q(
                    outcome__in=[
                        "valid",
                        "missing",
                        "malformed",
                        "algorithm",
                        "key_unknown",
                        "key_revoked",
                        "signature",
                        "expired",
                        "not_yet",
                        "too_long",
                        "subject",
                    ]
                ),
                name="devices_identityobservation_outcome",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.get_outcome_display()}"
