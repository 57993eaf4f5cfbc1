"""What the calibration page is asked: for which error rate, and to measure which photos."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms

from facerec.models import Calibration, EncoderVersion, Mode
from facerec.thresholds import Target
from webapp.jobs.models import Status

SHIPPED = "shipped"
MODES = [
    (Mode.VERIFICATION.value, "Verify, 1:1"),
    (Mode.IDENTIFICATION.value, "Identify, 1:N"),
]
PRESETS = [10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000]


class MarginForm(forms.Form):
    """How near two people must be to be too close to call, in per cent of the threshold."""

    margin = forms.FloatField(
        min_value=0,
        max_value=100,
        error_messages={
            "required": "Say how many per cent; 0 always names the nearest.",
            "invalid": "Give a number, such as 10.",
            "min_value": "Give 0 or more.",
            "max_value": "Give at most 100.",
        },
    )


class TargetForm(forms.Form):
    """After `is_valid()`: `target`, and `calibration` (None: the shipped one)."""

    set = forms.CharField()
    mode = forms.ChoiceField(choices=MODES, error_messages={"required": "Choose one of the two."})
    one_in = forms.FloatField(
        min_value=10,
        max_value=1e9,
        error_messages={
            "required": "Say one stranger in how many.",
            "invalid": "Give a number, such as 1000.",
            "min_value": "More than one error in ten is no promise: give 10 or more.",
            "max_value": "Give at most 1,000,000,000.",
        },
    )
    gallery = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=100_000_000,
        error_messages={
            "invalid": "Give a number, such as 500.",
            "min_value": "Give 1 or more.",
            "max_value": "Give at most 100,000,000.",
        },
    )

    def clean_set(self) -> Calibration | None:
        value = self.cleaned_data["set"]
        if value == SHIPPED:
            return None
        try:
            found = Calibration.objects.filter(pk=UUID(value), status=Status.DONE).first()
        except ValueError:
            found = None
        if found is None:
            raise forms.ValidationError("This calibration is not there any more. Choose another.")
        return found

    @property
    def calibration(self) -> Calibration | None:
        found: Calibration | None = self.cleaned_data["set"]
        return found

    @property
    def target(self) -> Target:
        mode = Mode(self.cleaned_data["mode"])
        searched = mode == Mode.IDENTIFICATION
        comparisons = self.cleaned_data["gallery"] or 1 if searched else 1
        return Target(mode, 1 / self.cleaned_data["one_in"], comparisons)

    @property
    def problems(self) -> list[dict[str, Any]]:
        """For the error summary."""
        return [
            {"field": name, "message": str(message), "hint": ""}
            for name, messages in self.errors.items()
            for message in messages
        ]


class MeasureForm(forms.Form):
    """A new set. The archive is claimed by the view."""

    name = forms.CharField(
        label="What the set is called",
        max_length=120,
        error_messages={"required": "Give the set a name."},
    )
    encoder = forms.ModelChoiceField(
        label="Measured on",
        queryset=EncoderVersion.objects.all(),
        to_field_name="name",
        required=False,
        empty_label=None,
    )
