"""What the page Liveness is asked: the policy."""

from __future__ import annotations

from django import forms

from facerec.models.policy import Movements, PassiveCues

SPECIES = [
    ("bona_fide", "A living person"),
    ("flat_print", "A print, held flat"),
    ("bent_print", "A print, bent"),
    ("cut_out", "A print with holes, a person behind"),
    ("swapped_prints", "Several prints in turn"),
    ("swapped_person", "A person, and another's photo in between"),
    ("still_on_phone", "A photo on a phone"),
    ("phone_replay", "A video on a phone"),
    ("monitor_replay", "A video on a monitor"),
    ("replay_right_order", "A video with the right order, by luck"),
    ("mask", "A mask"),
    ("other", "Something else"),
]
"""What a recording for the bench may show, as tests/simulator names it: (value, words)."""


class LivenessPolicyForm(forms.Form):
    verification_liveness = forms.BooleanField(required=False)
    identification_liveness = forms.BooleanField(required=False)
    liveness_alternative = forms.BooleanField(required=False)
    liveness_steps = forms.TypedChoiceField(
        choices=Movements.choices, coerce=int, error_messages={"required": "Choose one of the two."}
    )
    passive_cues = forms.ChoiceField(
        choices=PassiveCues.choices, error_messages={"required": "Choose one of the two."}
    )
