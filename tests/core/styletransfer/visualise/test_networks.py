"""What the networks are shown, and that their named layers are the networks' own."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from facerec.core.encoder import Encoder
from facerec.core.pipeline import FacePipeline
from facerec.seam import FaceSight
from styletransfer.core.features import _VGG19, NetworkExtractor
from styletransfer.core.lite import _MEAN
from styletransfer.core.visualise.mining import mine
from styletransfer.core.visualise.networks import SeenNetwork, build_network
from styletransfer.core.visualise.synthesis import excite
from tests.faces import draw_face


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder()


@pytest.fixture(scope="module")
def face(encoder) -> SeenNetwork:
    return build_network(FaceSight(FacePipeline.build(), encoder))


@pytest.fixture(scope="module")
def portrait() -> Image.Image:
    return draw_face(2).resize((320, 400))


def test_faces_are_shown_aligned_and_alone(face, portrait):
    two = Image.new("RGB", (640, 400))
    two.paste(portrait, (0, 0))
    two.paste(draw_face(1).resize((320, 400)), (320, 0))
    assert [view.size for view in face.views(two)] == [(150, 150)] * 2
    assert face.views(Image.new("RGB", (320, 240), "grey")) == []


def test_the_last_layer_is_what_the_encoder_projects(face, encoder, portrait):
    [view] = face.views(portrait)
    deepest = face.layers[-1].name
    with torch.inference_mode():
        features = face(face.prepare(view), [deepest])[deepest]
        encoding = features.mean((2, 3)) @ encoder.net.projection
    expected = encoder.encode(np.asarray(view)[None])
    np.testing.assert_allclose(encoding.numpy(), expected, atol=1e-4)


def test_layers_alone_are_what_they_are_together(face, seen, portrait):
    for network in (face, seen):
        picture = network.prepare(network.views(portrait)[0])
        names = [info.name for info in network.layers]
        with torch.inference_mode():
            together = network(picture, names)
            for info in network.layers:
                [(name, alone)] = network(picture, [info.name]).items()
                assert name == info.name
                assert torch.equal(alone, together[name])
                assert alone.shape[1] == info.units
                assert (alone >= 0).all()
        with pytest.raises(KeyError):
            network(picture, ["relu7_7"])


def test_a_mining_of_faces_gives_each_face_a_key_and_counts_pictures_without(face, portrait):
    two = Image.new("RGB", (640, 400))
    two.paste(portrait, (0, 0))
    two.paste(draw_face(1).resize((320, 400)), (320, 0))
    pictures = [("both", two), ("none", Image.new("RGB", (320, 240))), ("broken", None)]
    [progress] = mine(face, pictures)
    found = progress.findings
    assert (found.done, found.unreadable, found.faceless) == (3, 1, 1)
    assert found.kept() == {"both.0", "both.1"}
    assert {key: view.size for key, view in progress.entered.items()} == {
        "both.0": (150, 150),
        "both.1": (150, 150),
    }


def test_the_blank_colours_are_what_the_networks_subtract(face, seen, encoder):
    np.testing.assert_allclose(face.padding.blank, encoder.net.mean.flatten(), atol=1e-3)
    grey = torch.tensor(seen.padding.blank).view(1, 3, 1, 1) / 255
    torch.testing.assert_close(grey.flatten(), torch.full((3,), _MEAN))


def test_filters_are_the_first_layers_own(face, seen, encoder):
    assert face.filters().shape == (32, 3, 7, 7)
    assert torch.equal(face.filters(), encoder.net.stem.weight)
    assert seen.filters().shape == (16, 3, 3, 3)


def test_vgg19_is_mined_and_excited_like_lite(corpus):
    """Its architecture, with weights drawn at random."""
    torch.manual_seed(0)
    extractor = NetworkExtractor("vgg19", "drawn", _VGG19(), torch.device("cpu"), bf16=False)
    network = build_network(extractor)
    small = corpus[0][1].resize((48, 40))
    [progress] = mine(network, [("one", small), ("two", small.rotate(180))])
    for info in network.layers:
        hits = progress.findings.best(info.name)
        assert len(hits) == info.units
        assert any(hits)
    first, last = excite(network, "relu1_2", 5, steps=6, every=6)
    assert last.activation != first.activation
