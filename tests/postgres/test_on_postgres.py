"""Tests that say what a database must do, once more on a real PostgreSQL, in a process of their
own (the settings choose the database before anything is imported)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.postgres.server import NoPostgres, postgres

ROOT = Path(__file__).parents[2]
AGAIN = (
    "tests/postgres/on_postgres.py",
    "tests/web/facerec/test_live_gallery.py",
    "tests/web/facerec/test_attempts.py::TestIdentification",
    "tests/web/facerec/test_attempts.py::TestLog",
    "tests/web/facerec/test_liveness.py::TestLock",
    "tests/web/facerec/test_presence.py::TestTheFrame",
)


def test_on_postgres() -> None:
    try:
        with postgres() as url:
            done = subprocess.run(
                [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *AGAIN],
                cwd=ROOT,
                env=os.environ | {"DATABASE_URL": url, "PYTEST_ADDOPTS": ""},
                capture_output=True,
                text=True,
                timeout=600,
            )
    except NoPostgres as reason:
        pytest.skip(str(reason))
    assert done.returncode == 0, done.stdout + done.stderr
