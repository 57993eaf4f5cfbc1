"""Signals as text: one row a sample, one column a channel.

With or without a header (and a second row of units); comma, semicolon, tab or blanks between the
columns; a decimal comma wherever the comma does not separate. The rate comes from a line
`# rate: 360` (Hz), else from a column of time: named so, or the first one where it rises evenly.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from styletransfer.core.media.signal.limits import MAX_CHANNELS, MAX_SAMPLES, check_size
from styletransfer.core.media.types import MediumError, Signal

_Table = npt.NDArray[np.float64]

_RATE = re.compile(r"\b(?:rate|fs|frequency)\s*(?:\(hz\))?\s*[:=]?\s*([-\d.,eE+]+)", re.I)
_TIME = re.compile(r"(?:elapsed[ _])?(?:time|timestamp|t|zeit|temps|sec(?:ond)?s?|s|ms)$", re.I)
_COUNTER = re.compile(r"(?:|#|n|nr|no|index|sample|samples|sample #)$", re.I)
_NAMED = re.compile(r"(.*?)[\s_]*(?:\(([^()]*)\)|\[([^\[\]]*)\]|/\s*([^/\s]+)|_(ms|us|s))?$")
_SECONDS = {"ms": 1e-3, "msec": 1e-3, "milliseconds": 1e-3, "us": 1e-6, "µs": 1e-6, "min": 60.0}
_LONGEST = 5000  # characters of a line
_HINT_RATE = (
    "Write “# rate: 360” (samples a second) as the file’s first line, or add a column “time (s)”."
)


@dataclass(frozen=True)
class _Text:
    """The rows with something on them. lines: (number in the file, text); rate: what a comment
    says, Hz."""

    lines: list[tuple[int, str]]
    delimiter: str | None
    rate: float | None


def read_csv(data: bytes) -> Signal:
    """The signal in the text. Raises MediumError, which names the line at fault."""
    text = _split(_decode(data))
    header = _header(text)
    body = text.lines[len(header) :]
    width = len(_cells(body[0][1], text.delimiter)) if body else 0
    check_size(max(1, width - 1), len(body))
    names, units = _names(header, width)
    table = _numbers(body, text.delimiter, width)
    first = _first_column(table, names[0] if header else None)
    if first == "signal" or width == 1:
        rate = text.rate
    else:
        unit = units[0] or (names[0].lower() if names[0].lower() in _SECONDS else "s")
        rate = text.rate or _rate(table[:, 0] * _SECONDS.get(unit.lower(), 1.0), first, body)
        table, names, units = table[:, 1:], names[1:], units[1:]
    if rate is None:
        raise MediumError(
            "no_rate", "The file does not say how many samples a second it holds.", _HINT_RATE
        )
    check_size(table.shape[1], table.shape[0])
    named = tuple(name or f"channel {i}" for i, name in enumerate(names, 1))
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused as that
        values = np.ascontiguousarray(table.T, np.float32)
    return Signal(values, rate, named, tuple(units))


def _decode(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    elif b"\0" in data[:4096]:
        raise MediumError(
            "not_text", "This is not a text file.", "Choose a CSV, or an EDF file (.edf)."
        )
    else:
        encoding = "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _split(text: str) -> _Text:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if (count := text.count("\n")) > 2 * MAX_SAMPLES:
        check_size(1, count)  # before millions of lines become objects
    lines, rate = [], None
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > _LONGEST:
            raise MediumError(
                "ragged",
                f"Line {number:,} is too long to be a row of {MAX_CHANNELS} values.",
                "Write one row a sample, one column a channel.",
            )
        line = line.strip()
        if line.startswith(("#", "%")):
            if rate is None and (found := _RATE.search(line)):
                rate = _rate_said(found[1], number)
        elif line.strip(",; \t"):
            lines.append((number, line))
    if not lines:
        raise MediumError("empty", "The file is empty.", "Choose a file with values in it.")
    middle = lines[len(lines) // 2][1]  # no header, and not cut off
    delimiter = next((d for d in ";\t," if d in middle), None)
    if delimiter != ",":
        lines = [(number, line.replace(",", ".")) for number, line in lines]
    return _Text(lines, delimiter, rate)


def _rate_said(text: str, number: int) -> float:
    try:
        return float(text.strip(".,").replace(",", "."))
    except ValueError as error:
        raise MediumError(
            "bad_rate", f"Line {number}: the rate is no number.", _HINT_RATE
        ) from error


def _header(text: _Text) -> list[list[str]]:
    """The rows before the values: none, the names, or the names and their units."""
    rows = []
    for _, line in text.lines[:2]:
        cells = _cells(line, text.delimiter)
        if any(map(_is_number, cells)):
            break
        rows.append(cells)
    return rows


def _cells(line: str, delimiter: str | None) -> list[str]:
    cells = line.split() if delimiter is None else next(csv.reader([line], delimiter=delimiter))
    return [cell.strip(" '\"") for cell in cells]


def _is_number(cell: str) -> bool:
    try:
        _seconds(cell)
    except ValueError:
        return False
    return True


def _names(header: list[list[str]], width: int) -> tuple[list[str], list[str]]:
    """The name and the unit of each column; “ECG (mV)” has both."""
    titles = ((header[0] if header else []) + [""] * width)[:width]
    below = ((header[1] if len(header) > 1 else []) + [""] * width)[:width]
    names, units = [], []
    for title, unit in zip(titles, below, strict=True):
        found = _NAMED.match(title)
        name, *within = found.groups() if found else (title, None)
        names.append(name[:40])
        units.append((unit or next(filter(None, within), ""))[:16])
    return names, units


def _numbers(body: Sequence[tuple[int, str]], delimiter: str | None, width: int) -> _Table:
    """The values, (rows, width)."""
    clock = ":" in body[0][1]
    try:
        table = np.loadtxt(
            (line for _, line in body),
            delimiter=delimiter,
            ndmin=2,
            comments=None,
            quotechar='"',
            converters={0: _seconds} if clock else None,
            encoding=None,
        )
    except ValueError as error:
        raise _fault(body, delimiter, width) from error
    if not np.isfinite(table).all():
        row = int(np.flatnonzero(~np.isfinite(table).all(1))[0])
        raise MediumError(
            "not_finite",
            f"Line {body[row][0]:,} has a value that is not a finite number (NaN or infinite).",
            "Cut the part without gaps out, or fill the gaps.",
        )
    return np.asarray(table, np.float64)


def _fault(body: Sequence[tuple[int, str]], delimiter: str | None, width: int) -> MediumError:
    """Where the text is no table of numbers."""
    for number, line in body:
        cells = _cells(line, delimiter)
        if len(cells) != width:
            return MediumError(
                "ragged",
                f"Line {number:,} has {len(cells)} columns, the first one with values {width}.",
                "Every line needs a value in each column.",
            )
        for place, cell in enumerate(cells, 1):
            if not _is_number(cell):
                said = f"“{cell[:20]}”, which is no number" if cell else "nothing"
                return MediumError(
                    "not_a_number",
                    f"Line {number:,}, column {place} holds {said}.",
                    "Each cell must be a number; a header may have one or two lines.",
                )
    return MediumError("not_a_number", "The file is no table of numbers.", "Export it as CSV.")


def _seconds(cell: str) -> float:
    """A number; or a time of day, 0:00:01.5 or 2026-01-31T00:00:01.5, in seconds."""
    cell = cell.strip(" '\"[]")
    if ":" not in cell:
        return float(cell)
    if "-" in cell.lstrip("-"):
        moment = datetime.fromisoformat(cell)
        return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    seconds = 0.0
    for part in cell.split(":"):
        seconds = 60 * seconds + float(part)
    return seconds


def _first_column(table: _Table, name: str | None) -> str:
    """What the first column is: `time`, a `counter` of samples, or a `signal`."""
    if name is not None:
        if _TIME.match(name):
            return "time"
        return "counter" if _COUNTER.match(name) else "signal"
    steps = np.diff(table[:, 0])
    if steps.size == 0 or steps.min() <= 0 or not _even(steps):
        return "signal"
    return "counter" if np.all(steps == 1) else "time"


def _even(steps: _Table) -> bool:
    """Whether times follow evenly, as far as they were rounded: no step is lost or doubled."""
    usual = float(steps.mean())
    return bool(usual > 0 and steps.min() >= 0.5 * usual and steps.max() <= 1.5 * usual)


def _rate(times: _Table, column: str, body: Sequence[tuple[int, str]]) -> float | None:
    """Samples a second, from a column of time."""
    if column == "counter":
        return None
    steps = np.diff(times)
    if not _even(steps):
        usual = float(np.median(steps))
        row = int(np.abs(steps - usual).argmax())
        raise MediumError(
            "uneven",
            f"The times are not evenly spaced: line {body[row + 1][0]:,} comes {steps[row]:.4g} s "
            f"after the one before it, where {usual:.4g} s is usual.",
            "Bring the signal to one rate first; or, where the times do not matter, write "
            "“# rate: 360” (samples a second) as the first line.",
        )
    rate = (times.size - 1) / float(times[-1] - times[0])
    nearest = round(rate)  # times are often rounded: a sample more or less over the whole
    return float(nearest) if abs(rate - nearest) <= rate / times.size else rate


def write_csv(signal: Signal) -> bytes:
    """The signal with its rate, its time in seconds and its units."""
    titles = [f"{n} ({u})" if u else n for n, u in zip(signal.names, signal.units, strict=True)]
    times = np.arange(signal.values.shape[-1]) / signal.rate
    lines = [f"# rate: {signal.rate:.10g}", _row(["time (s)", *titles])]
    for time, *row in zip(times.tolist(), *signal.values.tolist(), strict=True):
        lines.append(",".join([f"{time:.6f}", *(f"{value:.6g}" for value in row)]))
    return ("\n".join(lines) + "\n").encode()


def _row(cells: Sequence[str]) -> str:
    return ",".join(f'"{c.replace(chr(34), "")}"' if "," in c else c for c in cells)
