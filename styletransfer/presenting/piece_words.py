"""What the pages of pieces say: titles, labels, hints, and what filters and sliders mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from styletransfer.forms.pictures import EXTRACTOR_NAMES


@dataclass(frozen=True)
class InputWords:
    """One input on the form. heading: over it. label, invitation: of its drop zone. caption: under
    it on the piece's page."""

    heading: str
    label: str
    invitation: str
    caption: str


@dataclass(frozen=True)
class Words:
    """What the form of one medium and goal says."""

    goal: str
    hint: str
    lead: str
    inputs: Mapping[str, InputWords]
    numbers: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # name → (label, hint)


TITLES = {
    "sound": "Make a sound",
    "signal": "Make a signal",
    "volume": "Make a volume",
    "clip": "Paint a clip",
}
MEDIA = {"sound": "Sound", "signal": "Signal", "volume": "Volume", "clip": "Clip"}

TAKEN = {
    "sound": "Up to a minute of it.",
    "signal": "A CSV has a column of times, or a line such as “# rate: 360”.",
    "volume": "What has more than 128³ voxels is averaged to that.",
    "clip": "At most ten seconds of it are taken, 96 frames.",
}
"""How much of a file is read."""

SOUND_LENGTH = ("Length in seconds", "Up to a minute. Time and memory grow with it.")
STEPS = ("Steps", "More is finer, and takes longer.")
WORDS: Mapping[tuple[str, str], Words] = {
    ("sound", "transfer"): Words(
        "The timbre of another",
        "what is played, in the voice of something else",
        "One sound says what is played, another how it sounds. Listen while the one takes on the "
        "timbre of the other.",
        {
            "content": InputWords(
                "What is played", "Content: a sound", "Drop a sound here", "Content, what is played"
            ),
            "style": InputWords(
                "How it sounds", "Style: another sound", "Drop a sound here", "Style, its timbre"
            ),
        },
        {"seconds": SOUND_LENGTH, "steps": STEPS},
    ),
    ("sound", "texture"): Words(
        "More of the same",
        "another stretch of rain, of a crowd, of a bell",
        "From a few seconds of a sound comes as much of it as you want, never twice the same.",
        {
            "style": InputWords(
                "The example", "Example: a sound", "Drop a sound here", "The example"
            )
        },
        {"seconds": SOUND_LENGTH, "steps": STEPS},
    ),
    ("signal", "texture"): Words(
        "More of the same",
        "another stretch of it",
        "From a recording, an ECG say, comes another stretch that has its beats and its manner, "
        "and is no copy.",
        {
            "style": InputWords(
                "The example",
                "Example: a signal",
                "Drop a CSV or EDF here",
                "The example",
            )
        },
        {"seconds": ("Length in seconds", "At the example’s own rate."), "steps": STEPS},
    ),
    ("volume", "texture"): Words(
        "From a volume",
        "more of a scan’s or a simulation’s fabric",
        "From a small block of something, foam or bone or rock, comes another that is built the "
        "same way.",
        {
            "style": InputWords(
                "The example", "Example: a volume", "Drop a volume here", "The example"
            )
        },
        {
            "size": ("Size, voxels a side", "Time and memory grow with its cube."),
            "steps": STEPS,
        },
    ),
    ("volume", "solid"): Words(
        "From a picture",
        "a solid that looks like it wherever it is cut",
        "From a flat picture of a material comes a solid block of it: cut it anywhere, and it "
        "looks like the picture.",
        {
            "style": InputWords(
                "The material", "Example: a picture", "Drop a picture here", "The material"
            )
        },
        {
            "size": ("Size, voxels a side", "Time and memory grow with its cube."),
            "steps": STEPS,
        },
    ),
    ("clip", "transfer"): Words(
        "In the manner of a painting",
        "a moving picture that does not flicker",
        "A short clip says what is seen, a painting says how; and what moves keeps its "
        "brushstrokes.",
        {
            "content": InputWords(
                "What is seen",
                "Content: a clip",
                "Drop a GIF or a video here",
                "Content, what is seen",
            ),
            "style": InputWords(
                "How it is seen",
                "Style: a painting",
                "Drop a painting here",
                "Style, how it is seen",
            ),
        },
        {
            "size": ("Size, longest side in pixels", "Time grows with its square."),
            "steps": ("Steps", "Of the whole clip. More is finer, and takes longer."),
        },
    ),
}

FILTERS = {
    "random": (
        "Random",
        "convolutions drawn by chance and never trained; it is their number and sizes that count",
    ),
    "lite": (EXTRACTOR_NAMES["lite"], "the house’s own small network, trained on pictures"),
    "vgg19": (EXTRACTOR_NAMES["vgg19"], "the network of the paper, about ten times slower"),
}
SEEN_AS = {
    "sound": "it looks at the spectrogram",
    "volume": "it looks at slices along three axes",
    "clip": "it looks at every frame",
}
"""How a network that was trained on pictures sees what is none."""
SLIDERS = {
    "style_weight": ("Between content and style", "closer to the content", "closer to the style"),
    "steadiness": (
        "How firmly a frame is held to the ones before it",
        "each for itself",
        "as steady as can be",
    ),
}
MEANINGS = {
    "style_weight": (
        (20, "the content, lightly touched"),
        (40, "the content leads"),
        (60, "in balance"),
        (80, "the style leads"),
        (101, "the style almost alone"),
    ),
    "steadiness": (
        (1, "it may flicker"),
        (34, "loosely held"),
        (67, "steady"),
        (101, "firmly held"),
    ),
}


def meaning_of(name: str, value: Any) -> str:
    """What a place of a slider means, in words."""
    try:
        place = float(value)
    except (TypeError, ValueError):
        return ""
    return next((words for below, words in MEANINGS[name] if place < below), "")


def filter_words(medium: str, name: str) -> tuple[str, str]:
    """What filters are called, and a clause on what they are."""
    label, hint = FILTERS.get(name, (name, ""))
    return label, hint if name == "random" else f"{hint}; {SEEN_AS.get(medium, '')}".strip("; ")
