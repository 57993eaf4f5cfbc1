"""A wrong answer is corrected: remembered, judged by an administrator, used from then on."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from facerec.core.types import Reason
from facerec.models import Attempt, Correction, FaceTemplate, Subject
from facerec.runtime import runtime
from facerec.services import corrections
from facerec.services.admission import distances_to
from facerec.services.corrections import accept, correct, dismiss, forget_unjudged, withdraw
from facerec.services.enrolment import delete_subject
from facerec.services.remembered import LIFE
from facerec.tasks import attempt as attempt_task
from facerec.thresholds import outlier_point, verification_point
from tests.people import ADA, BOB, group, nobody, portrait
from tests.web.facerec.conftest import enrolled, identified, verified
from webapp.accounts.models import User
from webapp.errors import UserFacingError
from webapp.jobs.redis import client

Kind, State = Correction.Kind, Correction.State


@pytest.fixture
def ada(administrator: User) -> Subject:
    return enrolled(administrator)


@pytest.fixture
def bob(administrator: User) -> Subject:
    return enrolled(administrator, BOB, who="Bob Example")


def mistaken(by: User, subject: Subject) -> Attempt:
    """A photo of Bob that was taken for the subject, as a look-alike's would be."""
    [template] = subject.templates.all()
    truth = bytes(template.encoding)
    template.encoding = FaceTemplate.pack(bobs_encoding() + 0.01)
    template.save()
    attempt = verified(by, subject, portrait(BOB, 1))
    assert attempt.outcome == "match"
    template.encoding = truth
    template.save()
    return attempt


def move_away(subject: Subject) -> None:
    """Lay the subject's template where their photo is missed, though not by far."""
    [template] = subject.templates.all()
    truth = FaceTemplate.unpack([template.encoding])[0]
    photo = runtime().pipeline.one_face(portrait(ADA)).encoding
    tau, far = verification_point().threshold, outlier_point().threshold
    for step in np.arange(0.01, 0.2, 0.001):
        template.encoding = FaceTemplate.pack(truth + step)
        template.save()
        if tau < min(distances_to(subject.pk, photo)) < far:
            return
    pytest.fail("there is nothing between the thresholds")


def bobs_encoding(variation: int = 1) -> np.ndarray:
    return runtime().pipeline.one_face(portrait(BOB, variation)).encoding


class TestRemembering:
    def test_encodings_are_in_redis_for_a_quarter_of_an_hour(self, operator, ada) -> None:
        attempt = verified(operator, ada, portrait(ADA, 1))
        key = f"faces-of:{attempt.pk}"
        assert 0 < client().ttl(key) <= LIFE
        assert client().hlen(key) == 1

    def test_nothing_of_a_face_that_was_not_found(self, operator: User, ada: Subject) -> None:
        attempt = verified(operator, ada, nobody())
        assert not client().exists(f"faces-of:{attempt.pk}")

    def test_the_answer_does_not_need_it(self, operator, ada, monkeypatch) -> None:
        """Redis is gone for the moment in which the faces would be remembered."""
        from redis import RedisError

        from facerec.services import remembered

        def gone() -> None:
            raise RedisError

        monkeypatch.setattr(remembered, "client", gone)
        assert verified(operator, ada, portrait(ADA, 1)).outcome == "match"


