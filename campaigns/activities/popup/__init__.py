"""Popup: one offer before the end user, and the answer to it."""

from campaigns.activities.plugins import Plugin
from campaigns.activities.popup.answers import give_up
from campaigns.activities.popup.hooks import Popups, report
from campaigns.activities.popup.kind import KIND
from campaigns.activities.popup.statement import advance
from campaigns.activities.shapes import Write

PLUGIN = Plugin(kind=KIND, shape=Write(advance=advance, give_up=give_up), resources=Popups(), report=report)
