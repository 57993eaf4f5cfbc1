"""The use cases of minings on the web's side. The worker's side is `work_minings`."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from styletransfer.models import Corpus, Mining, StyleJob
from styletransfer.services.leftovers import discard
from styletransfer.services.networks import check_network
from webapp import archives
from webapp.accounts.models import User
from webapp.accounts.roles import Role, has_role
from webapp.archives.pictures import pictures_among
from webapp.archives.sources import Archive
from webapp.errors import UserFacingError
from webapp.jobs import dispatch
from webapp.jobs.models import ACTIVE, Request, Status

MOST_PICTURES = 10_000


def start_mining(
    *,
    owner: User,
    network: str,
    corpus: Corpus,
    archive: UUID | None = None,
    source: str = "",
) -> Mining:
    """Send a mining to the queue of long work. Of the house's own pictures one at a time is enough
    for everybody: where one runs, it is given back.

    Args:
        archive: of `corpus` archive; deleted here where it cannot be used.

    Raises:
        UserFacingError: `no_such_network`, `weights_missing`, `gallery_empty`, `too_many_minings`,
            or of the archive as `webapp.archives.sources.Archive` and `pictures_among`.
    """
    try:
        check_network(network)
        if corpus == Corpus.HOUSE and (running := house_at_work(network)):
            return running
        total = _count(owner, corpus, archive)
        with transaction.atomic():
            _check_waiting(owner)
            mining = Mining.objects.create(
                owner=owner,
                network=network,
                corpus=corpus,
                archive=archive,
                source=source.strip()[:200] or ("an archive" if archive else ""),
                total=total,
            )
            dispatch.enqueue(mining)
    except UserFacingError:
        if archive is not None:
            archives.discard(archive)
        raise
    return mining


def minings_for(user: User, network: str | None = None) -> QuerySet[Mining]:
    """What this person may look at: the house's and their own; newest first."""
    rows = Mining.objects.filter(Q(corpus=Corpus.HOUSE) | Q(owner=user))
    return rows if network is None else rows.filter(network=network)


def house_mining(network: str) -> Mining | None:
    """Of the house's own pictures: the newest that found something."""
    return _house(network).filter(found=True).first()


def house_at_work(network: str) -> Mining | None:
    """The one that looks at the house's own pictures just now, or rests on its way."""
    return _house(network).filter(status__in=[*ACTIVE, Status.PAUSED]).first()


def may_change(user: User, mining: Mining) -> bool:
    """Whether this person may pause, cancel or delete it."""
    shared = mining.corpus == Corpus.HOUSE
    return mining.owner_id == user.pk or (shared and has_role(user, Role.ADMINISTRATOR))


def check_may_change(user: User, mining: Mining) -> None:
    """Raises UserFacingError: `not_yours`."""
    if not may_change(user, mining):
        raise UserFacingError(
            "not_yours",
            "Somebody else has begun this.",
            "They, or an administrator, can stop it.",
            status=403,
        )


def ask_mining(*, mining: Mining, request: Request) -> None:
    """Pause or cancel. What a cancelled one had found, and its archive, are deleted."""
    dispatch.ask(mining, request)
    if mining.status == Status.CANCELLED:
        discard_mining(mining)


def resume_mining(*, mining: Mining) -> None:
    """Go on with a paused one. Raises UserFacingError: `too_many_minings`."""
    _check_waiting(mining.owner)
    with transaction.atomic():
        dispatch.resume(mining)
    mining.refresh_from_db()


def delete_mining(*, mining: Mining) -> None:
    """The mining and all that came of it. A run that still works on it notices and stops."""
    mining_id = mining.pk
    dispatch.ask(mining, Request.CANCEL)
    mining.delete()
    mining.pk = mining_id  # what it was, for its files
    discard_mining(mining)


def discard_mining(mining: Mining) -> None:
    """What it leaves outside the database, and its archive."""
    discard(mining.pk)
    if mining.archive is not None:
        archives.discard(mining.archive)


def finished_pictures(owner: User) -> QuerySet[StyleJob]:
    """Those of a gallery that a mining looks at, oldest first."""
    return StyleJob.objects.filter(owner=owner, status=Status.DONE).order_by("created", "pk")


def _house(network: str) -> QuerySet[Mining]:
    return Mining.objects.filter(network=network, corpus=Corpus.HOUSE)


def _count(owner: User, corpus: Corpus, archive: UUID | None) -> int:
    """How many pictures there will be; 0 where only the worker knows."""
    if corpus == Corpus.GALLERY and not finished_pictures(owner).exists():
        raise UserFacingError(
            "gallery_empty",
            "There is no finished picture in your gallery yet.",
            "Paint one first, or send pictures as a ZIP.",
            status=422,
            field="corpus",
        )
    if corpus == Corpus.ARCHIVE:
        if archive is None:
            raise UserFacingError(
                "no_archive",
                "There is no archive.",
                "Choose a ZIP file.",
                status=422,
                field="archive",
            )
        return len(names_in(archive))
    return 0


def names_in(archive: UUID) -> list[str]:
    """The names of the archive's pictures. Raises UserFacingError as `start_mining` says."""
    source = Archive(archives.staged(archive))
    try:
        return pictures_among(source.names(), most=MOST_PICTURES)
    finally:
        source.close()


def _check_waiting(owner: User) -> None:
    limit = settings.MININGS_PER_USER
    if Mining.objects.filter(owner=owner, status__in=ACTIVE).count() >= limit:
        raise UserFacingError(
            "too_many_minings",
            f"{limit} of your minings wait or run already, and that is the limit.",
            "Wait until one is done, or cancel one.",
            status=429,
        )
