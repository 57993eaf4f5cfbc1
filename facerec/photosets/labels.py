"""What is known of the people of a photo set: a CSV file with a row a person."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterator

from webapp.errors import UserFacingError

LABEL_FILES = ("labels.csv", "people.csv")
MAX_LABEL_BYTES = 5 * 1024**2
FIRST_COLUMN = ("person", "folder")

Labels = dict[str, dict[str, str]]  # person -> column -> value


def read_labels(data: bytes, name: str) -> Labels:
    """The rows of a label file: UTF-8, parted by commas, semicolons or tabs.

    The first line names the columns; the first column, `person` or `folder`, is a person's folder.
    Columns' names come back in lower case, with `_` for spaces.

    Raises:
        UserFacingError: `labels_invalid`, with the line.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _invalid(name, "it is not UTF-8 text", "Save it as “CSV UTF-8”.") from error
    first_line = text.partition("\n")[0]
    delimiter = max(",;\t", key=first_line.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    numbered = ((lines.line_num, row) for row in lines)
    try:
        return _rows(numbered, name)
    except csv.Error as error:
        raise _invalid(name, f"line {lines.line_num} cannot be read") from error


def _rows(lines: Iterator[tuple[int, list[str]]], name: str) -> Labels:
    _, header = next(lines, (1, []))
    columns = [column.strip().lower().replace(" ", "_") for column in header]
    if not columns or columns[0] not in FIRST_COLUMN:
        raise _invalid(name, "its first column is not called person", "See the example.")
    if "" in columns or len(set(columns)) != len(columns):
        raise _invalid(name, "two of its columns have the same name, or one has none")
    labels: Labels = {}
    for number, row in lines:
        values = [value.strip() for value in row]
        if not any(values):
            continue
        if len(values) != len(columns):
            raise _invalid(
                name,
                f"line {number} has {len(values)} values, but there are {len(columns)} columns",
            )
        person = unicodedata.normalize("NFC", values[0])
        if not person or person in labels:
            what = f"a second row for “{person}”" if person else "no person"
            raise _invalid(name, f"line {number} has {what}")
        labels[person] = dict(zip(columns[1:], values[1:], strict=True))
    return labels


def _invalid(name: str, what: str, hint: str = "") -> UserFacingError:
    return UserFacingError(
        "labels_invalid",
        f"{name} cannot be used: {what}.",
        hint or "Correct the file and try again.",
        status=422,
        field="archive",
    )
