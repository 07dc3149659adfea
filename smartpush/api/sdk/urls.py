"""Addresses of the SDK surface, under /api/v1/sdk/."""

from django.urls import path

from smartpush.api.sdk import preferences, views

urlpatterns = [
    path("session", views.SessionView.as_view()),
    path("identify", views.IdentifyView.as_view()),
    path("logout", views.LogoutView.as_view()),
    path("status", views.StatusView.as_view()),
    path("events", views.EventsView.as_view()),
    path("markers", views.MarkersView.as_view()),
    path("popups/poll", views.PollView.as_view()),
    path("popups/shown", views.ShownView.as_view()),
    path("popups/outcome", views.OutcomeView.as_view()),
    path("consents", preferences.ConsentsView.as_view()),
    path("preferences/read", preferences.PreferencesReadView.as_view()),
    path("preferences", preferences.PreferencesView.as_view()),
    path("preferences/link", preferences.PreferencesLinkView.as_view()),
    path("worker/subscription", views.WorkerSubscriptionView.as_view()),
    path("reports", views.ReportsView.as_view()),
]
