"""Held-out statistics: what tells whether a piece is like its example, though no cost asked it."""
