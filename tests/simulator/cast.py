"""Whom the simulator casts."""

EVEN = (2000,)
ODD = (2001,)
