"""Verification and identification, decided by the real core, and the line that stays in the log."""

from __future__ import annotations

import pytest
from PIL import Image

from facerec.core.adapter import shipped
from facerec.core.distance import squared_distance
from facerec.core.types import Outcome, Reason
from facerec.core.versions import ALIGNER_VERSION, ENCODER_VERSION
from facerec.models import Attempt, AttemptFace, FacePolicy, FaceTemplate, Mode
from facerec.runtime import runtime
from facerec.services.attempts import find_subject, start_verification
from facerec.services.enrolment import Photo, add_photos, delete_subject
from facerec.services.photos import PROBE_LIFE, probe_key
from facerec.thresholds import identification_point, verification_point
from tests.people import ADA, BOB, blurred, group, nobody, portrait, tiny
from tests.web.facerec.conftest import (
    answered,
    enrolled,
    identified,
    judged,
    take_up,
    twin_of,
    verified,
)
from webapp.accounts.models import User
from webapp.errors import UserFacingError
from webapp.jobs.models import Status
from webapp.jobs.redis import client


@pytest.fixture
def ada(administrator: User):
    return enrolled(administrator)


class TestVerification:
    def test_the_same_person_matches(self, ada, operator: User) -> None:
        attempt = verified(operator, ada, portrait(ADA, 1))
        assert attempt.status == Status.DONE
        assert attempt.outcome == Outcome.MATCH
        template = FaceTemplate.unpack([ada.templates.get().encoding])[0]
        probe = runtime().pipeline.one_face(portrait(ADA, 1)).encoding
        adapted = squared_distance(shipped()(template), shipped()(probe))
        assert attempt.distance == pytest.approx(float(adapted), rel=1e-4)
        assert 0 < attempt.distance <= attempt.threshold
        assert attempt.reason == ""

    def test_another_person_does_not(self, ada, operator: User) -> None:
        attempt = verified(operator, ada, portrait(BOB))
        assert attempt.outcome == Outcome.NO_MATCH
        assert attempt.distance > attempt.threshold

    @pytest.mark.parametrize(
        ("make", "reason"),
        [
            (nobody, Reason.NO_FACE),
            (group, Reason.SEVERAL_FACES),
            (tiny, Reason.TOO_SMALL),
            (blurred, Reason.TOO_BLURRED),
        ],
    )
    def test_cannot_decide(self, ada, operator: User, make, reason: Reason) -> None:
        attempt = verified(operator, ada, make())
        assert (attempt.outcome, attempt.reason) == (Outcome.CANNOT_DECIDE, reason)
        assert attempt.distance is None
        assert attempt.sentence == reason.sentence

    def test_templates_of_another_version_are_not_compared(self, ada, operator: User) -> None:
        FaceTemplate.objects.update(aligner_version="of yesterday")
        attempt = verified(operator, ada, portrait(ADA))
        assert (attempt.outcome, attempt.reason) == (Outcome.CANNOT_DECIDE, Reason.OTHER_VERSION)

    def test_somebody_without_a_template(self, ada, operator: User) -> None:
        ada.templates.get().delete()
        attempt = verified(operator, ada, portrait(ADA))
        assert attempt.reason == Reason.NOT_ENROLLED

    def test_the_nearest_template_decides(self, ada, administrator: User) -> None:
        judged(add_photos(subject=ada, photos=[Photo("b", portrait(ADA, 1))], by=administrator))
        attempt = verified(administrator, ada, portrait(ADA, 1))
        assert attempt.distance == pytest.approx(0, abs=1e-9)
        assert attempt.gallery_size == 2
        assert attempt.threshold == verification_point(2).threshold


