"""A person's list of concepts: text or a file, one concept a line, made safe to embed."""

import codecs
from collections.abc import Sequence
from dataclasses import dataclass

from sing_core.errors import ConceptListError, PromptError
from sing_core.models.prompts import CLASS_TEMPLATE, clean_prompt

MAX_CONCEPTS = 5_000
_NAMED = 3
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class ConceptList:
    """Concepts ready to embed.

    Attributes:
        labels: what was typed, each once; ``prompts`` the sentences that are embedded.
        notes: whole sentences about every line that was left out.
    """

    labels: tuple[str, ...]
    prompts: tuple[str, ...]
    notes: tuple[str, ...]


def read_text(payload: bytes) -> str:
    """Return the text of an uploaded list: UTF-8, or UTF-16 with its mark.

    Raises:
        ConceptListError: it is neither.
    """
    encoding = next((name for mark, name in _BOMS if payload.startswith(mark)), "utf-8")
    try:
        text = payload.decode(encoding)
    except UnicodeDecodeError as error:
        raise ConceptListError(
            "This list is not UTF-8 text; save it as UTF-8 and try again."
        ) from error
    if "\0" in text:
        raise ConceptListError("This file is no text: it holds zero bytes.")
    return text


def parse_concepts(
    text: str, *, template: str = CLASS_TEMPLATE, max_chars: int = 300
) -> ConceptList:
    """Return the concepts of ``text``, one a line; empty lines separate, repeated ones count once.

    ``template`` holds ``{}`` where the concept goes.

    Raises:
        ConceptListError: there is no usable line, more than 5,000, or no ``{}`` in the template.
    """
    if template.count("{}") != 1:
        raise ConceptListError("A template holds {} once, where the concept goes.")
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > MAX_CONCEPTS:
        raise ConceptListError(
            f"This list has {len(lines):,} lines; up to {MAX_CONCEPTS:,} can be used at once."
        )
    found: dict[str, str] = {}
    refused: list[str] = []
    repeated = 0
    for line in lines:
        try:
            label = clean_prompt(line, max_chars=max_chars)
            prompt = clean_prompt(template.replace("{}", label), max_chars=max_chars)
        except PromptError:
            refused.append(line.strip()[:40])
            continue
        repeated += label in found
        found[label] = prompt
    if not found:
        raise ConceptListError("This list has no usable line; write one concept a line.")
    notes = _notes(refused, repeated)
    return ConceptList(tuple(found), tuple(found.values()), notes)


def _notes(refused: Sequence[str], repeated: int) -> tuple[str, ...]:
    notes = []
    if refused:
        named = ", ".join(f"“{line}”" for line in refused[:_NAMED])
        more = " and others" if len(refused) > _NAMED else ""
        notes.append(
            f"Left out, as they are too long or have no letters: {len(refused):,} lines "
            f"({named}{more})."
        )
    if repeated:
        notes.append(f"Lines that were there before and count once: {repeated:,}.")
    return tuple(notes)
