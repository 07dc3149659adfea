"""The SDK's endpoints: thin; each checks its body, makes its service calls and answers."""

from smartpush.api.sdk.views.base import InstallationView, SdkView
from smartpush.api.sdk.views.events import EventsView, MarkersView
from smartpush.api.sdk.views.popups import OutcomeView, PollView, ShownView
from smartpush.api.sdk.views.reports import ReportsView
from smartpush.api.sdk.views.sessions import IdentifyView, LogoutView, SessionView, StatusView, WorkerSubscriptionView

__all__ = [
    "EventsView",
    "IdentifyView",
    "InstallationView",
    "LogoutView",
    "MarkersView",
    "OutcomeView",
    "PollView",
    "ReportsView",
    "SdkView",
    "SessionView",
    "ShownView",
    "StatusView",
    "WorkerSubscriptionView",
]
