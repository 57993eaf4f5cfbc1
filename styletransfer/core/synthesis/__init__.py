"""Pieces in the making: one generator of iterates for each medium, all on one engine.

`compose` finds the medium's; each yields the start and then every step. To cancel is to stop
iterating.
"""
