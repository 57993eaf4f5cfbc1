"""What changed in the gallery, for whoever holds a copy of it: a worker's matrix, a table of
vectors."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import NamedTuple

from django.db import models, transaction
from django.db.models import F

LOG_LENGTH = 10_000  # changes kept; who is farther behind reads the gallery anew
_PRUNE_EVERY = 1_000


class GalleryState(NamedTuple):
    """Where a history of changes stands. The token tells histories apart: a database brought back
    from a backup reaches a number again, but never with the same token."""

    sequence: int
    token: uuid.UUID | None


class GalleryVersion(models.Model):
    """One row, the gallery's state: it moves with every template that comes, goes or changes, in
    the same transaction, under its lock."""

    sequence = models.PositiveBigIntegerField(default=0)
    token = models.UUIDField(null=True)

    def __str__(self) -> str:
        return f"{self.sequence} ({self.token})"

    @classmethod
    def current(cls) -> GalleryState:
        row = cls.objects.filter(pk=1).values_list("sequence", "token").first()
        return GalleryState(*row) if row else GalleryState(0, None)

    @classmethod
    def lock(cls) -> None:
        """Make others who change the gallery wait for this transaction's end.

        Whoever locks other rows before changing the gallery calls this first: two who lock in
        different orders would wait for each other.
        """
        if not cls.objects.select_for_update().filter(pk=1).exists():
            cls.objects.get_or_create(pk=1)
            list(cls.objects.select_for_update().filter(pk=1))

    @classmethod
    def record(cls, templates: Iterable[int]) -> None:
        """These templates came, went or changed."""
        keys = list(templates)
        if not keys:
            return
        with transaction.atomic():
            last, token = cls._advance(len(keys))
            first = last - len(keys) + 1
            GalleryChange.objects.bulk_create(
                GalleryChange(sequence=sequence, token=token, template=key)
                for sequence, key in enumerate(keys, first)
            )
            if last // _PRUNE_EVERY > (first - 1) // _PRUNE_EVERY:
                GalleryChange.objects.filter(sequence__lte=last - LOG_LENGTH).delete()

    @classmethod
    def change(cls) -> None:
        """Everything changed (another encoder, say): nobody can follow, all read anew."""
        with transaction.atomic():
            cls._advance(1)
            GalleryChange.objects.all().delete()

    @classmethod
    def _advance(cls, steps: int) -> tuple[int, uuid.UUID]:
        token = uuid.uuid4()
        cls.lock()
        cls.objects.filter(pk=1).update(sequence=F("sequence") + steps, token=token)
        return cls.objects.values_list("sequence", flat=True).get(pk=1), token


class GalleryChange(models.Model):
    """One template that came, went or changed: which of these, its row tells.

    `sequence` has no gaps and rises in the order of the commits. `token` is the gallery's at that
    number or, of several recorded at once, at the last one's.
    """

    sequence = models.PositiveBigIntegerField(unique=True)
    token = models.UUIDField()
    template = models.BigIntegerField()  # a key, not a reference: it may be gone

    class Meta:
        ordering = ["sequence"]

    def __str__(self) -> str:
        return f"{self.sequence}: template {self.template}"

    @classmethod
    def between(cls, former: GalleryState, now: GalleryState) -> list[int] | None:
        """The templates touched from one state to a later one; None where the log does not lead
        from the one to the other."""
        rows = list(
            cls.objects.filter(sequence__gte=former.sequence, sequence__lte=now.sequence)
            .order_by("sequence")
            .values_list("sequence", "token", "template")[: LOG_LENGTH + 1]
        )
        ends = [GalleryState(*row[:2]) for row in (rows[:1] + rows[-1:])]
        if ends != [former, now] or len(rows) != now.sequence - former.sequence + 1:
            return None
        return [template for _, _, template in rows[1:]]
