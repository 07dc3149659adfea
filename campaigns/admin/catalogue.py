"""The catalogue of activities: all that the flow editor knows of them, made from the registry."""

from typing import Any

from campaigns.activities import registry
from campaigns.activities.plugins import Plugin
from campaigns.journey.kinds import Group, Setting, Widget
from campaigns.journey.lengths import UNITS
from devices.models import Brand


def catalogue(*, brand: Brand | None) -> dict[str, Any]:
    """Describe every activity, with the brand's resources to choose from (None: no brand is chosen yet).

    `activities`: name, title, icon, group, `branches` (id and label), `ends`, `settings` (name, label, widget and what
    the widget needs). `resources`: by activity the ids and names, and the page that makes one. `units`: of durations.
    """
    order = list(Group)
    plugins = sorted(registry.PLUGINS, key=lambda plugin: order.index(plugin.kind.group))
    return {
        "activities": [_activity(plugin) for plugin in plugins],
        "resources": {
            name: {
                "choices": [
                    {"id": pk, "name": label}
                    for pk, label in (owner.choices(brand_id=brand.pk) if brand is not None else {}).items()
                ],
                "add_url": owner.add_url(),
            }
            for name, owner in registry.resources().items()
        },
        "units": [{"seconds": seconds, "label": f"{name}s"} for seconds, name in UNITS],
    }


def _activity(plugin: Plugin) -> dict[str, Any]:
    kind = plugin.kind
    return {
        "name": kind.name,
        "title": kind.title,
        "icon": kind.icon,
        "group": str(kind.group),
        "branches": [{"id": outcome, "label": label} for outcome, label in kind.branches],
        "ends": kind.ends,
        "settings": [_setting(kind.name, name, field) for name, field in kind.fields.items()],
    }


def _setting(kind: str, name: str, field: Setting) -> dict[str, Any]:
    return {
        "name": name,
        "label": field.label,
        "widget": str(field.widget),
        "default": field.default,
        "choices": [{"value": value, "label": label} for value, label in field.choices],
        "least": field.least,
        "most": field.most,
        "empty": field.empty,
        "resources": kind if field.widget is Widget.RESOURCE else "",
    }
