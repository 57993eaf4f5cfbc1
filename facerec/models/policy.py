"""What an administrator chose for faces: one row, else the defaults."""

from __future__ import annotations

from django.db import models

from facerec.core.matcher import MARGIN_SHARE


class FacePolicy(models.Model):
    """Null means: as the environment or the shipped encoder has it."""

    verification_fmr = models.FloatField(null=True, blank=True)
    identification_fpir = models.FloatField(null=True, blank=True)
    minimum_margin = models.FloatField(null=True, blank=True)  # squared L2, to the runner-up
    keep_crops = models.BooleanField(default=False)
    encoder = models.ForeignKey(
        "facerec.EncoderVersion", on_delete=models.PROTECT, null=True, related_name="+"
    )
    calibration = models.ForeignKey(
        "facerec.Calibration", on_delete=models.PROTECT, null=True, related_name="+"
    )

    def __str__(self) -> str:
        return "policy"

    def least_margin(self, threshold: float) -> float:
        """The margin (squared L2) below which two people are too close to tell apart."""
        return MARGIN_SHARE * threshold if self.minimum_margin is None else self.minimum_margin

    @classmethod
    def current(cls) -> FacePolicy:
        return cls.objects.filter(pk=1).first() or cls(pk=1)
