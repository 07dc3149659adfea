"""The models of our apps."""

from django.apps import apps
from django.db import models

OURS = ("devices", "segments", "assets", "campaigns", "backoffice", "api", "common", "demo")


def our_models() -> list[type[models.Model]]:
    return [
        model
        for label in OURS
        for model in apps.get_app_config(label).get_models()
        if not model.__name__.startswith("Historical")
    ]


def fields_in(condition: object) -> set[str]:
    if isinstance(condition, models.Q):
        return {name for child in condition.children for name in fields_in(child)}
    if isinstance(condition, tuple):
        return {condition[0].split("__")[0]}
    return set()
