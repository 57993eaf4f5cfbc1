"""The jobs of this half: pictures, pieces, and minings of what a network sees."""

from __future__ import annotations

from styletransfer.models.minings import Corpus, Mining
from styletransfer.models.pictures import StyleJob
from styletransfer.models.pieces import Piece

__all__ = ["Corpus", "Mining", "Piece", "StyleJob"]
