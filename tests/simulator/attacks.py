"""The species of presentation: a living person, and what pretends to be one."""

from __future__ import annotations

from collections.abc import Callable

from tests.simulator.living import Living
from tests.simulator.prints import BentPrint, CutOut, FlatPrint, SwappedPerson, SwappedPrints
from tests.simulator.session import Presentation

SPECIES: dict[str, Callable[[int], Presentation]] = {
    "bona_fide": Living,
    "flat_print": FlatPrint,
    "bent_print": BentPrint,
    "cut_out": CutOut,
    "swapped_prints": SwappedPrints,
    "swapped_person": SwappedPerson,
}