class TestSaying:
    def test_not_this_person(self, operator: User, ada: Subject) -> None:
        attempt = mistaken(operator, ada)
        said = correct(attempt=attempt, kind=Kind.NOT_THIS_PERSON, by=operator)
        assert (said.subject, said.state, said.said_by) == (ada, State.QUARANTINED, operator)
        np.testing.assert_allclose(
            FaceTemplate.unpack([said.encoding])[0], bobs_encoding(), atol=1e-6
        )
        assert said.encoder_version == runtime().pipeline.encoder_version
        assert said.quality["overall"] > 0
        again = correct(attempt=attempt, kind=Kind.NOT_THIS_PERSON, by=operator)
        assert again == said

    def test_this_is(self, operator: User, ada: Subject, bob: Subject) -> None:
        """Whoever says who it was also says who it was not."""
        attempt = mistaken(operator, ada)
        said = correct(attempt=attempt, kind=Kind.THIS_IS, subject=bob, by=operator)
        assert (said.kind, said.subject) == (Kind.THIS_IS, bob)
        other = Correction.objects.exclude(pk=said.pk).get()
        assert (other.kind, other.subject) == (Kind.NOT_THIS_PERSON, ada)

    def test_this_is_the_claimed_person_after_all(self, operator, ada: Subject) -> None:
        attempt = verified(operator, ada, portrait(BOB, 1))
        assert attempt.outcome == "no_match"
        said = correct(attempt=attempt, kind=Kind.THIS_IS, by=operator)
        assert (said.subject, said.encoding is None) == (ada, False)

    def test_one_face_of_several(self, operator: User, ada: Subject, bob: Subject) -> None:
        attempt = identified(operator, group())
        position = attempt.faces.get(subject=bob).position
        said = correct(attempt=attempt, kind=Kind.NOT_THIS_PERSON, face=position, by=operator)
        assert (said.subject, said.face) == (bob, position)
        np.testing.assert_allclose(
            FaceTemplate.unpack([said.encoding])[0], bobs_encoding(), atol=0.05
        )

    def test_later_without_the_face(self, operator: User, ada: Subject) -> None:
        attempt = verified(operator, ada, portrait(ADA, 1))
        client().delete(f"faces-of:{attempt.pk}")
        said = correct(attempt=attempt, kind=Kind.NOT_THIS_PERSON, by=operator)
        assert said.encoding is None
        assert accept(correction=said, by=operator).state == State.ACCEPTED

    @pytest.mark.parametrize(
        ("photo", "kind", "code"),
        [
            ((ADA, 1), Kind.THIS_IS, "nothing_to_correct"),  # it says so already
            ((BOB, 1), Kind.NOT_THIS_PERSON, "nothing_to_correct"),  # it did not match
            (None, Kind.THIS_IS, "nothing_to_correct"),  # there was no face
        ],
    )
    def test_what_cannot_be_said(self, operator, ada, photo, kind: str, code: str) -> None:
        attempt = verified(operator, ada, portrait(*photo) if photo else nobody())
        with pytest.raises(UserFacingError) as refused:
            correct(attempt=attempt, kind=kind, by=operator)
        assert refused.value.code == code
        assert not Correction.objects.exists()

    def test_of_a_group_it_must_be_said_which_face(self, operator, ada, bob) -> None:
        attempt = identified(operator, group())
        for face in (None, 2):
            with pytest.raises(UserFacingError) as refused:
                correct(attempt=attempt, kind=Kind.NOT_THIS_PERSON, face=face, by=operator)
            assert refused.value.code == "unknown_face"

    def test_a_stranger_must_be_named(self, operator: User, ada: Subject) -> None:
        attempt = identified(operator, portrait(BOB, 1))
        with pytest.raises(UserFacingError) as refused:
            correct(attempt=attempt, kind=Kind.THIS_IS, by=operator)
        assert refused.value.code == "subject_missing"


class TestCounterExamples:
    @pytest.fixture
    def quarantined(self, operator: User, ada: Subject) -> Correction:
        return correct(attempt=mistaken(operator, ada), kind=Kind.NOT_THIS_PERSON, by=operator)

    @pytest.fixture
    def fooled(self, ada: Subject) -> None:
        """Ada's template becomes one that Bob's photo matches, though not best of all."""
        template = ada.templates.get()
        template.encoding = FaceTemplate.pack(bobs_encoding() + 0.02)
        template.save()

    def test_they_count_only_once_accepted(self, operator, ada, quarantined, fooled) -> None:
        assert verified(operator, ada, portrait(BOB, 1)).outcome == "match"

    def test_a_face_nearer_to_one_is_not_decided_on(
        self, administrator, operator, ada, quarantined, fooled
    ) -> None:
        accept(correction=quarantined, by=administrator)
        attempt = verified(operator, ada, portrait(BOB, 1))
        assert (attempt.outcome, attempt.reason) == ("cannot_decide", Reason.DISPUTED)
        assert attempt.sentence == Reason.DISPUTED.sentence
        attempt = identified(operator, portrait(BOB, 1))
        [face] = attempt.faces.all()
        assert (face.outcome, face.reason) == ("cannot_decide", Reason.DISPUTED)
        assert attempt.reason == Reason.DISPUTED

    def test_the_person_is_still_known(self, administrator, operator, ada, quarantined) -> None:
        accept(correction=quarantined, by=administrator)
        assert verified(operator, ada, portrait(ADA, 1)).outcome == "match"
        assert identified(operator, portrait(ADA, 1)).outcome == "match"

    def test_one_that_was_withdrawn_counts_no_more(
        self, administrator, operator, ada, quarantined, fooled
    ) -> None:
        accept(correction=quarantined, by=administrator)
        withdrawn = withdraw(correction=quarantined, by=administrator)
        assert withdrawn.encoding is None
        assert verified(operator, ada, portrait(BOB, 1)).outcome == "match"

    def test_one_of_another_version_does_not(
        self, administrator, operator, ada, quarantined, fooled
    ) -> None:
        accept(correction=quarantined, by=administrator)
        Correction.objects.update(encoder_version="another")
        assert verified(operator, ada, portrait(BOB, 1)).outcome == "match"

    def test_nor_one_of_somebody_else(self, administrator, operator, ada, bob, quarantined) -> None:
        accept(correction=quarantined, by=administrator)
        assert verified(operator, bob, portrait(BOB, 1)).outcome == "match"
        assert identified(operator, portrait(BOB, 1)).outcome == "match"


