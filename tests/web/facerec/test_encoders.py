"""The encoder in use: adapters apply wherever encodings are compared; nothing is rewritten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from facerec.core.adapter import Adapter
from facerec.core.errors import EncoderUnusable, WeightsCorrupt
from facerec.core.versions import ALIGNER_VERSION, BACKBONE_VERSION
from facerec.encoders import SHIPPED, active, adapter_of
from facerec.models import EncoderVersion, FacePolicy, FaceTemplate, GalleryVersion, Subject

pytestmark = pytest.mark.django_db

NewEncoder = Callable[..., EncoderVersion]


@pytest.fixture
def new_encoder(settings: Any, tmp_path: Any) -> NewEncoder:
    """An encoder of this backbone whose adapter multiplies by two."""
    settings.ENCODERS_DIR = tmp_path

    def make(name: str = "club-1", **fields: Any) -> EncoderVersion:
        adapter = Adapter(2 * np.eye(128), version=name)
        sha256 = adapter.save(tmp_path / f"{name}.safetensors")
        values = {
            "name": adapter.encoder_version,
            "backbone": BACKBONE_VERSION,
            "aligner": ALIGNER_VERSION,
            "weights": f"{name}.safetensors",
            "sha256": sha256,
        }
        return EncoderVersion.objects.create(**(values | fields))

    return make


@pytest.fixture
def subject() -> Subject:
    now = timezone.now()
    return Subject.objects.create(name="Ada Example", external_id="ada", consent_given_at=now)


def use(row: EncoderVersion | None) -> None:
    FacePolicy.objects.update_or_create(pk=1, defaults={"encoder": row})
    GalleryVersion.change()


def template(subject: Subject, **fields: Any) -> FaceTemplate:
    values = {
        "encoding": FaceTemplate.pack(np.full(128, 0.1, np.float32)),
        "encoder_version": BACKBONE_VERSION,
        "aligner_version": ALIGNER_VERSION,
    }
    return FaceTemplate.objects.create(subject=subject, **(values | fields))


def test_without_a_choice_the_shipped_encoder_is_active() -> None:
    assert active() == SHIPPED
    assert active().backbone == BACKBONE_VERSION


def test_the_policy_names_the_active_encoder(new_encoder: NewEncoder) -> None:
    row = new_encoder()
    use(row)
    assert (active().name, active().pk) == (f"{BACKBONE_VERSION}+club-1", row.pk)
    encodings = np.ones((3, 128), np.float32)
    np.testing.assert_array_equal(adapter_of(active())(encodings), 2 * encodings)
    use(None)
    assert active() == SHIPPED


def test_a_file_that_was_changed_is_not_loaded(new_encoder: NewEncoder, tmp_path: Any) -> None:
    use(new_encoder())
    Adapter(3 * np.eye(128), version="club-1").save(tmp_path / "club-1.safetensors")
    with pytest.raises(WeightsCorrupt):
        adapter_of(active())


def test_an_encoder_of_another_release_is_refused(new_encoder: NewEncoder) -> None:
    use(new_encoder(aligner="dlib-5point-150-v0"))
    with pytest.raises(EncoderUnusable):
        adapter_of(active())
    use(new_encoder("club-2", backbone="another-net"))
    with pytest.raises(EncoderUnusable):
        adapter_of(active())


def test_current_templates_are_those_of_the_backbone_in_use(
    new_encoder: NewEncoder, subject: Subject
) -> None:
    ours = template(subject)
    theirs = template(subject, encoder_version="club-net")
    old = template(subject, aligner_version="dlib-5point-150-v0")
    assert [ours.is_current, theirs.is_current, old.is_current] == [True, False, False]
    use(new_encoder())  # an adapter: the same backbone
    assert list(FaceTemplate.current.all()) == [ours]
    use(new_encoder("club-2", backbone="club-net", net="club-net.safetensors"))
    assert list(FaceTemplate.current.all()) == [theirs]
