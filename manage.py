#!/usr/bin/env python
"""The operator's command line."""

import os
import sys

from smartpush.common.startup.commands import command_run

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartpush.settings")
    command_run(sys.argv)
