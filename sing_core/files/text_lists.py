"""A person's list of names, one a line: whatever encoding it has, and whatever table it came from.

Everything that reads names from a file reads them here: labels beside weights, zero-shot classes,
lists of concepts. What is not plain is said in a sentence, or refused in one.
"""

import codecs
import os
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from sing_core.errors import TextListError
from sing_core.files.regular import open_regular
from sing_core.files.text_tables import names_in_table, refuse_structures

MAX_BYTES = 16 * 2**20
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as UTF-16's mark does: it is asked first
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
_DOS_END = "\x1a"
# Where Python would begin a line, and an editor does not.
_INSIDE = re.compile("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_LOOKED_AT = 100_000  # characters


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
        text, notes = _guessed(payload, name)
    text = _without_end(text)
    if _CONTROL.search(text):
        what = "zero bytes" if "\0" in text else "control characters"
        raise TextListError(f"{name} is no text: it holds {what}.")
    return text.removeprefix("\ufeff"), notes


def rows_of(text: str, name: str = "This list") -> TextList:
    """Return the names in a text: its lines, or the one column of a table that holds names.

    A table's numbers give the order where they are a count from 0 or 1.

    Raises:
        TextListError: it is JSON or Python, or a table with no column of names or several.
    """
    lines = tuple(line.strip() for line in lines_of(text) if line.strip())
    refuse_structures(text, lines, name)
    found = names_in_table(lines, name)
    return TextList(lines) if found is None else TextList(found[0], (found[1],))


def lines_of(text: str) -> list[str]:
    """Return the lines of a text as editors show them: other separators are blanks in a line."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [_INSIDE.sub(" ", line) for line in lines]


def _without_end(text: str) -> str:
    """Return a text without the mark that DOS puts at the end of a file."""
    kept = text.rstrip(_DOS_END + " \t\r\n")
    return kept if _DOS_END in text[len(kept) :] else text


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


def _guessed(payload: bytes, name: str) -> tuple[str, tuple[str, ...]]:
    """Return text that is not UTF-8 and does not say what it is, and how it was read.

    Raises:
        TextListError: it is in no encoding that can be told.
    """
    for encoding in ("utf-16-le", "utf-16-be"):
        if text := _wide(payload, encoding):
            return text, (f"{name} was read as UTF-16. Save it as UTF-8 if letters look wrong.",)
    try:
        note = (
            f"{name} is not UTF-8; it was read as Latin-1 (Windows-1252). Save it as UTF-8 if "
            "letters look wrong."
        )
        return payload.decode("cp1252"), (note,)
    except UnicodeDecodeError as error:  # five of its 256 places are empty
        text = payload.decode("latin-1")
        if _CONTROL.search(_without_end(text)):
            return text, ()
        raise TextListError(
            f"{name} is neither UTF-8 nor Latin-1 (Windows-1252) text. Save it as UTF-8."
        ) from error


def _wide(payload: bytes, encoding: str) -> str:
    """Return text of two bytes a letter that has lines, and letters alone; else ""."""
    if len(payload) % 2 or b"\0" not in payload:
        return ""
    try:
        text = payload.decode(encoding)
    except UnicodeDecodeError:
        return ""
    start = _without_end(text)[:_LOOKED_AT]
    are_letters = all(c in "\r\n\t" or unicodedata.category(c)[0] != "C" for c in start)
    return text if "\n" in start and are_letters else ""
