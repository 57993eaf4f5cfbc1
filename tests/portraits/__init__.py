"""A small renderer of people who do not exist; see tests/faces.py."""
