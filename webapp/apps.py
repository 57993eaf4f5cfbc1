from django.apps import AppConfig


class WebappConfig(AppConfig):
    name = "webapp"

    def ready(self) -> None:
        from webapp import celery  # noqa: F401 - the tasks' decorators bind to this app
        from webapp.jobs import worker  # noqa: F401 - listens to the worker's signals
