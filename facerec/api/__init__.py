"""`/api/v1` of faces, a module a subject."""

from __future__ import annotations

from ninja import Router

from facerec.api import calibration, people, recognition

router = Router()
for part in (calibration, people, recognition):
    router.add_router("", part.router)
