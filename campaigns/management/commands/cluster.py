"""`manage.py cluster urgent|bulk`: one django-q2 cluster whose processes die with it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django_q.cluster import Cluster

from smartpush.machine.processes import die_with_parent_everywhere


class Command(BaseCommand):
    help = "Run one lane's job cluster (started by `manage.py worker`)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("lane", choices=["urgent", "bulk"])

    def handle(self, *args: Any, **options: Any) -> None:
        die_with_parent_everywhere()
        Cluster().start()
