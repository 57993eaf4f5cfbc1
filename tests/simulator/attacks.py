"""The species of presentation: a living person, and what pretends to be one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

from tests.simulator.living import Living
from tests.simulator.prints import BentPrint, CutOut, FlatPrint, SwappedPerson, SwappedPrints
from tests.simulator.screens import Replay, StillOnPhone
from tests.simulator.session import Presentation

_DEVICES: tuple[Literal["phone", "monitor"], ...] = ("phone", "monitor")

SPECIES: dict[str, Callable[[int], Presentation]] = {
    "bona_fide": Living,
    "flat_print": FlatPrint,
    "bent_print": BentPrint,
    "cut_out": CutOut,
    "swapped_prints": SwappedPrints,
    "swapped_person": SwappedPerson,
    "still_on_phone": StillOnPhone,
    "phone_replay": partial(Replay, on="phone"),
    "monitor_replay": partial(Replay, on="monitor"),
    "replay_right_order": lambda seed: Replay(seed, _DEVICES[seed // 2 % 2], luck=True),
}
