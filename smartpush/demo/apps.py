from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "smartpush.demo"
    label = "demo"
