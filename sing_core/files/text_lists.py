"""A person's list of names, one a line: whatever encoding it has, and whatever table it came from.

Everything that reads names from a file reads them here: labels beside weights, zero-shot classes,
lists of concepts. What is not plain is said in a sentence, or refused in one.
"""

import codecs
import csv
import json
import os
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from sing_core.errors import TextListError
from sing_core.files.regular import open_regular

MAX_BYTES = 16 * 2**20
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as UTF-16's mark does: it is asked first
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_TITLES = ("label", "labels", "name", "names", "class", "classes", "class_name", "concept", "text")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x19\x1b]")
_CODE = re.compile(r"[0-9]{1,12}|n[0-9]{8}", re.ASCII)
_THOUSANDS = re.compile(r"[0-9]{3}(?![0-9])", re.ASCII)
_WNID_AND_NAME = re.compile(r"n[0-9]{8}[ \t]+[^ \t,;]", re.ASCII)


@dataclass(frozen=True, slots=True)
class TextList:
    """Lines of a list.

    Attributes:
        lines: without surrounding blanks, empty ones left out.
        notes: whole sentences about how they were read, where that is not plain.
    """

    lines: tuple[str, ...]
    notes: tuple[str, ...] = ()


def read_list(path: Path) -> TextList:
    """Return the names in a text file.

    Raises:
        TextListError: it cannot be read, is empty, too large, no text, or a table in which the
            names cannot be told.
    """
    text, notes = text_of(path)
    found = rows_of(text, path.name)
    if not found.lines:
        raise TextListError(f"{path.name} is empty; a list has one name a line.")
    return TextList(found.lines, notes + found.notes)


def text_of(path: Path) -> tuple[str, tuple[str, ...]]:
    """Return the text of a file, and a sentence where its encoding had to be guessed.

    Raises:
        TextListError: it cannot be read, is too large, or no text.
    """
    try:
        with open_regular(path) as stream:
            payload = stream.read(MAX_BYTES + 1)
    except OSError as error:
        reason = getattr(error, "strerror", None) or str(error)
        name = os.fspath(path).replace("\0", "�")
        raise TextListError(f"The list {name} cannot be read: {reason.lower()}.") from error
    return decoded(payload, path.name)


def decoded(payload: bytes, name: str) -> tuple[str, tuple[str, ...]]:
    """Return the text in the bytes of a file called ``name``; as ``text_of``.

    Raises:
        TextListError: it is too large, or no text.
    """
    if len(payload) > MAX_BYTES:
        raise TextListError(f"{name} is larger than {MAX_BYTES // 2**20} MB: that is no list.")
    encoding = _encoding(payload)
    notes: tuple[str, ...] = ()
    try:
        text = payload.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise TextListError(
                f"{name} begins as {encoding.upper()} text and does not go on so."
            ) from error
        text = _western(payload)
        notes = (
            f"{name} is not UTF-8; it was read as Latin-1 (Windows-1252). Save it as UTF-8 if "
            "letters look wrong.",
        )
    if _CONTROL.search(text):
        what = "zero bytes" if "\0" in text else "control characters"
        raise TextListError(f"{name} is no text: it holds {what}.")
    return text.removeprefix("\ufeff"), notes


