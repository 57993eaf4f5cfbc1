"""Where in a photo a unit fires, for whoever tries it: the web's side.

The faces' worker looks: it takes milliseconds, and must not wait for a painting.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from PIL import Image

from styletransfer.services.networks import check_network
from webapp.accounts.models import User
from webapp.jobs.photo_ask import PhotoAsk

LOOK = PhotoAsk("look", "styletransfer.tasks.look")
MAX_SIDE = 1280  # pixels: the network's own scale is smaller, a face in a photo may be small


def start_look(*, image: Image.Image, network: str, layer: str, unit: int, by: User) -> UUID:
    """Send a photo to a worker, to be looked at by one unit.

    Raises:
        UserFacingError: `no_such_network`, `weights_missing`; and as `PhotoAsk.start` does.
    """
    check_network(network)
    return LOOK.start(image, network, layer, unit, by=by)


def take_answer(*, look: UUID, by: User) -> dict[str, Any] | None:
    """What the unit saw, else as `PhotoAsk.take_answer` has it.

    {peak, box: [left, top, right, bottom], width, height, picture: JPEG in base64 as
    the network saw it, overlay: PNG in base64, strongest: [[unit, activation], …], milliseconds}.
    """
    return LOOK.take_answer(look, by=by)
