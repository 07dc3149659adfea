"""The address of the hosted preference page, under /p/."""

from django.urls import path

from smartpush.api.preferences.views import preference_page

urlpatterns = [path("<str:token>", preference_page, name="preferences")]
