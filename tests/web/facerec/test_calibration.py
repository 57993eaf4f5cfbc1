"""Calibrations: measuring a set, choosing a target, refusing what a set cannot support."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from facerec import wording
from facerec.core.calibration import OperatingPoints, calibrate
from facerec.core.cohorts import measure_cohorts
from facerec.core.error_rates import LabelledSet
from facerec.core.versions import ALIGNER_VERSION, BACKBONE_VERSION, ENCODER_VERSION
from facerec.models import Calibration, EncoderVersion, FacePolicy, Mode
from facerec.services.calibration import (
    choose,
    delete_calibration,
    offered,
    record_calibration,
    reset,
    start_calibration,
)
from facerec.services.policy import policy_changes
from facerec.tasks import calibrate as calibrate_task
from facerec.thresholds import Target, identification_point, in_use, verification_point
from tests.core.facerec.test_error_rates import made_up
from tests.faces import draw_face
from tests.people import as_jpeg
from tests.web.facerec.conftest import settled, until, upload
from webapp.accounts.models import User
from webapp.accounts.roles import Role
from webapp.accounts.services import create_api_key, create_user
from webapp.archives import path_of, stage
from webapp.errors import UserFacingError
from webapp.health import halves
from webapp.jobs.models import Status

VERIFY = Mode.VERIFICATION
PEOPLE = 9


@pytest.fixture
def by(db: None) -> User:
    return create_user(username="grace", password="correct horse staple", role=Role.ADMINISTRATOR)


@pytest.fixture
def admin(by: User) -> Client:
    client = Client()
    client.force_login(by)
    return client


def points_for(people: int = 60, name: str = "The club", **made_for: str) -> OperatingPoints:
    return calibrate(name, LabelledSet.of(*made_up(people=people, photos=2)), **made_for)


def recorded(by: User, people: int = 60, row: EncoderVersion | None = None) -> Calibration:
    encoder = row.name if row else ENCODER_VERSION
    points = points_for(people, encoder_version=encoder)
    return record_calibration(name="The club", row=row, points={"distance": points}, by=by)


def new_encoder(**fields: Any) -> EncoderVersion:
    values = {"name": "club-1", "backbone": BACKBONE_VERSION, "aligner": ALIGNER_VERSION}
    return EncoderVersion.objects.create(**(values | fields))


# --- which thresholds hold ------------------------------------------------------------------------
def test_the_shipped_calibration_holds_until_another_is_chosen(by: User) -> None:
    before = verification_point()
    club = recorded(by)
    assert verification_point() == before
    choose(by=by, calibration=club, target=Target(VERIFY, 0.01))
    chosen = in_use()
    assert (chosen.calibration, chosen.verification_fmr) == (club.pk, 0.01)
    points = OperatingPoints.from_dict(club.points["distance"])
    assert verification_point() == points.verification_threshold(0.01)
    assert verification_point() != before
    assert identification_point(1) == points.identification_threshold(1, 0.01, highest_fmr=0.01)
    assert "(The club)" in wording.measured_on()  # what Verify and Identify say
    reset(by=by)
    assert verification_point() == before


def test_who_chose_what_and_when_stays(by: User) -> None:
    choose(by=by, calibration=None, target=Target(VERIFY, 1e-4))
    choose(by=by, calibration=None, target=Target(Mode.IDENTIFICATION, 0.05, 20))
    searching, verifying = policy_changes(containing="Calibration:")
    assert verifying.user == by
    assert "verification at 0.0001" in verifying.change_message
    assert "identification among 20 at 0.05" in searching.change_message
    assert ENCODER_VERSION in searching.change_message
    assert in_use().identification_fpir == 0.05


def test_a_target_that_the_set_cannot_vouch_for_is_refused(by: User) -> None:
    club = recorded(by)  # 1,770 pairs of people
    with pytest.raises(UserFacingError) as refused:
        choose(by=by, calibration=club, target=Target(VERIFY, 1e-3))
    assert refused.value.code == "target_not_supported"
    assert "1,230 more" in refused.value.hint  # 3,000 pairs
    assert "78 people, 18 more" in refused.value.hint
    assert FacePolicy.current().calibration is None
    # A search through K makes K comparisons: 1 % in a gallery of 10 is 0.1 % each.
    with pytest.raises(UserFacingError, match="cannot vouch"):
        choose(by=by, calibration=club, target=Target(Mode.IDENTIFICATION, 0.01, 10))
    # And the promise of verification, 1 in 1,000, holds no more with that set.
    with pytest.raises(UserFacingError, match="cannot vouch"):
        choose(by=by, calibration=club, target=Target(Mode.IDENTIFICATION, 0.1, 1))


def test_another_encoders_threshold_is_never_taken(by: User) -> None:
    row = new_encoder()
    FacePolicy.objects.create(pk=1, encoder=row)
    for ask in (verification_point, lambda: identification_point(10), lambda: reset(by=by)):
        with pytest.raises(UserFacingError) as refused:
            ask()
        assert refused.value.code in ("uncalibrated", "another_encoder")
    assert offered() == []
    own = recorded(by, row=row)
    with pytest.raises(UserFacingError, match="no calibration"):
        verification_point()  # it is there, but nobody chose it
    choose(by=by, calibration=own, target=Target(VERIFY, 0.01))
    assert in_use().encoder.name == "club-1"
    assert offered() == [own]
    # Back to the shipped encoder: its own calibration holds, not the one that was chosen.
    FacePolicy.objects.update(encoder=None)
    assert in_use().calibration is None
    with pytest.raises(UserFacingError, match="another encoder"):
        choose(by=by, calibration=own, target=Target(VERIFY, 0.01))


def test_a_rule_has_thresholds_of_its_own(by: User) -> None:
    row = new_encoder(decision_rule="chi2", heads={"chi2": {"weights": "x", "sha256": ""}})
    FacePolicy.objects.create(pk=1, encoder=row)
    plain = points_for(encoder_version="club-1")
    only_plain = record_calibration(name="plain", row=row, points={"distance": plain}, by=by)
    assert only_plain not in offered()
    head = calibrate(
        "The club",
        LabelledSet.of(*made_up(photos=2), dissimilarity=lambda a, b: ((b - a) ** 2).sum(-1) - 3),
        encoder_version="club-1",
        decision_rule="chi2",
    )
    both = record_calibration(name="both", row=row, points={"distance": plain, "chi2": head}, by=by)
    choose(by=by, calibration=both, target=Target(VERIFY, 0.01))
    assert verification_point() == head.verification_threshold(0.01)
    assert identification_point(1) == plain.identification_threshold(1, 0.01, highest_fmr=0.01)


def test_what_is_in_use_cannot_be_deleted(by: User) -> None:
    club = recorded(by)
    choose(by=by, calibration=club, target=Target(VERIFY, 0.01))
    with pytest.raises(UserFacingError, match="decided by this"):
        delete_calibration(calibration=club)
    reset(by=by)
    delete_calibration(calibration=club)
    assert not Calibration.objects.exists()


# --- measuring ------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def drawn() -> dict[str, bytes]:
    """Nine people with two photos each, one of nobody, and a label of each person."""
    files = {}
    for seed in range(PEOPLE):
        for variation in range(2):
            picture = draw_face(seed, variation, size=(240, 300))
            files[f"person {seed}/{variation}.jpg"] = as_jpeg(picture)
    files["person 0/empty.jpg"] = as_jpeg(draw_face(0).crop((0, 0, 60, 60)))
    rows = [f"person {seed},{'left' if seed < 5 else 'right'}" for seed in range(PEOPLE)]
    files["labels.csv"] = "\n".join(["person,door", *rows]).encode()
    return files


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_an_uploaded_set_is_measured_and_forgotten(
    administrator: User, drawn: dict[str, bytes]
) -> None:
    archive = stage(upload(zipped(drawn), "photos.zip"))
    job = start_calibration(name="Doors", archive=archive, row=None, by=administrator)
    calibrate_task(str(job.pk))
    job = until(lambda: settled(job))
    assert job.status == Status.DONE, job.error
    assert (job.done, job.total) == (19, 19)
    assert not path_of(archive).exists()
    points = OperatingPoints.from_dict(job.points["distance"])
    assert points.fits(ENCODER_VERSION)
    these = points.calibration_set
    assert (these.name, these.people, these.images, these.person_pairs) == ("Doors", 9, 18, 36)
    assert these.refused == {"no_face": 1}
    assert [(cohort["value"], cohort["people"]) for cohort in job.cohorts] == [
        ("left", 5),
        ("right", 4),
    ]
    stored = str(job.points) + str(job.cohorts)
    assert "person" not in stored.replace("person_pairs", "")  # nobody's name


def test_too_small_a_set_says_so_before_the_work(
    administrator: User, drawn: dict[str, bytes]
) -> None:
    few = {name: content for name, content in drawn.items() if name < "person 5"}
    archive = stage(upload(zipped(few), "few.zip"))
    job = start_calibration(name="Few", archive=archive, row=None, by=administrator)
    calibrate_task(str(job.pk))
    job = until(lambda: settled(job))
    assert job.status == Status.FAILED
    assert job.error["code"] == "set_too_small"
    assert not path_of(archive).exists()


def test_a_cancelled_calibration_forgets_its_archive(
    administrator: User, signed_in: Callable[[User], Client], drawn: dict[str, bytes]
) -> None:
    archive = stage(upload(zipped(drawn), "photos.zip"))
    job = start_calibration(name="Doors", archive=archive, row=None, by=administrator)
    signed_in(administrator).post(f"/calibration/{job.pk}/cancel/")
    assert settled(job).status == Status.CANCELLED
    assert not path_of(archive).exists()


def test_the_command_measures_a_folder(
    by: User, drawn: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, content in drawn.items():
        path = tmp_path / "doors" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    call_command("calibrate", tmp_path / "doors", name="The doors")
    told = capsys.readouterr()
    [kept] = Calibration.objects.all()
    assert (kept.name, kept.owner, kept.status) == ("The doors", by, Status.DONE)
    assert "18 photos of 9 people: 36 pairs" in told.out
    assert "not supported" in told.out
    assert "By door" in told.out
    assert "19 of 19 photos" in told.err
    with pytest.raises(CommandError, match="cannot vouch"):  # one in 1,000 takes 78 people
        call_command("calibrate", tmp_path / "doors", use=True)
    with pytest.raises(CommandError, match="There is no"):
        call_command("calibrate", tmp_path / "nowhere")
    with pytest.raises(CommandError, match="no encoder"):
        call_command("calibrate", tmp_path / "doors", encoder="nobody's")


# --- the page -------------------------------------------------------------------------------------
def test_only_administrators_calibrate(client: Client, db: None) -> None:
    operator = create_user(username="olive", password="correct horse", role=Role.OPERATOR)
    assert client.get("/calibration/").status_code == 302
    client.force_login(operator)
    assert client.get("/calibration/").status_code == 403
    for action in ("use", "back", "measure", "margin"):
        assert client.post(f"/calibration/{action}/").status_code == 403


def test_the_page_shows_what_is_in_use_and_the_curve(admin: Client) -> None:
    page = admin.get("/calibration/").content.decode()
    assert "LFW" in page
    assert f"τ = {verification_point().threshold:.3f}" in page
    assert 'class="det-curve" d="M' in page
    assert 'role="slider"' in page
    assert "In use" in page


def test_a_target_shows_its_cost_or_what_is_missing(admin: Client, by: User) -> None:
    club = recorded(by)
    ask = {"set": club.pk, "mode": "verification", "one_in": 100, "gallery": ""}
    shown = admin.get("/calibration/", ask, headers={"HX-Request": "true"}).content.decode()
    point = OperatingPoints.from_dict(club.points["distance"]).verification_threshold(0.01)
    assert f"{point.threshold:.4f}" in shown
    assert "Use this" in shown
    assert "Below thirty" in shown  # 18 of 1,770
    shown = admin.get("/calibration/", ask | {"one_in": 1000}).content.decode()
    assert "cannot vouch for that" in shown
    assert "18 more" in shown
    assert "Use this" not in shown
    refused = admin.get("/calibration/", ask | {"one_in": 3}, headers={"HX-Request": "true"})
    assert refused.status_code == 422
    assert "one error in ten" in refused.content.decode()


def test_using_a_target_from_the_page(admin: Client, by: User) -> None:
    club = recorded(by)
    ask = {"set": club.pk, "mode": "verification", "one_in": 100, "gallery": ""}
    answer = admin.post("/calibration/use/", ask, follow=True)
    assert "From now on" in answer.content.decode()
    assert "Chosen by grace" in answer.content.decode()
    assert in_use().calibration == club.pk
    assert admin.post("/calibration/use/", ask | {"one_in": 1000}).status_code == 422
    assert in_use().verification_fmr == 0.01
    admin.post("/calibration/back/")
    assert in_use().calibration is None


def test_the_margin_to_the_runner_up(admin: Client) -> None:
    assert FacePolicy.current().least_margin(0.2) == pytest.approx(0.02)
    assert 'name="margin" value="10"' in admin.get("/calibration/").content.decode()
    answer = admin.post("/calibration/margin/", {"margin": "25"}, follow=True)
    assert 'name="margin" value="25"' in answer.content.decode()
    assert FacePolicy.current().least_margin(0.2) == pytest.approx(0.05)
    assert [e.change_message for e in policy_changes()] == ["Margin: 0.25 of the threshold."]
    refused = admin.post("/calibration/margin/", {"margin": "101"})
    assert refused.status_code == 422
    assert "Give at most 100." in refused.content.decode()
    assert 'name="margin" value="101"' in refused.content.decode()
    assert FacePolicy.current().margin_share == 0.25


def test_the_cohorts_are_in_a_table(admin: Client, by: User) -> None:
    labelled = LabelledSet.of(*made_up(people=60, photos=2))
    points = calibrate("The club", labelled)
    labels = {name: {"camera": "old" if "1" in name else "new"} for name in labelled.names}
    club = record_calibration(
        name="The club",
        row=None,
        points={"distance": points},
        cohorts=list(measure_cohorts(labelled, labels, points)),
        by=by,
    )
    ask = {"set": club.pk, "mode": "verification", "one_in": 10, "gallery": ""}
    page = admin.get("/calibration/", ask).content.decode()
    assert "By camera" in page
    assert "Worst to best" in page
    assert "too few" in page or " : 1" in page


def test_an_uncalibrated_encoder_is_said_on_every_page(admin: Client) -> None:
    FacePolicy.objects.create(pk=1, encoder=new_encoder())
    assert "Faces are not compared" in admin.get("/calibration/").content.decode()
    page = admin.get("/verify/")
    assert page.status_code == 503
    assert "has no calibration" in page.content.decode()


def test_the_status_page_says_which_is_in_use(admin: Client, by: User) -> None:
    def line() -> dict[str, Any]:
        (one,) = (check for check in halves() if check["name"] == "calibration")
        return one

    assert line()["ok"]
    assert "(shipped)" in line()["value"]
    choose(by=by, calibration=recorded(by), target=Target(VERIFY, 0.01))
    assert line()["value"] == f"The club (chosen), for {ENCODER_VERSION}"
    FacePolicy.objects.update(encoder=new_encoder())
    assert not line()["ok"]
    assert "Calibration" in line()["hint"]


# --- the API --------------------------------------------------------------------------------------
def test_programs_read_the_operating_points(by: User) -> None:
    client, secret = Client(), create_api_key(user=by)[1]
    assert client.get("/api/v1/operating-points").status_code == 401
    told = client.get(
        "/api/v1/operating-points?gallery_size=50",
        headers={"authorization": f"Bearer {secret}"},
    ).json()
    assert told["encoder"] == ENCODER_VERSION
    assert told["verification"]["threshold"] == pytest.approx(verification_point().threshold)
    assert told["identification"]["gallery_size"] == 50
    assert told["identification"]["fpir"] == pytest.approx(identification_point(50).fpir)
    low, high = told["verification"]["fnmr_interval"]
    assert low <= told["verification"]["fnmr"] <= high
    assert told["calibration"]["id"] is None
    assert told["calibration"]["people"] > 1000
    refused = client.get(
        "/api/v1/operating-points?gallery_size=0",
        headers={"authorization": f"Bearer {secret}"},
    )
    assert refused.status_code == 422


def test_numbers_in_the_points_are_plain(by: User) -> None:
    assert isinstance(recorded(by).points["distance"]["threshold"][0], float)
    assert not any(isinstance(x, np.generic) for x in recorded(by).points["distance"]["fmr"])
