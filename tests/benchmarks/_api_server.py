"""The WSGI application that the `api` group loads: ours as it is, or (BENCH_BARE=1) one DRF view that inserts a row."""

import os

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartpush.settings")
if os.environ.get("BENCH_BARE"):
    settings.MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]  # it says how long the answer is
    settings.ROOT_URLCONF = "tests.benchmarks._api_bare"
    settings.LOGGING_CONFIG = None
django.setup(set_prefix=False)

from django.core.handlers.wsgi import WSGIHandler  # noqa: E402  only once the settings are loaded

application = WSGIHandler()
