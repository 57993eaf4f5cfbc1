"""Kept crops: aligned faces, sealed, from which a later encoder's templates can be made. Off unless
an administrator switches it on."""

from __future__ import annotations

from django.db import transaction

from facerec.core.types import EncodedFace
from facerec.crops import seal
from facerec.models import FacePolicy, FaceTemplate, KeptCrop
from facerec.services.policy import change_policy
from webapp.accounts.models import User


def keep_crop(template: FaceTemplate, face: EncodedFace) -> None:
    """Keep the face that a template was made of, if that is the house's choice. To be called in
    the transaction that makes the template; the crop goes with it by cascade."""
    if FacePolicy.current().keep_crops:
        KeptCrop.objects.create(template=template, sealed=seal(face.chip))


@transaction.atomic
def keep_crops(*, keep: bool, by: User) -> int:
    """Switch the keeping on or off; off deletes every crop. Gives back how many were deleted."""
    deleted = 0
    if not keep:
        deleted, _ = KeptCrop.objects.all().delete()
    what = "Aligned crops are kept." if keep else f"Crops are not kept; {deleted} deleted."
    change_policy(by=by, what=what, keep_crops=keep)
    return deleted
