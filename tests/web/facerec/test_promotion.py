"""An encoder is put in use and taken back: seen by the very next photo, and nobody is compared
across backbones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from facerec.core.adapter import Adapter
from facerec.core.calibration import OperatingPoints, calibrate
from facerec.core.distance import squared_distance
from facerec.core.error_rates import LabelledSet
from facerec.core.fine_tuned import FineTunedBlocks
from facerec.core.heads import RuleName, fit_head
from facerec.core.versions import ALIGNER_VERSION, BACKBONE_VERSION
from facerec.crops import unseal
from facerec.encoders import SHIPPED, active, shown
from facerec.models import (
    Calibration,
    EncoderVersion,
    FaceTemplate,
    KeptCrop,
    Promotion,
    Reencoding,
    Subject,
)
from facerec.runtime import runtime
from facerec.services.attempts import start_verification
from facerec.services.calibration import record_calibration
from facerec.services.crops import keep_crops
from facerec.services.encoders import (
    consequences,
    delete_encoder,
    people_without_templates,
    promote,
    roll_back,
)
from facerec.services.presence import presence_of
from facerec.services.work_reencoding import run_reencoding
from tests.people import ADA, BOB, portrait
from tests.web.facerec.conftest import answered, enrolled, identified, verified
from tests.web.facerec.live import ended, frame_of
from webapp.accounts.models import User
from webapp.errors import UserFacingError
from webapp.jobs.models import Status
from webapp.jobs.runner import run_job

PEOPLE, PHOTOS = 40, 4


def drawn_set(scale: float = 1.0) -> tuple[np.ndarray, list[str]]:
    """Encodings of forty people whose photos lie close together, as an encoder has them that
    spreads all by `scale`."""
    rng = np.random.default_rng(7)
    centres = rng.normal(0, 0.045, (PEOPLE, 128))
    photos = centres[:, None] + rng.normal(0, 0.012, (PEOPLE, PHOTOS, 128))
    people = [str(person) for person in range(PEOPLE) for _ in range(PHOTOS)]
    return (scale * photos.reshape(-1, 128)).astype(np.float32), people


def points_of(name: str, rule: str, dissimilarity: Any, scale: float) -> OperatingPoints:
    encodings, people = drawn_set(scale)
    options = {} if dissimilarity is None else {"dissimilarity": dissimilarity}
    labelled = LabelledSet.of(encodings, people, **options)
    return calibrate("drawn", labelled, encoder_version=name, decision_rule=rule)


@pytest.fixture
def files(settings: Any, tmp_path: Path) -> Path:
    settings.ENCODERS_DIR = tmp_path
    settings.CROPS_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    return tmp_path


@pytest.fixture
def doubled(files: Path, administrator: User) -> EncoderVersion:
    """An adapter that doubles every number, so that distances are four times as large; with a
    head, and with thresholds for both rules."""
    adapter = Adapter(2 * np.eye(128), version="club-1")
    name = adapter.encoder_version
    encodings, people = drawn_set(2.0)
    order = np.arange(len(people))
    first = order
    other = (order + PHOTOS * 3) % len(people)
    head = fit_head(
        RuleName.ABSOLUTE,
        encodings[np.r_[first, first]],
        encodings[np.r_[first - first % PHOTOS, other]],
        np.r_[np.ones(len(first), bool), np.zeros(len(first), bool)],
    )
    row = EncoderVersion.objects.create(
        name=name,
        backbone=BACKBONE_VERSION,
        aligner=ALIGNER_VERSION,
        weights="club-1.safetensors",
        sha256=adapter.save(files / "club-1.safetensors"),
        heads={
            "absolute": {
                "weights": "head.safetensors",
                "sha256": head.save(files / "head.safetensors"),
            }
        },
    )
    points = {
        "distance": points_of(name, "distance", None, 2.0),
        "absolute": points_of(name, "absolute", head, 2.0),
    }
    record_calibration(name="drawn", row=row, points=points, by=administrator)
    return row


@pytest.fixture
def tuned(files: Path, administrator: User) -> EncoderVersion:
    """The shipped net with a slightly turned projection: a backbone of its own."""
    from facerec.core.dlib_weights import load_face_net

    projection = load_face_net(None).projection * 1.01
    blocks = FineTunedBlocks("club-1-net", {"projection": projection.astype(np.float32)})
    row = EncoderVersion.objects.create(
        name="club-1-net",
        backbone="club-1-net",
        aligner=ALIGNER_VERSION,
        net="net.safetensors",
        net_sha256=blocks.save(files / "net.safetensors"),
    )
    points = {"distance": points_of(row.name, "distance", None, 1.0)}
    record_calibration(name="drawn", row=row, points=points, by=administrator)
    return row


def test_an_adapter_decides_from_the_next_photo_on_and_rewrites_no_template(
    administrator: User, doubled: EncoderVersion
) -> None:
    ada = enrolled(administrator)
    stored = list(FaceTemplate.objects.values_list("pk", "encoding"))
    before = verified(administrator, ada, portrait(ADA, 1))
    promote(row=doubled, by=administrator)
    after = verified(administrator, ada, portrait(ADA, 1))
    probe = runtime().pipeline.one_face(portrait(ADA, 1)).encoding
    template = FaceTemplate.unpack([ada.templates.get().encoding])[0]
    assert after.distance == pytest.approx(4 * squared_distance(template, probe), rel=1e-4)
    assert after.threshold != before.threshold
    assert (before.encoder_version, after.encoder_version) == (SHIPPED.name, doubled.name)
    found = identified(administrator, portrait(ADA, 1))
    assert found.distance == pytest.approx(after.distance, rel=1e-4)
    assert found.encoder_version == doubled.name
    assert roll_back(by=administrator) == SHIPPED.name
    again = verified(administrator, ada, portrait(ADA, 1))
    assert (again.distance, again.threshold) == (before.distance, before.threshold)
    assert list(FaceTemplate.objects.values_list("pk", "encoding")) == stored
    assert roll_back(by=administrator) == doubled.name


def test_a_live_checks_frame_is_encoded_by_what_is_in_use_when_it_is_compared(
    administrator: User, doubled: EncoderVersion
) -> None:
    ada = enrolled(administrator)
    session = ended(administrator, face=frame_of(portrait(ADA, 1)))  # under the shipped encoder
    promote(row=doubled, by=administrator)
    presence = presence_of(
        mode="verification", by=administrator, session=session.pk, has_photo=False
    )
    by_frame = answered(start_verification(subject=ada, by=administrator, presence=presence))
    by_photo = verified(administrator, ada, frame_of(portrait(ADA, 1)))
    assert by_frame.encoder_version == doubled.name
    assert by_frame.distance == by_photo.distance


def test_each_change_is_logged_with_its_author(
    administrator: User, doubled: EncoderVersion
) -> None:
    promote(row=doubled, by=administrator)
    roll_back(by=administrator)
    lines = list(LogEntry.objects.order_by("pk").values_list("user__username", "change_message"))
    assert [user for user, _ in lines[-2:]] == ["grace", "grace"]
    assert doubled.name in lines[-2][1]
    assert SHIPPED.name in lines[-1][1]
    assert [p.encoder for p in Promotion.objects.order_by("pk")] == [doubled, None]


def test_a_head_decides_verification_and_identification_stays_with_distance(
    administrator: User, doubled: EncoderVersion
) -> None:
    ada = enrolled(administrator)
    promote(row=doubled, rule="absolute", by=administrator)
    told = verified(administrator, ada, portrait(ADA))
    assert told.decision_rule == "absolute"
    assert 0 <= told.distance < told.threshold <= 1
    assert told.outcome == "match"
    found = identified(administrator, portrait(ADA))
    assert found.decision_rule == "distance"
    assert roll_back(by=administrator) == SHIPPED.name


class TestRefusals:
    def test_without_thresholds(self, administrator: User, doubled: EncoderVersion) -> None:
        Calibration.objects.all().delete()
        with pytest.raises(UserFacingError) as told:
            promote(row=doubled, by=administrator)
        assert told.value.code == "not_calibrated"
        assert active() == SHIPPED

    def test_without_thresholds_for_the_rule(
        self, administrator: User, doubled: EncoderVersion
    ) -> None:
        calibration = Calibration.objects.get()
        del calibration.points["absolute"]
        calibration.save()
        with pytest.raises(UserFacingError) as told:
            promote(row=doubled, rule="absolute", by=administrator)
        assert told.value.code == "not_calibrated"

    def test_an_unknown_rule(self, administrator: User, doubled: EncoderVersion) -> None:
        for row, rule in ((doubled, "chi2"), (None, "absolute")):
            with pytest.raises(UserFacingError) as told:
                promote(row=row, rule=rule, by=administrator)
            assert told.value.code == "rule_unknown"

    def test_a_file_that_was_changed(
        self, administrator: User, doubled: EncoderVersion, files: Path
    ) -> None:
        Adapter(3 * np.eye(128), version="club-1").save(files / "club-1.safetensors")
        with pytest.raises(UserFacingError) as told:
            promote(row=doubled, by=administrator)
        assert told.value.code == "encoder_unusable"

    def test_what_is_in_use_already(self, administrator: User, files: Path) -> None:
        with pytest.raises(UserFacingError) as told:
            promote(row=None, by=administrator)
        assert told.value.code == "already_in_use"

    def test_a_rollback_without_a_history(self, administrator: User) -> None:
        with pytest.raises(UserFacingError) as told:
            roll_back(by=administrator)
        assert told.value.code == "nothing_to_roll_back"

    def test_an_encoder_that_was_in_use_stays_listed(
        self, administrator: User, doubled: EncoderVersion
    ) -> None:
        promote(row=doubled, by=administrator)
        roll_back(by=administrator)
        with pytest.raises(UserFacingError) as told:
            delete_encoder(row=doubled)
        assert told.value.code == "encoder_in_history"


@pytest.mark.django_db(transaction=True)
def test_a_deleted_encoder_takes_its_files_and_thresholds_along(
    administrator: User, doubled: EncoderVersion, files: Path
) -> None:
    delete_encoder(row=doubled)
    assert not list(files.iterdir())
    assert not Calibration.objects.exists()


class TestAnotherBackbone:
    def test_nobody_is_compared_with_it_who_has_no_crop(
        self, administrator: User, tuned: EncoderVersion
    ) -> None:
        ada = enrolled(administrator)
        assert not KeptCrop.objects.exists()  # off by default
        follows = consequences_of(tuned)
        assert (follows.comparable, follows.from_crops, follows.lost) == (0, 0, 1)
        assert promote(row=tuned, by=administrator) is None
        told = verified(administrator, ada, portrait(ADA, 1))
        assert (told.outcome, told.reason) == ("cannot_decide", "other_version")
        assert identified(administrator, portrait(ADA, 1)).reason == "empty_gallery"
        assert list(people_without_templates(tuned.backbone)) == [ada]
        bob = enrolled(administrator, BOB, who="Bob Example")
        assert bob.templates.get().encoder_version == "club-1-net"
        assert verified(administrator, bob, portrait(BOB, 1)).outcome == "match"
        roll_back(by=administrator)
        assert verified(administrator, ada, portrait(ADA, 1)).outcome == "match"
        assert verified(administrator, bob, portrait(BOB, 1)).reason == "other_version"

    def test_crops_bring_everybody_along_before_it_is_put_in_use(
        self, administrator: User, tuned: EncoderVersion
    ) -> None:
        keep_crops(keep=True, by=administrator)
        ada = enrolled(administrator)
        crop = KeptCrop.objects.get()
        assert unseal(crop.sealed).shape == (150, 150, 3)
        follows = consequences_of(tuned)
        assert (follows.from_crops, follows.lost) == (1, 0)
        job = promote(row=tuned, by=administrator)
        assert job is not None
        assert active() == SHIPPED
        with pytest.raises(UserFacingError, match="being prepared"):
            promote(row=tuned, by=administrator)
        run_job(Reencoding, str(job.pk), run_reencoding)
        job.refresh_from_db()
        assert (job.status, job.done, job.total) == (Status.DONE, 1, 1)
        assert active().name == "club-1-net"
        assert verified(administrator, ada, portrait(ADA, 1)).outcome == "match"
        assert sorted(ada.templates.values_list("encoder_version", flat=True)) == [
            "club-1-net",
            BACKBONE_VERSION,
        ]
        roll_back(by=administrator)
        assert verified(administrator, ada, portrait(ADA, 1)).outcome == "match"

    def test_cancelled_it_is_not_put_in_use(
        self, administrator: User, tuned: EncoderVersion
    ) -> None:
        from webapp.jobs.dispatch import ask
        from webapp.jobs.models import Request

        keep_crops(keep=True, by=administrator)
        enrolled(administrator)
        job = promote(row=tuned, by=administrator)
        assert job is not None
        ask(job, Request.CANCEL)
        run_job(Reencoding, str(job.pk), run_reencoding)
        assert active() == SHIPPED


def consequences_of(row: EncoderVersion) -> Any:
    from facerec.encoders import as_active

    return consequences(as_active(row))


class TestCrops:
    def test_they_go_with_their_template(self, administrator: User, files: Path) -> None:
        keep_crops(keep=True, by=administrator)
        ada = enrolled(administrator)
        assert KeptCrop.objects.count() == 1
        Subject.objects.get(pk=ada.pk).delete()
        assert not KeptCrop.objects.exists()

    def test_switched_off_all_are_deleted(self, administrator: User, files: Path) -> None:
        keep_crops(keep=True, by=administrator)
        enrolled(administrator)
        assert keep_crops(keep=False, by=administrator) == 1
        assert not KeptCrop.objects.exists()
        enrolled(administrator, BOB, who="Bob Example")
        assert not KeptCrop.objects.exists()


class TestPages:
    def test_put_in_use_and_back(
        self, signed_in: Callable[[User], Client], administrator: User, doubled: EncoderVersion
    ) -> None:
        client = signed_in(administrator)
        page = client.get(reverse("facerec:encoder", args=[doubled.pk])).content.decode()
        assert "Put it in use" in page
        client.post(
            reverse("facerec:encoder_promote", args=[doubled.pk]), {"decision_rule": "distance"}
        )
        assert active().name == doubled.name
        page = client.get(reverse("facerec:encoders")).content.decode()
        assert f"Roll back to {SHIPPED.name}" in page
        client.post(reverse("facerec:encoders_back"))
        assert active() == SHIPPED

    def test_who_would_be_lost_has_to_be_known(
        self, signed_in: Callable[[User], Client], administrator: User, tuned: EncoderVersion
    ) -> None:
        enrolled(administrator)
        client = signed_in(administrator)
        url = reverse("facerec:encoder_promote", args=[tuned.pk])
        response = client.post(url, {"decision_rule": "distance"})
        assert response.status_code == 422
        assert active() == SHIPPED
        page = client.get(reverse("facerec:encoders_people"), {"encoder": tuned.pk})
        assert "Ada Example" in page.content.decode()
        client.post(url, {"decision_rule": "distance", "known": "yes"})
        assert active().name == tuned.name
        assert "1 person" in client.get(reverse("facerec:encoders")).content.decode()

    def test_crops_are_switched(
        self, signed_in: Callable[[User], Client], administrator: User, files: Path
    ) -> None:
        client = signed_in(administrator)
        for keep, shown_then in (("yes", "Crops are kept"), ("no", "No crops are kept")):
            client.post(reverse("facerec:encoders_crops"), {"keep": keep})
            assert shown_then in client.get(reverse("facerec:encoders")).content.decode()


def test_a_heads_numbers_are_shown_as_chances() -> None:
    assert shown(0.3, "distance") == 0.3
    assert shown(0.0, "absolute") == 0.5
    assert shown(-2.0, "chi2") == pytest.approx(1 / (1 + np.exp(2)))
    assert shown(-1e9, "chi2") == pytest.approx(0)
