"""Signals from files and to files: CSV and EDF."""

from __future__ import annotations

from typing import cast

from styletransfer.core.media.signal.csv_file import read_csv, write_csv
from styletransfer.core.media.signal.edf_file import looks_like_edf, read_edf, write_edf
from styletransfer.core.media.signal.limits import checked
from styletransfer.core.media.types import Medium, MediumError, Signal

READS = {".csv": "CSV", ".tsv": "CSV", ".txt": "CSV", ".edf": "EDF"}


def read(data: bytes, name: str) -> Signal:
    """The signal in a file's bytes; the content decides, then the ending of its name.

    Raises MediumError.
    """
    if not data:
        raise MediumError("empty", "The file is empty.", "Choose a file with values in it.")
    edf = looks_like_edf(data) or name.lower().endswith((".edf", ".bdf"))
    return checked(read_edf(data) if edf else read_csv(data))


def deliver(medium: Medium) -> dict[str, bytes]:
    """`signal.csv` and `signal.edf`."""
    signal = cast(Signal, medium)
    return {"signal.csv": write_csv(signal), "signal.edf": write_edf(signal)}
