from __future__ import annotations

from collections.abc import Iterator

from django.apps import AppConfig


class FacerecConfig(AppConfig):
    name = "facerec"
    verbose_name = "Faces"

    def ready(self) -> None:
        from facerec import signals  # noqa: F401 - connects

    def health(self) -> Iterator[tuple[str, str, bool, str, str]]:
        """For the status page and the doctor: by which calibration faces are decided."""
        from facerec.services.calibration import describe_in_use

        yield ("Faces", "calibration", *describe_in_use())
