"""A house with people of each role, a real Redis, and the faces worker where it is asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery.contrib.testing.worker import start_worker
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from facerec.models import Attempt, Enrolment, Subject
from facerec.runtime import runtime
from facerec.services.attempts import start_identification, start_verification
from facerec.services.enrolment import Photo, enrol_subject
from facerec.tasks import attempt as attempt_task
from facerec.tasks import enrol as enrol_task
from tests.people import ADA, as_jpeg, portrait
from webapp.accounts.models import User
from webapp.accounts.roles import Role
from webapp.accounts.services import create_api_key, create_user
from webapp.celery import app
from webapp.jobs.redis import client as redis_client

PASSWORD = "correct horse staple"


@pytest.fixture
def house(transactional_db: None, redis_url: str) -> Iterator[None]:
    """An empty house. Whatever a test does, no enrolment photo may be left at its end."""
    redis_client().flushall()
    yield
    left = list(settings.ENROLMENT_DIR.iterdir())
    for path in left:
        path.unlink()
    assert not left


@pytest.fixture
def administrator(house: None) -> User:
    return create_user(username="grace", password=PASSWORD, role=Role.ADMINISTRATOR)


@pytest.fixture
def operator(house: None) -> User:
    return create_user(username="olive", password=PASSWORD, role=Role.OPERATOR)


@pytest.fixture
def painter(house: None) -> User:
    return create_user(username="vera", password=PASSWORD, role=Role.PAINTER)


@pytest.fixture
def key(administrator: User) -> dict[str, str]:
    """The headers of a program that may do everything."""
    return {"authorization": f"Bearer {create_api_key(user=administrator)[1]}"}


@pytest.fixture(scope="module")
def worker(redis_url: str) -> Iterator[None]:
    """The faces worker, in a thread of this process, warm before anybody asks."""
    runtime()
    with start_worker(
        app, pool="threads", concurrency=1, perform_ping_check=False, queues=["faces"]
    ):
        yield


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in


def upload(image: Image.Image | bytes, name: str = "photo.jpg") -> SimpleUploadedFile:
    data = image if isinstance(image, bytes) else as_jpeg(image)
    return SimpleUploadedFile(name, data, "image/jpeg")


def take_up(
    by: User, images: list[Image.Image], *, who: str = "Ada Example", **options: Any
) -> Enrolment:
    """Start an enrolment whose photos nobody has looked at yet."""
    external_id = options.pop("external_id", who.split()[0].lower())
    return enrol_subject(
        subject=Subject(name=who, external_id=external_id),
        consent=True,
        photos=[Photo(f"{i}.jpg", image) for i, image in enumerate(images)],
        by=by,
        **options,
    )


def judged(enrolment: Enrolment) -> Enrolment:
    """The enrolment after the worker's task ran, here or in the worker if one is started."""
    enrol_task(str(enrolment.pk))
    return until(lambda: settled(enrolment))


def settled(job: Any) -> Any:
    job.refresh_from_db()
    return job if job.is_final else None


def enrolled(by: User, person: int = ADA, *, who: str = "Ada Example") -> Subject:
    """A subject with one template."""
    subject = judged(take_up(by, [portrait(person)], who=who)).subject
    assert subject.templates.count() == 1
    return subject


def twin_of(subject: Subject, name: str = "Ada Twin") -> Subject:
    """Another person with the very same face."""
    twin = Subject.objects.create(
        name=name, external_id="twin", consent_given_at=subject.consent_given_at
    )
    template = subject.templates.get()
    template.pk, template.subject = None, twin
    template.save(force_insert=True)
    return twin


def answered(attempt: Attempt) -> Attempt:
    attempt_task(str(attempt.pk))
    return until(lambda: settled(attempt))


def verified(by: User, subject: Subject, image: Image.Image) -> Attempt:
    return answered(start_verification(subject=subject, image=image, by=by))


def identified(by: User, image: Image.Image) -> Attempt:
    return answered(start_identification(image=image, by=by))


def until(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """Poll until the condition gives something true, and return that."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return result
