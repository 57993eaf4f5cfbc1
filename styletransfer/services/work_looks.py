"""Where in a photo a unit fires: the worker's side."""

from __future__ import annotations

import base64
import io
import time
from functools import partial
from typing import Any
from uuid import UUID

from PIL import Image

from styletransfer import runtime
from styletransfer.core.visualise.heat import heat, strongest
from styletransfer.core.visualise.networks import info_of
from styletransfer.services.looks import LOOK
from webapp.errors import UserFacingError
from webapp.uploads import to_jpeg

STRONGEST = 12


def give_look(user_id: int, look: UUID, network: str, layer: str, unit: int) -> None:
    """Look at the photo that waits, if it still does, and forget it."""
    LOOK.give(user_id, look, partial(_answer, name=network, layer=layer, unit=unit))


def _answer(photo: Image.Image, name: str, layer: str, unit: int) -> dict[str, Any]:
    began = time.perf_counter()
    network = runtime.seen_network(name)
    views = network.views(photo)
    if not views:
        raise UserFacingError(
            "no_face",
            "There is no face in this photo that the encoder could look at.",
            "Choose one with a face that looks into the camera, or another network.",
            status=422,
            field="photo",
        )
    view = views[0]
    seen = heat(network, view, layer, unit)
    box = info_of(network, layer).receptive.box_of(seen.row, seen.column)
    return {
        "peak": round(seen.peak, 5),
        "box": list(box.within(view.size)),
        "width": view.width,
        "height": view.height,
        "picture": base64.b64encode(to_jpeg(view, quality=90)).decode(),
        "overlay": base64.b64encode(_png(seen.overlay)).decode(),
        "strongest": [[n, round(a, 5)] for n, a in strongest(network, view, layer, STRONGEST)],
        "milliseconds": round(1000 * (time.perf_counter() - began), 1),
    }


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
