"""Delay. It begins when it is reached, so whoever leads to it sets its wake-up."""

from campaigns.activities.delay.kind import KIND
from campaigns.activities.plugins import Plugin
from campaigns.activities.shapes import Wait

PLUGIN = Plugin(kind=KIND, shape=Wait(until="%(now)s + n.seconds * interval '1 second'"))
