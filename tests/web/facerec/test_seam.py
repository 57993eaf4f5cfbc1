"""What the style half may ask of faces."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from facerec.core.network_layers import LAYERS
from facerec.encoders import SHIPPED
from facerec.runtime import runtime
from facerec.seam import sight
from tests.faces import draw_face

pytestmark = pytest.mark.django_db


def test_the_encoder_in_use_is_looked_into_without_a_second_copy():
    seen = sight()
    net = runtime().encoder_of(SHIPPED).net
    assert seen.filters().data_ptr() == net.stem.weight.data_ptr()
    assert seen.version == SHIPPED.backbone


def test_the_faces_of_a_picture_are_given_as_the_encoder_is_shown_them():
    import torch

    seen = sight()
    portrait = draw_face(2)
    [chip] = seen.chips(portrait)
    encoded = runtime().pipeline.one_face(portrait)
    assert np.array_equal(chip, encoded.chip)
    assert seen.chips(Image.new("RGB", (200, 200), "grey")) == []
    x = torch.from_numpy(chip.copy()).permute(2, 0, 1)[None].float()
    assert list(seen.activations(x, LAYERS)) == list(LAYERS)
