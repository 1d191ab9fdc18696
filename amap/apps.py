from django.apps import AppConfig


class AmapConfig(AppConfig):
    name = "amap"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from amap import checks  # noqa: F401 — registers itself
