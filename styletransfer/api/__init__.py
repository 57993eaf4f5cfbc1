"""`/api/v1`: pictures, pieces, and what the network sees."""

from __future__ import annotations

from ninja import Router

from styletransfer.api import insights, pictures, pieces, see, units

router = Router()
router.add_router("", pictures.router)
router.add_router("", insights.router)
router.add_router("", pieces.router, tags=["Sounds, signals, volumes, clips"])
router.add_router("", see.router, tags=["What a network sees"])
router.add_router("", units.router, tags=["What a network sees"])
