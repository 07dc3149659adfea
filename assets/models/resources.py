"""Push and popup resources: a name that marketers know, and immutable revisions with language variants."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from devices.models import Brand


class _Resource(models.Model):
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    name = models.CharField("resource name", max_length=120)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True
        ordering = ["-updated_at"]

    def __str__(self) -> str:
        return self.name


class _Revision(models.Model):
    """Written once; a change makes the next number."""

    number = models.IntegerField()
    default_language = models.CharField(max_length=16, default="en")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True


class PushResource(_Resource):
    """A push under Marketing > Assets: its name and its current revision."""

    current_revision = models.ForeignKey(
        "assets.PushRevision", on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )

    class Meta(_Resource.Meta):
        verbose_name = "push"
        verbose_name_plural = "push"
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "name"],
                name="assets_pushresource_name",
                violation_error_message=(
                    "The brand has a push of this name already, perhaps an archived one. Choose another name."
                ),
            )
        ]


class PushRevision(_Revision):
    """What a push was after one save: lifetime, urgency, policy; never changed afterwards."""

    class Urgency(models.TextChoices):
        """RFC 8030 section 5.3."""

        VERY_LOW = "very-low", "Very low: on power and Wi-Fi"
        LOW = "low", "Low: on power or Wi-Fi"
        NORMAL = "normal", "Normal"
        HIGH = "high", "High: even on low battery"

    class Policy(models.TextChoices):
        AT_LEAST_ONCE = "at_least_once", "Send it again, so that nobody misses it"
        AT_MOST_ONCE = "at_most_once", "Leave it, so that nobody sees it twice"

    resource = models.ForeignKey(PushResource, on_delete=models.CASCADE, related_name="revisions")
    ttl = models.IntegerField(default=86_400)
    urgency = models.CharField(max_length=8, choices=Urgency, default=Urgency.NORMAL)
    policy = models.CharField(max_length=16, choices=Policy, default=Policy.AT_LEAST_ONCE)
    utm = models.JSONField(default=dict, blank=True, help_text='{"source": "...", "medium": "..."}')
    silent = models.BooleanField(default=False, db_default=False)
    app_badge = models.IntegerField(null=True, blank=True, help_text="Number on the app's icon; 0 takes it away.")
    category = models.CharField(
        max_length=64, blank=True, default="", db_default="", help_text="The marker of what it is about."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["resource", "number"], name="assets_pushrevision_number"),
            models.CheckConstraint(
                condition=Q(app_badge__isnull=True) | (Q(app_badge__gte=0) & Q(app_badge__lte=99_999)),
                name="assets_pushrevision_app_badge",
            ),
            models.CheckConstraint(condition=Q(ttl__gte=0) & Q(ttl__lte=2_419_200), name="assets_pushrevision_ttl"),
            models.CheckConstraint(
                condition=Q(urgency__in=["very-low", "low", "normal", "high"]),
                name="assets_pushrevision_urgency",
            ),
            models.CheckConstraint(
                condition=Q(policy__in=["at_least_once", "at_most_once"]), name="assets_pushrevision_policy"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.resource} r{self.number}"


class PushVariant(models.Model):
    """The texts, pictures and buttons of one push revision in one language."""

    revision = models.ForeignKey(PushRevision, on_delete=models.CASCADE, related_name="variants")
    language = models.CharField(max_length=16)
    title = models.CharField(max_length=200)
    message = models.TextField(max_length=1000)
    icon = models.CharField(max_length=500, blank=True)
    image = models.CharField(max_length=500, blank=True)
    badge = models.CharField(max_length=500, blank=True)
    click_url = models.CharField(max_length=1000, blank=True)
    deep_link = models.CharField(max_length=1000, blank=True, db_default="")
    buttons = models.JSONField(
        default=list, blank=True, help_text='[{"id": "b1", "title": "...", "url": "...", "deep_link": "..."}]'
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["revision", "language"], name="assets_pushvariant_language"),
            models.CheckConstraint(condition=~Q(title=""), name="assets_pushvariant_title"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.language})"


class PopupResource(_Resource):
    """A popup under Marketing > Assets: its name and its current revision."""

    current_revision = models.ForeignKey(
        "assets.PopupRevision", on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )

    class Meta(_Resource.Meta):
        verbose_name = "popup"
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "name"],
                name="assets_popupresource_name",
                violation_error_message=(
                    "The brand has a popup of this name already, perhaps an archived one. Choose another name."
                ),
            )
        ]


class PopupRevision(_Revision):
    """What a popup was after one save: template, colours, what its buttons do; never changed afterwards."""

    class Template(models.TextChoices):
        SIMPLE = "simple", "Push permissions request (simple)"
        CATEGORIES = "categories", "Push permissions request (with categories)"

    class Primary(models.TextChoices):
        PERMISSION = "permission", "Ask for push permission"
        URL = "url", "Open a page"
        CLICK = "click", "Record a click"
        CLOSE = "close", "Only close"

    resource = models.ForeignKey(PopupResource, on_delete=models.CASCADE, related_name="revisions")
    template = models.CharField(max_length=12, choices=Template, default=Template.SIMPLE)
    primary = models.CharField(max_length=12, choices=Primary, default=Primary.PERMISSION)
    primary_url = models.CharField(max_length=1000, blank=True)
    categories = ArrayField(models.CharField(max_length=64), default=list, blank=True)  # markers, in the order shown
    expires_after = models.IntegerField(default=86_400, db_default=86_400)  # seconds that an offer stays open
    colour_background = models.CharField(max_length=7, default="#ffffff")
    colour_text = models.CharField(max_length=7, default="#1f2328")
    colour_button = models.CharField(max_length=7, default="#4f46e5")
    colour_button_text = models.CharField(max_length=7, default="#ffffff")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["resource", "number"], name="assets_popuprevision_number"),
            models.CheckConstraint(
                condition=Q(template__in=["simple", "categories"]), name="assets_popuprevision_template"
            ),
            models.CheckConstraint(
                condition=Q(primary__in=["permission", "url", "click", "close"]), name="assets_popuprevision_primary"
            ),
            models.CheckConstraint(
                condition=(Q(primary="url") & ~Q(primary_url="")) | (~Q(primary="url") & Q(primary_url="")),
                name="assets_popuprevision_primary_url",
            ),
            models.CheckConstraint(
                condition=(Q(template="categories") & ~Q(categories=[])) | (Q(template="simple") & Q(categories=[])),
                name="assets_popuprevision_categories",
            ),
            models.CheckConstraint(
                condition=Q(expires_after__gte=30) & Q(expires_after__lte=2_419_200),
                name="assets_popuprevision_expires_after",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.resource} r{self.number}"


class PopupVariant(models.Model):
    """The texts of one popup revision in one language."""

    revision = models.ForeignKey(PopupRevision, on_delete=models.CASCADE, related_name="variants")
    language = models.CharField(max_length=16)
    title = models.CharField(max_length=200)
    text = models.TextField(max_length=600, blank=True)
    image = models.CharField(max_length=500, blank=True)
    subscribe_label = models.CharField(max_length=60, default="Subscribe")
    later_label = models.CharField(max_length=60, default="Maybe later")
    close_label = models.CharField(max_length=60, default="Close")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["revision", "language"], name="assets_popupvariant_language"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.language})"
