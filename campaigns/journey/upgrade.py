"""Drafts and compiled graphs of version 1 to version 2: the settings move together, and all branches have one shape."""

from collections.abc import Mapping
from typing import Any

from campaigns.journey.kinds import ANY_OUTCOME
from campaigns.journey.parse import VERSION

# The settings that version 1 kept beside the key, by kind; a popup's branches were by outcome already.
_SETTINGS = {"popup": ("popup", "timeout"), "push": ("push", "target_devices"), "delay": ("seconds",)}


def draft_upgrade(draft: Any) -> Any:
    """Return a draft as version 2; what is not of version 1, or cannot be read, stays as it is."""
    if not isinstance(draft, Mapping) or draft.get("version") != 1 or not isinstance(draft.get("activities"), list):
        return draft
    return {**draft, "version": VERSION, "activities": [_activity(row) for row in draft["activities"]]}


def graph_upgrade(graph: Any) -> Any:
    """Return a compiled graph as version 2; what is not of version 1 stays as it is."""
    if not isinstance(graph, Mapping) or graph.get("version") != 1 or not isinstance(graph.get("steps"), Mapping):
        return graph
    return {**graph, "version": VERSION, "steps": {key: _step(step) for key, step in graph["steps"].items()}}


def step_settings(step: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a compiled step of version 1."""
    kind, seconds = step["kind"], step.get("seconds", 0)
    match kind:
        case "popup":
            return {"popup": step.get("resource"), "timeout": seconds or None}
        case "push":
            return {"push": step.get("resource"), "target_devices": step.get("target_devices", "all")}
        case "delay":
            return {"seconds": seconds}
    return {}


def _activity(row: Any) -> Any:
    if not isinstance(row, Mapping):
        return row
    kind = row.get("kind")
    named = _SETTINGS.get(kind, ()) if isinstance(kind, str) else ()
    ways = row.get("next")
    upgraded = {
        "key": row.get("key"),
        "kind": kind,
        "settings": {name: row[name] for name in named if row.get(name) is not None},
    }
    if kind == "popup" and isinstance(ways, Mapping):
        upgraded["next"] = {outcome: target for outcome, target in ways.items() if target}
    elif ways and kind != "stop":
        upgraded["next"] = {ANY_OUTCOME: ways}
    else:
        upgraded["next"] = {}
    return upgraded


def _step(step: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "kind": step["kind"],
        "seconds": step.get("seconds", 0),
        "settings": step_settings(step),
        "next": step.get("next", {}),
    }
