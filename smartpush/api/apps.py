from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "smartpush.api"
    label = "api"
