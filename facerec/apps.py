from django.apps import AppConfig


class FacerecConfig(AppConfig):
    name = "facerec"
    verbose_name = "Faces"

    def ready(self) -> None:
        from facerec import signals  # noqa: F401 - connects
