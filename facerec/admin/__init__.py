"""The admin panel's pages of faces, a module a subject."""

from facerec.admin import liveness, log, people

__all__ = ["liveness", "log", "people"]
