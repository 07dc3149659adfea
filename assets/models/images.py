"""Images that marketers upload; kept in the database so that every machine serves them and one backup holds all."""

from django.db import models

from devices.models import Brand


class Image(models.Model):
    """A checked, re-encoded picture; immutable, served under its public id with a long cache."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=120)
    content_type = models.CharField(max_length=32)
    width = models.IntegerField()
    height = models.IntegerField()
    size = models.IntegerField(help_text="Bytes.")
    sha256 = models.CharField(max_length=64)
    data = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "sha256"],
                name="assets_image_once",
                violation_error_message="The brand has this picture already. Choose it from the list.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.width}×{self.height})"