class TestJudging:
    def test_this_is_makes_a_template(self, administrator, operator, ada: Subject) -> None:
        move_away(ada)
        attempt = verified(operator, ada, portrait(ADA))
        assert attempt.outcome == "no_match"
        said = correct(attempt=attempt, kind=Kind.THIS_IS, by=operator)
        judged = accept(correction=said, by=administrator)
        assert (judged.state, judged.judged_by) == (State.ACCEPTED, administrator)
        assert judged.encoding is None
        assert judged.template.subject == ada
        assert judged.template.is_current
        assert verified(operator, ada, portrait(ADA)).outcome == "match"

    def test_a_far_face_only_if_one_is_sure(self, administrator, operator, ada) -> None:
        """An operator cannot slip a stranger into the gallery past a glance."""
        attempt = verified(operator, ada, portrait(BOB, 1))
        said = correct(attempt=attempt, kind=Kind.THIS_IS, by=operator)
        with pytest.raises(UserFacingError) as refused:
            accept(correction=said, by=administrator)
        assert refused.value.code == "far_from_person"
        said.refresh_from_db()
        assert said.state == State.QUARANTINED
        assert ada.templates.count() == 1
        accept(correction=said, by=administrator, sure=True)
        assert ada.templates.count() == 2

    def test_one_of_another_version_makes_no_template(self, administrator, operator, ada) -> None:
        said = correct(
            attempt=verified(operator, ada, portrait(BOB, 1)), kind=Kind.THIS_IS, by=operator
        )
        Correction.objects.update(encoder_version="another")
        with pytest.raises(UserFacingError) as refused:
            accept(correction=said, by=administrator)
        assert refused.value.code == "other_version"

    def test_dismissed(self, administrator: User, operator: User, ada: Subject) -> None:
        said = correct(
            attempt=verified(operator, ada, portrait(BOB, 1)), kind=Kind.THIS_IS, by=operator
        )
        judged = dismiss(correction=said, by=administrator)
        assert (judged.state, judged.encoding) == (State.DISMISSED, None)
        assert ada.templates.count() == 1
        for judge in (accept, dismiss):
            with pytest.raises(UserFacingError) as refused:
                judge(correction=said, by=administrator)
            assert refused.value.code == "already_judged"

    def test_it_goes_with_the_person(self, operator: User, ada: Subject) -> None:
        attempt = verified(operator, ada, portrait(ADA, 1))
        correct(attempt=attempt, kind="not_this_person", by=operator)
        delete_subject(subject=ada)
        assert not Correction.objects.exists()

    def test_the_face_of_one_that_nobody_judges_is_forgotten(self, operator, ada) -> None:
        said = correct(
            attempt=verified(operator, ada, portrait(ADA, 1)), kind="not_this_person", by=operator
        )
        forget_unjudged()
        said.refresh_from_db()
        assert said.encoding is not None
        long_ago = timezone.now() - corrections.UNJUDGED_LIFE - timedelta(minutes=1)
        Correction.objects.update(created=long_ago)
        forget_unjudged()
        said.refresh_from_db()
        assert (said.encoding, said.state) == (None, State.QUARANTINED)


def test_an_attempt_that_was_not_answered(operator: User, ada: Subject) -> None:
    from facerec.services.attempts import start_verification

    attempt = start_verification(subject=ada, image=portrait(ADA, 1), by=operator)
    with pytest.raises(UserFacingError) as refused:
        correct(attempt=attempt, kind=Kind.THIS_IS, by=operator)
    assert refused.value.code == "nothing_to_correct"
    attempt_task(str(attempt.pk))
