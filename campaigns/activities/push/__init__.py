"""Push: an outbox row for each device of the end user that may be reached."""

from campaigns.activities.plugins import Plugin
from campaigns.activities.push.hooks import Pushes, report
from campaigns.activities.push.kind import KIND
from campaigns.activities.push.statement import advance
from campaigns.activities.shapes import Write

PLUGIN = Plugin(kind=KIND, shape=Write(advance=advance), resources=Pushes(), report=report)