class TestIdentification:
    def test_each_face_has_its_answer(self, ada, operator: User) -> None:
        photo = group()
        attempt = identified(operator, photo)
        known, stranger = sorted(attempt.faces.all(), key=lambda face: face.x)
        assert (known.outcome, known.subject) == (Outcome.MATCH, ada)
        assert (stranger.outcome, stranger.subject) == (Outcome.NOT_RECOGNIZED, None)
        assert known.distance <= attempt.threshold < stranger.distance
        assert known.x + known.w <= photo.width // 2 < stranger.x
        assert attempt.outcome == Outcome.MATCH
        assert (attempt.width, attempt.height) == photo.size

    def test_a_stranger(self, ada, operator: User) -> None:
        attempt = identified(operator, portrait(BOB))
        assert attempt.outcome == Outcome.NOT_RECOGNIZED
        assert attempt.sentence == ""

    def test_the_right_one_of_two(self, ada, administrator: User) -> None:
        bob = enrolled(administrator, BOB, who="Bob Example")
        attempt = identified(administrator, portrait(BOB, 1))
        assert attempt.faces.get().subject == bob

    def test_the_runner_up_and_the_margin(self, ada, administrator: User) -> None:
        bob = enrolled(administrator, BOB, who="Bob Example")
        face = identified(administrator, portrait(ADA, 1)).faces.get()
        assert (face.subject, face.runner_up) == (ada, bob)
        assert face.attempt.threshold < face.margin < 1
        stranger = identified(administrator, portrait(2)).faces.get()
        assert (stranger.subject, stranger.runner_up) == (
            None,
            None,
        )  # whom they resemble is not kept
        assert stranger.margin >= 0

    def test_two_people_too_close_are_not_decided_between(self, ada, administrator: User) -> None:
        twin = twin_of(ada)
        attempt = identified(administrator, portrait(ADA, 1))
        assert (attempt.outcome, attempt.reason) == (Outcome.CANNOT_DECIDE, Reason.TOO_CLOSE)
        face = attempt.faces.get()
        assert {face.subject, face.runner_up} == {ada, twin}
        assert face.margin == 0
        FacePolicy.objects.create(pk=1, margin_share=0)
        assert identified(administrator, portrait(ADA, 1)).outcome == Outcome.MATCH

    def test_the_threshold_tightens_with_the_gallery(self, ada, administrator: User) -> None:
        with_one = identified(administrator, portrait(BOB)).threshold
        template = ada.templates.get()
        for _ in range(49):
            template.pk = None
            template.save(force_insert=True)
        attempt = identified(administrator, portrait(BOB))
        assert attempt.gallery_size == 50
        assert attempt.threshold < with_one
        assert with_one == identification_point(1).threshold
        assert attempt.threshold == identification_point(50).threshold
        assert attempt.operating_point["fpir"] == pytest.approx(1e-2)

    def test_nobody_on_the_photo(self, ada, operator: User) -> None:
        attempt = identified(operator, nobody())
        assert (attempt.outcome, attempt.reason) == (Outcome.CANNOT_DECIDE, Reason.NO_FACE)
        assert not attempt.faces.exists()

    def test_nobody_enrolled(self, operator: User) -> None:
        attempt = identified(operator, portrait(ADA))
        assert attempt.faces.get().reason == Reason.EMPTY_GALLERY
        assert attempt.outcome == Outcome.CANNOT_DECIDE

    def test_a_face_too_small_to_compare(self, ada, operator: User) -> None:
        face = identified(operator, tiny()).faces.get()
        assert (face.outcome, face.reason) == (Outcome.CANNOT_DECIDE, Reason.TOO_SMALL)

    def test_boxes_are_in_pixels_of_what_was_sent(self, ada, operator: User) -> None:
        image = portrait(ADA)
        as_sent = image.copy()
        as_sent.info["sent_size"] = (2 * image.width, 2 * image.height)
        whole, halved = identified(operator, image), identified(operator, as_sent)
        assert halved.faces.get().box == [2 * side for side in whole.faces.get().box]


class TestProbe:
    def test_it_is_gone_after_the_answer(self, ada, operator: User) -> None:
        attempt = start_verification(subject=ada, image=portrait(ADA), by=operator)
        assert 0 < client().ttl(probe_key(attempt.pk)) <= PROBE_LIFE
        answered(attempt)
        assert not client().exists(probe_key(attempt.pk))

    def test_it_is_gone_after_an_error(self, ada, operator: User, monkeypatch) -> None:
        attempt = start_verification(subject=ada, image=portrait(ADA), by=operator)
        monkeypatch.setattr(runtime().pipeline, "one_face", lambda image: 1 / 0)
        assert answered(attempt).status == Status.FAILED
        assert attempt.error["code"] == "internal_error"
        assert not client().exists(probe_key(attempt.pk))

    def test_a_lost_one_is_asked_for_again(self, ada, operator: User) -> None:
        attempt = start_verification(subject=ada, image=portrait(ADA), by=operator)
        client().flushall()  # Redis came back empty
        answered(attempt)
        assert (attempt.outcome, attempt.reason) == (Outcome.CANNOT_DECIDE, "interrupted")
        assert "Send it again" in attempt.sentence

    def test_an_answer_is_not_overwritten_by_a_second_run(self, ada, operator: User) -> None:
        """The worker was killed between the answer and the end of the job."""
        attempt = verified(operator, ada, portrait(ADA, 1))
        Attempt.objects.update(status=Status.RUNNING)
        assert answered(attempt).outcome == Outcome.MATCH
        assert attempt.status == Status.DONE


