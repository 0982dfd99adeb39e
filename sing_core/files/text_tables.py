"""Tables that lists of names come as: whose column holds the names, and in which order they stand.

A table has the same cells in every line; or, as people write them, a code (a number or a wnid), a
sign, and a name that may hold the sign again.
"""

import csv
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from sing_core.errors import TextListError

_TITLES = ("label", "labels", "name", "names", "class", "classes", "class_name", "concept", "text")
_CODE_TITLES = ("id", "ids", "index", "idx", "no", "number", "code", "wnid", "synset", "label_id")
_CODE = re.compile(r"[0-9]{1,12}|n[0-9]{8}", re.ASCII)
_THOUSANDS = re.compile(r"[0-9]{3}(?![0-9])", re.ASCII)
_FIRST = re.compile(
    r"(?P<quote>['\"]?)(?P<code>[0-9]{1,12}|n[0-9]{8})(?P=quote)"
    r"(?P<sign>[ \t]*[,;:|=)][ \t]*|\.[ \t]+|[ \t]+-[ \t]+|[ \t]+)(?P<name>\S.*)",
    re.ASCII,
)
_LAST = re.compile(
    r"(?P<name>.*[^ \t,;|])(?P<sign>[ \t]*[,;|][ \t]*|\t[ \t]*)(?P<code>[0-9]{1,12})", re.ASCII
)
_QUOTED = re.compile(r"(['\"])(.*)\1,?")
_STRUCTURE = re.compile(r"\w+\s*=\s*[(\[{]|\{\s*(?:['\"][^'\"]*['\"]|\w+)\s*:|[\[{]\s*['\"(\[{]")


@dataclass(frozen=True, slots=True)
class _Table:
    """Rows with the same number of cells; ``title`` of a split one is the line above them."""

    rows: list[list[str]]
    title: str = ""


def refuse_structures(text: str, lines: Sequence[str], name: str) -> None:
    """Refuse text that a program wrote for a program: its marks would stand in the names.

    Raises:
        TextListError: it is JSON, or JSON in every line, or a dictionary or list of Python.
    """
    body = text.strip()
    if body and (_is_json(body) or all(_is_json(line) for line in lines)):
        raise TextListError(f"{name} is JSON; a list of one name a line is needed.")
    if _STRUCTURE.match(body) and body.endswith(("]", "}", ")")):
        raise TextListError(
            f"{name} is a dictionary or list as Python writes it; a list of one name a line is "
            "needed."
        )


def names_in_table(lines: Sequence[str], name: str) -> tuple[tuple[str, ...], str] | None:
    """Return the names in a table, and a sentence on where they were; None where it is none.

    Raises:
        TextListError: it has no column of names or several.
    """
    found, split = _even(lines), _split(lines)
    places = _named(found.rows) if found else []
    if split is not None and len(places) != 1:  # or names that hold the sign in every line
        found, places = split, _named(split.rows)
    if found is None:
        return None
    columns = len(found.rows[0])
    if len(places) != 1:
        raise TextListError(
            f"{name} is a table of {columns} columns, and "
            f"{'several hold' if places else 'none holds'} names; one name a line is needed."
        )
    rows, order = _in_order(found.rows[_has_titles(found.rows) :])
    names = tuple(row[places[0]].strip() for row in rows)
    title = f"; “{found.title[:40]}” is their title" if found.title else ""
    note = (
        f"{name} is a table of {columns} columns; the names were taken from column "
        f"{places[0] + 1}{order}{title}."
    )
    return tuple(found for found in names if found), note


def _is_json(text: str) -> bool:
    if not text.startswith(("[", "{")):
        return False
    try:
        return isinstance(json.loads(text), list | dict)
    except (ValueError, RecursionError):
        return False


def _even(lines: Sequence[str]) -> _Table | None:
    """Return the rows where every line has the same two or more cells; None else."""
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
            return _Table(rows)
    return None


def _is_prose(line: str) -> bool:
    """Return whether every comma has a blank behind it, or stands inside a number."""
    parts = line.split(",")
    return all(
        (left[-1:].isdecimal() and _THOUSANDS.match(right) is not None)
        or (right.startswith(" ") and not left.strip().isdecimal())
        for left, right in pairwise(parts)
    )


