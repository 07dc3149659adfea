"""Stop. It has no way on, so the statement that moves enrolments ends them."""

from campaigns.activities.plugins import Plugin
from campaigns.activities.shapes import Choose
from campaigns.activities.stop.kind import KIND

PLUGIN = Plugin(kind=KIND, shape=Choose(outcome="'done'"))
