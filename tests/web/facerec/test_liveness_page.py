"""The page Liveness, and what Verify and Identify show under each policy."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from facerec.core.liveness.challenge import draw_challenge
from facerec.core.liveness.types import Ground
from facerec.core.types import Outcome
from facerec.forms.liveness import SPECIES
from facerec.models import (
    Attempt,
    FacePolicy,
    Liveness,
    LivenessSession,
    LivenessState,
    Mode,
    Purpose,
)
from facerec.models.policy import PassiveCues
from facerec.presenting import liveness as presenting
from facerec.services.policy import policy_changes
from tests.simulator.attacks import SPECIES as SIMULATED
from webapp.accounts.models import User
from webapp.accounts.roles import Role
from webapp.accounts.services import create_user
from webapp.jobs.models import Status

PAGE, POLICY = "/liveness/", "/liveness/policy/"
ASKING = [("/verify/", "verification"), ("/identify/", "identification")]
LIVE, PHOTO, VOUCH = "<live-check", '<drop-zone name="photo"', 'name="vouched"'


@pytest.fixture
def grace(db: None) -> User:
    return create_user(username="grace", password="correct horse staple", role=Role.ADMINISTRATOR)


@pytest.fixture
def admin(grace: User) -> Client:
    client = Client()
    client.force_login(grace)
    return client


@pytest.fixture
def olive(db: None) -> User:
    return create_user(username="olive", password="correct horse staple", role=Role.OPERATOR)


@pytest.fixture
def operator(olive: User) -> Client:
    client = Client()
    client.force_login(olive)
    return client


def shown(client: Client, path: str) -> str:
    return client.get(path).content.decode()


def session(by: User, **fields: Any) -> LivenessSession:
    now = timezone.now()
    values = {
        "owner": by,
        "operator": by.get_username(),
        "purpose": Purpose.VERIFICATION,
        "nonce_sha256": "0" * 64,
        "challenge": draw_challenge().as_json(),
        "state": LivenessState.FAILED,
        "expires": now,
        "begun": now - timedelta(seconds=8.5),
        "finished": now,
    }
    return LivenessSession.objects.create(**values | fields)


AS_SHIPPED = {"passive_cues": "log", "liveness_steps": 3}


# --- the policy ----------------------------------------------------------------------------------
def test_the_page_and_the_policy_are_for_administrators(operator: Client) -> None:
    assert operator.get(PAGE).status_code == operator.get("/liveness/latest/").status_code == 403
    assert operator.post(POLICY, AS_SHIPPED).status_code == 403
    assert Client().get(PAGE).status_code == 302
    assert not FacePolicy.objects.exists()


def test_a_choice_holds_at_once_and_is_logged(admin: Client) -> None:
    assert "nobody has chosen otherwise" in shown(admin, PAGE)
    boxes = {"verification_liveness": "on", "liveness_alternative": "on"}
    chosen = boxes | {"passive_cues": "decide", "liveness_steps": 4}
    assert admin.post(POLICY, chosen).status_code == 302
    policy = FacePolicy.current()
    assert (policy.verification_liveness, policy.identification_liveness) == (True, False)
    assert policy.liveness_alternative
    assert policy.passive_cues == PassiveCues.DECIDE
    assert policy.liveness_steps == 4
    (change,) = policy_changes(containing="Liveness:")
    assert change.user.get_username() == "grace"
    assert change.change_message == (
        "Liveness: required for verification; an operator may vouch; four movements; "
        "passive cues refuse."
    )
    admin.post(POLICY, AS_SHIPPED)  # boxes that are not ticked are not sent
    assert not FacePolicy.current().verification_liveness
    page = shown(admin, PAGE)
    assert (
        "required nowhere; nobody may vouch; three movements; passive cues are only logged." in page
    )
    assert "required for verification; an operator may vouch" in page  # the earlier choice


def test_what_changes_nothing_is_not_logged(admin: Client) -> None:
    response = admin.post(POLICY, AS_SHIPPED, follow=True)
    assert "nothing has changed" in response.content.decode()
    assert policy_changes(containing="Liveness:") == []


def test_a_policy_that_cannot_be_is_refused(admin: Client) -> None:
    response = admin.post(POLICY, AS_SHIPPED | {"passive_cues": "guess"})
    assert response.status_code == 422
    assert 'role="alert"' in response.content.decode()
    assert not FacePolicy.objects.exists()


# --- what it is worth ----------------------------------------------------------------------------
FIGURES = {
    "judged_by": "judge-1",
    "species": [
        {
            "species": "flat_print",
            "n": 300,
            "accepted": 3,
            "inconclusive": 12,
            "apcer": 0.01,
            "low": 0.002,
            "high": 0.029,
            "with_passive_cues": {
                "accepted": 0,
                "inconclusive": 12,
                "apcer": 0.0,
                "low": 0.0,
                "high": 0.0122,
            },
        }
    ],
    "bona_fide": {
        "species": "bona_fide",
        "n": 200,
        "accepted": 190,
        "inconclusive": 8,
        "bpcer": 0.01,
        "low": 0.001,
        "high": 0.036,
        "with_passive_cues": {
            "accepted": 186,
            "inconclusive": 8,
            "bpcer": 0.03,
            "low": 0.011,
            "high": 0.064,
        },
        "seconds": {"p50": 7.8, "p95": 11.24},
    },
}


def test_figures_are_told_in_words(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    path.write_text(json.dumps(FIGURES))
    told = presenting.figures(passive=False, path=path)
    assert told is not None
    (flat,) = told["species"]
    assert flat["name"] == "A print, held flat"
    assert (flat["accepted"], flat["n"], flat["rate"]) == (3, 300, "1.0 %")
    assert flat["interval"] == "0.20 % to 2.9 %"
    assert told["living"]["refused"] == "1.0 %"
    assert told["living"]["inconclusive"] == "4.0 %"
    strict = presenting.figures(passive=True, path=path)
    assert strict is not None
    assert strict["species"][0]["rate"] == "0 %"
    assert strict["living"]["refused"] == "3.0 %"


def test_every_species_of_the_bench_has_words() -> None:
    assert set(SIMULATED) <= set(dict(SPECIES))


def test_without_figures_none_are_shown(
    admin: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert presenting.figures(passive=False, path=tmp_path / "none.json") is None
    told = presenting.figures(passive=False, path=tmp_path / "none.json")
    monkeypatch.setattr(presenting, "figures", lambda **_: told)
    assert "How well it does" not in shown(admin, PAGE)


def test_figures_are_shown_with_their_intervals(
    admin: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "figures.json"
    path.write_text(json.dumps(FIGURES))
    real = presenting.figures
    monkeypatch.setattr(presenting, "figures", lambda **asked: real(**asked, path=path))
    page = shown(admin, PAGE)
    assert "A print, held flat" in page
    assert "0.20 % to 2.9 %" in page
    assert "7.8 s" in page
    assert "11.2 s" in page
    assert "No certification is claimed" in page


# --- the last live checks ------------------------------------------------------------------------
def test_every_ground_has_words() -> None:
    assert set(presenting.GROUNDS) == set(Ground)


def test_administrators_see_why(admin: Client, olive: User) -> None:
    session(olive, grounds=[Ground.FLAT, Ground.NOT_IN_TIME])
    session(olive, state=LivenessState.WAITING, begun=None, finished=None)
    page = shown(admin, "/liveness/latest/")
    assert page.count("<tr>") == 2  # the head, and the one that was begun
    assert "Not passed" in page
    assert "moved as something flat does, not in time" in page
    assert "8.5 s" in page
    assert "olive" in page


@pytest.mark.parametrize("state", LivenessState.values)
def test_every_state_has_a_stamp(admin: Client, olive: User, state: str) -> None:
    session(olive, state=state)
    assert admin.get(PAGE).status_code == 200


# --- Verify and Identify -------------------------------------------------------------------------
@pytest.mark.parametrize(("path", "mode"), ASKING)
def test_a_required_live_check_takes_the_photos_place(
    operator: Client, path: str, mode: str
) -> None:
    page = shown(operator, path)
    assert PHOTO in page
    assert f'{LIVE} purpose="{mode}"' in page.replace(' id="id_liveness_session"', "")
    FacePolicy.objects.create(pk=1, **{f"{mode}_liveness": True})
    page = shown(operator, path)
    assert PHOTO not in page
    assert VOUCH not in page
    assert f'{LIVE} id="id_liveness_session" purpose="{mode}"' in page
    assert "The live check needs JavaScript" in page
    FacePolicy.objects.update(liveness_alternative=True)
    page = shown(operator, path)
    assert PHOTO in page
    assert VOUCH in page
    assert "is logged with your name, olive" in page


def test_one_mode_is_not_the_other(operator: Client) -> None:
    FacePolicy.objects.create(pk=1, verification_liveness=True)
    assert PHOTO not in shown(operator, "/verify/")
    assert PHOTO in shown(operator, "/identify/")


@pytest.mark.parametrize(
    ("liveness", "vouched", "says"),
    [
        (Liveness.PASSED, "", "Live check passed"),
        (Liveness.VOUCHED, "Known <b>for years</b>", "Vouched for by olive"),
    ],
)
def test_the_answer_says_what_was_known_of_their_being_there(
    operator: Client, olive: User, liveness: str, vouched: str, says: str
) -> None:
    attempt = Attempt.objects.create(
        owner=olive,
        operator="olive",
        mode=Mode.VERIFICATION,
        status=Status.DONE,
        outcome=Outcome.NO_MATCH,
        liveness=liveness,
        vouched=vouched,
    )
    page = shown(operator, attempt.get_absolute_url())
    assert says in page
    assert "<b>for years</b>" not in page
    assert ("Known &lt;b&gt;for years&lt;/b&gt;" in page) is bool(vouched)
