"""What an administrator chose for faces: one row, else the defaults."""

from __future__ import annotations

from django.db import models

from facerec.core.matcher import MARGIN_SHARE


class PassiveCues(models.TextChoices):
    """What becomes of signs of a screen or a print in single frames."""

    LOG = "log", "only log them"
    DECIDE = "decide", "refuse by them"


class Movements(models.IntegerChoices):
    """How many of them a live check asks."""

    THREE = 3, "three"
    FOUR = 4, "four"


class FacePolicy(models.Model):
    """Null means: as the environment or the shipped encoder has it."""

    verification_fmr = models.FloatField(null=True, blank=True)
    identification_fpir = models.FloatField(null=True, blank=True)
    margin_share = models.FloatField(null=True, blank=True)  # of the threshold
    keep_crops = models.BooleanField(default=False)
    verification_liveness = models.BooleanField(default=False)  # required before a 1:1 question
    identification_liveness = models.BooleanField(default=False)  # and before a 1:N one
    liveness_alternative = models.BooleanField(default=False)  # an operator may vouch instead
    liveness_steps = models.PositiveSmallIntegerField(
        choices=Movements.choices, default=Movements.THREE
    )
    passive_cues = models.CharField(
        max_length=10, choices=PassiveCues.choices, default=PassiveCues.LOG
    )
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
        return self.share_of_threshold * threshold

    @property
    def share_of_threshold(self) -> float:
        """The same as a share of the threshold, in [0, 1]."""
        return MARGIN_SHARE if self.margin_share is None else self.margin_share

    def requires_liveness(self, mode: str) -> bool:
        """Whether questions of this mode need the person to be there; `mode` is a `Mode`."""
        return {
            "verification": self.verification_liveness,
            "identification": self.identification_liveness,
        }[mode]

    @classmethod
    def current(cls) -> FacePolicy:
        return cls.objects.filter(pk=1).first() or cls(pk=1)
