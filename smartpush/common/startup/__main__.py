"""`python -m smartpush.common.startup`: exit 4 with everything that is wrong, before anything has been changed."""

import os

from smartpush.common.startup.commands import settings_load

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartpush.settings")
    settings_load()
