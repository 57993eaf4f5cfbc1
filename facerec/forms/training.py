"""What a training run is asked for, each option in plain words."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import RegexValidator

from facerec.core.training_config import MinerName, TrainingConfig, TrainingKind

_DEFAULT = TrainingConfig()

KINDS = [
    {
        "value": TrainingKind.ADAPTER.value,
        "label": "An adapter",
        "hint": "A small function over the frozen encoder's 128 numbers. Takes minutes; it can "
        "be put in use and taken back at once, since nobody has to be enrolled anew.",
    },
    {
        "value": TrainingKind.LAST_BLOCKS.value,
        "label": "The last blocks",
        "hint": "The encoder's own last layers learn. Slower, and needs more photos; everybody "
        "whose crops are not kept has to be enrolled anew.",
    },
]
MINERS = [
    {
        "value": MinerName.BATCH_HARD.value,
        "label": "Batch-hard",
        "hint": "For each photo the least alike of the same person and the most alike of another. "
        "Learns fastest; a wrong label in the photos hurts most.",
    },
    {
        "value": MinerName.SEMI_HARD.value,
        "label": "Semi-hard",
        "hint": "A stranger who is farther than the same person, but within the margin. Gentler: "
        "the way of the FaceNet paper.",
    },
    {
        "value": MinerName.RANDOM.value,
        "label": "Random",
        "hint": "Any stranger. Nearly all such triplets are too easy to teach anything: choose it "
        "to see that.",
    },
]


class TrainingForm(forms.Form):
    """After `is_valid()`, `config` is the core's. The archive is claimed by the view."""

    name = forms.CharField(
        label="Name",
        max_length=24,
        validators=[
            RegexValidator(
                r"^[a-z0-9]+(-[a-z0-9]+)*\Z", "Small letters, digits and single hyphens only."
            )
        ],
        help_text="The encoder will be called this, with a number: club-1.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    kind = forms.ChoiceField(choices=[(k["value"], k["label"]) for k in KINDS])
    miner = forms.ChoiceField(choices=[(m["value"], m["label"]) for m in MINERS])
    steps = forms.IntegerField(
        label="Steps",
        min_value=1,
        max_value=20_000,
        help_text="How often a batch is looked at. The best step is kept, so more costs time only.",
    )
    margin = forms.FloatField(
        label="Margin α",
        min_value=0.001,
        max_value=10,
        help_text="How much farther than the same person a stranger has to be (squared distance). "
        "Larger asks for more; too large can never be met.",
    )
    people_per_batch = forms.IntegerField(
        label="People in a batch, P",
        min_value=2,
        max_value=256,
        help_text="More strangers to find a hard one among; more memory.",
    )
    photos_per_person = forms.IntegerField(
        label="Photos of each, K",
        min_value=2,
        max_value=16,
        help_text="Who has fewer gives what there is.",
    )
    learning_rate = forms.FloatField(
        label="Learning rate",
        min_value=1e-8,
        max_value=1,
        help_text="How far each step goes. If the alarm sounds, take a tenth of it.",
    )
    weight_decay = forms.FloatField(
        label="Pull back to the start",
        min_value=0,
        max_value=100,
        help_text="Keeps a few photos from turning a good encoder's head. 0: none.",
    )
    held_out = forms.IntegerField(
        label="People held out, %",
        min_value=5,
        max_value=90,
        help_text="They are never learnt from: the report, and the thresholds, come from them.",
    )
    blocks = forms.IntegerField(
        label="Last blocks that learn",
        min_value=1,
        max_value=4,
        help_text="Of the encoder's 14. For “the last blocks” only.",
    )
    seed = forms.IntegerField(
        label="Seed",
        min_value=0,
        max_value=2**31 - 1,
        help_text="The same seed and photos give the same encoder.",
    )

    config: TrainingConfig

    def __init__(self, data: Any = None, **options: Any) -> None:
        options.setdefault("initial", initial_of(_DEFAULT))
        super().__init__(data, **options)
        for field in self.fields.values():
            if isinstance(field, forms.FloatField):
                field.widget.attrs["step"] = "any"

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        if not self.errors:
            numbers = {name: values[name] for name in _NUMBERS}
            try:
                self.config = TrainingConfig(
                    kind=TrainingKind(values["kind"]),
                    miner=MinerName(values["miner"]),
                    held_out_fraction=values["held_out"] / 100,
                    eval_every=max(1, values["steps"] // 24),
                    **numbers,
                )
            except ValueError as error:  # the fields' own bounds are narrower: a bug if it is seen
                raise forms.ValidationError("These numbers cannot be trained with.") from error
        return values


_NUMBERS = (
    "steps", "margin", "people_per_batch", "photos_per_person", "learning_rate", "weight_decay",
    "blocks", "seed",
)  # fmt: skip


def initial_of(config: TrainingConfig, name: str = "") -> dict[str, Any]:
    """The form's values for a configuration, to begin with or to repeat a run."""
    values = {number: getattr(config, number) for number in _NUMBERS}
    return values | {
        "name": name,
        "kind": config.kind.value,
        "miner": config.miner.value,
        "held_out": round(config.held_out_fraction * 100),
    }
