"""`/api/v1` of faces, a module a subject."""

from __future__ import annotations

from ninja import Router

from facerec.api import bulk, calibration, corrections, liveness, people, recognition

router = Router()
for part in (calibration, bulk, people, liveness, recognition, corrections):
    router.add_router("", part.router)
