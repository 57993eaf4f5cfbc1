"""`/api/v1`: pictures, pieces, and what the network sees."""

from __future__ import annotations

from ninja import Router

from styletransfer.api import pictures

router = Router()
router.add_router("", pictures.router)