def _split(lines: Sequence[str]) -> _Table | None:
    """Return code and name where every line, a title aside, begins or ends with a code."""
    for pattern in (_FIRST, _LAST):
        for title in (0, 1):
            found = _parted(lines[title:], pattern)
            if found is None or (title and not _is_title(lines[0])):
                continue
            codes, names = found
            columns = [codes, names] if pattern is _FIRST else [names, codes]
            again = _parted(names, _FIRST) if pattern is _FIRST else None
            if again is not None and codes[0].isdecimal() != again[0][0].isdecimal():
                columns = [codes, *again]  # an index and a wnid
            return _Table([list(row) for row in zip(*columns, strict=True)], "".join(lines[:title]))
    return None


def _parted(lines: Sequence[str], pattern: re.Pattern[str]) -> tuple[list[str], list[str]] | None:
    """Return codes and names of all lines; None where a line has none, or the sign is no sign."""
    matches = [match for line in lines if (match := pattern.fullmatch(line))]
    if len(matches) != len(lines) or len(lines) < 2:
        return None
    signs = {"\t" if "\t" in match["sign"] else match["sign"].strip() for match in matches}
    codes, names = [match["code"] for match in matches], [match["name"] for match in matches]
    sign = signs.pop()
    are_numbers = sign in {",", ":"} and all(
        match["sign"] == sign and match["name"][0].isdecimal() for match in matches
    )
    is_weak = not sign or pattern is _LAST
    if signs or are_numbers or (is_weak and not _count(codes)):
        return None
    quoted = [match for found in names if (match := _QUOTED.fullmatch(found))]
    return codes, [match[2] for match in quoted] if len(quoted) == len(names) else names


def _count(codes: Sequence[str]) -> bool:
    """Return whether codes are wnids, or numbers that ascend from 0 or 1."""
    if not all(code.isdecimal() for code in codes):
        return not any(code.isdecimal() for code in codes)
    numbers = [int(code) for code in codes]
    return numbers[0] in (0, 1) and all(low < high for low, high in pairwise(numbers))


def _is_title(line: str) -> bool:
    """Return whether a line above a table names its columns."""
    words = re.split(r"[,;:|=\t ]+", line.strip(" ,;:|=\t\"'").lower())
    return all(word.strip("\"'") in (*_TITLES, *_CODE_TITLES) for word in words)


def _named(rows: list[list[str]]) -> list[int]:
    """Return the places of the columns that hold names."""
    columns = list(zip(*rows, strict=True))
    named = [i for i, column in enumerate(columns) if not _is_code(column)]
    if len(named) > 1 and _has_titles(rows):
        titled = [i for i in named if columns[i][0].strip().lower() in _TITLES]
        return titled if len(titled) == 1 else named
    return named


def _is_code(column: Sequence[str]) -> bool:
    """Return whether a column holds numbers or wnids, under a title or not."""
    return all(_CODE.fullmatch(cell.strip()) for cell in column[1:] or column)


def _has_titles(rows: list[list[str]]) -> bool:
    if len(rows) < 2:
        return False
    columns = list(zip(*rows, strict=True))
    coded = [column for column in columns if _is_code(column)]
    if coded:
        return any(not _CODE.fullmatch(column[0].strip()) for column in coded)
    return any(column[0].strip().lower() in _TITLES for column in columns)


def _in_order(rows: list[list[str]]) -> tuple[list[list[str]], str]:
    """Return rows in the order of the first column that counts from 0 or 1, if there is one."""
    for place in range(len(rows[0]) if rows else 0):
        cells = [row[place].strip() for row in rows]
        if not all(_CODE.fullmatch(cell) and cell.isdecimal() for cell in cells):
            continue
        numbers = [int(cell) for cell in cells]
        first = min(numbers, default=0)
        if first in (0, 1) and sorted(numbers) == list(range(first, first + len(numbers))):
            if numbers == sorted(numbers):
                return rows, ""
            ordered = sorted(rows, key=lambda row: int(row[place]))
            return ordered, f", in the order of column {place + 1}"
    return rows, ""
