"""Pages that only superusers see."""

from django.contrib.auth.models import Group, User

SUPERUSERS_ONLY = {User, Group}
