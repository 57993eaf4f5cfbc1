"""The admin panel's pages of faces, a module a subject."""

from facerec.admin import log, people

__all__ = ["log", "people"]
