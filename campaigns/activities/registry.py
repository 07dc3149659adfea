"""Every activity, in the order in which a pass of the engine runs them. A new one is one line here."""

from collections.abc import Mapping
from typing import Any

from campaigns.activities import delay, popup, push, stop
from campaigns.activities.plugins import Plugin, Resources
from campaigns.activities.shapes import Wait
from campaigns.journey.kinds import Kind, Kinds

# In this order a delay's end sends within the same pass, and an enrolment that has sent its last message ends in it.
PLUGINS: tuple[Plugin, ...] = (
    delay.PLUGIN,
    popup.PLUGIN,
    push.PLUGIN,
    stop.PLUGIN,
)


def plugins() -> Mapping[str, Plugin]:
    """The activities by the names of their kinds."""
    return {plugin.kind.name: plugin for plugin in PLUGINS}


def kinds() -> Kinds:
    """The descriptors of the activities, by name."""
    return {plugin.kind.name: plugin.kind for plugin in PLUGINS}


def resources() -> Mapping[str, Resources[Any]]:
    """What activities send and show, by the names of their kinds."""
    return {plugin.kind.name: plugin.resources for plugin in PLUGINS if plugin.resources is not None}


def resources_of(kind: Kind) -> Resources[Any] | None:
    """What activities of this kind send or show; None where they have no resource."""
    return plugins()[kind.name].resources


def wake_sql() -> str:
    """SQL for the moment at which an enrolment that reaches the step `n` at %(now)s is due there."""
    waits = (
        f"WHEN n.kind = '{plugin.kind.name}' THEN {plugin.shape.until}"
        for plugin in PLUGINS
        if isinstance(plugin.shape, Wait)
    )
    return f"CASE {' '.join(waits)} ELSE %(now)s END"