def rows_of(text: str, name: str = "This list") -> TextList:
    """Return the names in a text: its lines, or the one column of a table that holds names.

    A table's numbers give the order where they are a count from 0 or 1.

    Raises:
        TextListError: it is JSON, or a table with no column of names or several.
    """
    lines = tuple(line.strip() for line in text.splitlines() if line.strip())
    if _is_json(text):
        raise TextListError(f"{name} is JSON; a list of one name a line is needed.")
    table = _table(lines)
    if not table:
        return TextList(lines)
    columns = list(zip(*table, strict=True))
    codes = [_is_code(column) for column in columns]
    has_titles = len(table) > 1 and _has_titles(columns, codes)
    named = [i for i, code in enumerate(codes) if not code]
    titled = [i for i in named if has_titles and columns[i][0].strip().lower() in _TITLES]
    if len(named) > 1 and len(titled) == 1:
        named = titled
    if len(named) != 1:
        raise TextListError(
            f"{name} is a table of {len(columns)} columns, and "
            f"{'none holds' if not named else 'several hold'} names; one name a line is needed."
        )
    rows, order = _in_order(table[has_titles:], codes)
    names = tuple(row[named[0]].strip() for row in rows)
    note = (
        f"{name} is a table of {len(columns)} columns; the names were taken from column "
        f"{named[0] + 1}{order}."
    )
    return TextList(tuple(found for found in names if found), (note,))


def _encoding(payload: bytes) -> str:
    """Return the encoding that the first bytes promise; UTF-16 also shows by its zeros."""
    for mark, name in _BOMS:
        if payload.startswith(mark):
            return name
    start = payload[:2000]
    low, high = start[0::2].count(0), start[1::2].count(0)
    if len(start) >= 4 and len(payload) % 2 == 0 and max(low, high) > 0.3 * len(start) / 2:
        if not low:
            return "utf-16-le"
        if not high:
            return "utf-16-be"
    return "utf-8"


def _western(payload: bytes) -> str:
    try:
        return payload.decode("cp1252")
    except UnicodeDecodeError:  # five of its 256 places are empty
        return payload.decode("latin-1")


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith(("[", "{")):
        return False
    try:
        return isinstance(json.loads(text), list | dict)
    except (ValueError, RecursionError):
        return False


def _table(lines: tuple[str, ...]) -> list[list[str]]:
    """Return the rows where every line has the same two or more cells; [] where they are names."""
    if lines and all(_WNID_AND_NAME.match(line) for line in lines):
        return [line.split(maxsplit=1) for line in lines]
    for sign in ("\t", ";", ","):
        if not lines or not all(sign in line for line in lines):
            continue
        try:
            rows = list(csv.reader(lines, delimiter=sign, strict=True))
        except csv.Error:
            continue
        is_even = len(rows) == len(lines) and len({len(row) for row in rows}) == 1
        is_prose = sign == "," and all(_is_prose(line) for line in lines)
        if is_even and len(rows[0]) > 1 and not is_prose:
            return rows
    return []


def _is_prose(line: str) -> bool:
    """Return whether every comma has a blank behind it, or stands inside a number."""
    parts = line.split(",")
    return all(
        (left[-1:].isdecimal() and _THOUSANDS.match(right) is not None)
        or (right.startswith(" ") and not left.strip().isdecimal())
        for left, right in pairwise(parts)
    )


def _is_code(column: tuple[str, ...]) -> bool:
    """Return whether a column holds numbers or wnids, under a title or not."""
    return all(_CODE.fullmatch(cell.strip()) for cell in column[1:] or column)


def _has_titles(columns: list[tuple[str, ...]], codes: list[bool]) -> bool:
    if any(codes):
        pairs = zip(columns, codes, strict=True)
        return any(code and not _CODE.fullmatch(column[0].strip()) for column, code in pairs)
    return any(column[0].strip().lower() in _TITLES for column in columns)


def _in_order(rows: list[list[str]], codes: list[bool]) -> tuple[list[list[str]], str]:
    """Return rows in the order of the first column that counts from 0 or 1, if there is one."""
    for place, is_code in enumerate(codes):
        cells = [row[place].strip() for row in rows]
        if not is_code or not all(cell.isdecimal() for cell in cells):
            continue
        numbers = [int(cell) for cell in cells]
        first = min(numbers, default=0)
        if first in (0, 1) and sorted(numbers) == list(range(first, first + len(numbers))):
            if numbers == sorted(numbers):
                return rows, ""
            ordered = sorted(rows, key=lambda row: int(row[place]))
            return ordered, f", in the order of column {place + 1}"
    return rows, ""
