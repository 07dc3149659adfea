"""The server surface: /api/v1/server/."""

from django.urls import path

from smartpush.api.server.views import campaigns, events, push, users

# External ids may hold slashes, so the addresses below one come before the address of one.
urlpatterns = [
    path("users/bulk", users.UsersBulkView.as_view()),
    path("users/<path:external_id>/markers", users.UserMarkersView.as_view()),
    path("users/<path:external_id>/opt-out", users.UserOptOutView.as_view()),
    path("users/<path:external_id>/never-contact", users.UserNeverContactView.as_view()),
    path("users/<path:external_id>/rename", users.UserRenameView.as_view()),
    path("users/<path:external_id>/merge", users.UserMergeView.as_view()),
    path("users/<path:external_id>/export", users.UserExportView.as_view()),
    path("users/<path:external_id>", users.UserView.as_view()),
    path("events/bulk", events.EventsBulkView.as_view()),
    path("campaigns", campaigns.CampaignsView.as_view()),
    path("campaigns/<str:campaign>/trigger", campaigns.TriggerView.as_view()),
    path("push", push.PushView.as_view()),
    path("push/resources", push.ResourcesView.as_view()),
    path("push/<str:message>", push.MessageView.as_view()),
    path("push/<str:message>/cancel", push.MessageCancelView.as_view()),
    path("deliveries", push.DeliveriesView.as_view()),
    path("deliveries/<str:delivery>", push.DeliveryView.as_view()),
]
