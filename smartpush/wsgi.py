"""The WSGI entry that gunicorn loads."""

import os

from smartpush.common.startup.web import web_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartpush.settings")
application = web_application()