class TestLog:
    def test_what_a_line_holds(self, ada, operator: User) -> None:
        attempt = verified(operator, ada, portrait(ADA, 1))
        point = verification_point(1)
        assert attempt.mode == Mode.VERIFICATION
        assert (attempt.owner, attempt.operator) == (operator, "olive")
        assert attempt.subject == ada
        assert attempt.threshold == point.threshold
        assert attempt.operating_point["fmr"] == pytest.approx(1e-3)
        assert attempt.operating_point["fnmr"] == point.fnmr
        assert (attempt.encoder_version, attempt.aligner_version) == (
            ENCODER_VERSION,
            ALIGNER_VERSION,
        )

    def test_no_column_could_hold_a_photo(self) -> None:
        kinds = {f.get_internal_type() for m in (Attempt, AttemptFace) for f in m._meta.fields}
        assert not kinds & {"BinaryField", "FileField", "ImageField"}

    def test_a_deleted_person_is_named_nowhere(self, ada, administrator: User) -> None:
        attempts = [
            verified(administrator, ada, portrait(ADA, 1)),
            identified(administrator, portrait(ADA, 1)),
        ]
        delete_subject(subject=ada)
        for attempt in attempts:
            attempt.refresh_from_db()
            assert attempt.outcome == Outcome.MATCH
            assert attempt.operator == "grace"
            everything = str(Attempt.objects.filter(pk=attempt.pk).values().get())
            everything += str(list(attempt.faces.values()))
            assert "Ada" not in everything
            assert "'ada'" not in everything
            assert attempt.subject is None
        assert attempts[1].faces.get().subject is None

    def test_the_line_outlives_the_operator(self, ada, operator: User) -> None:
        attempt = verified(operator, ada, portrait(ADA, 1))
        operator.delete()
        attempt.refresh_from_db()
        assert (attempt.owner, attempt.operator) == (None, "olive")


class TestClaim:
    def test_by_external_id_or_by_name(self, ada) -> None:
        assert find_subject(claim=" ada ") == ada
        assert find_subject(claim="ADA example") == ada

    @pytest.mark.parametrize(
        ("claim", "code"), [("", "no_claim"), ("  ", "no_claim"), ("Eve", "unknown_person")]
    )
    def test_nobody(self, ada, claim: str, code: str) -> None:
        with pytest.raises(UserFacingError) as refused:
            find_subject(claim=claim)
        assert refused.value.code == code

    def test_a_name_that_two_have(self, ada, administrator: User) -> None:
        twin = enrolled(administrator, BOB, who="Bob Example")
        type(twin).objects.filter(pk=twin.pk).update(name="Ada Example")
        with pytest.raises(UserFacingError) as refused:
            find_subject(claim="Ada Example")
        assert refused.value.code == "several_people"


def test_real_photos(administrator: User, test_data) -> None:
    """One photo of a man is enough to know him on others, and not to take another for him."""

    def photo(name: str) -> Image.Image:
        return Image.open(test_data / "faces" / f"{name}.jpg").convert("RGB")

    biden = judged(take_up(administrator, [photo("biden_1")], who="Joe B")).subject
    assert verified(administrator, biden, photo("biden_2")).outcome == Outcome.MATCH
    assert verified(administrator, biden, photo("obama_1")).outcome == Outcome.NO_MATCH
    assert identified(administrator, photo("obama_2")).outcome == Outcome.NOT_RECOGNIZED
    both = identified(administrator, photo("obama_and_biden"))
    outcomes = [face.outcome for face in both.faces.all()]
    assert outcomes.count(Outcome.MATCH) == 1
    assert Outcome.NOT_RECOGNIZED in outcomes
