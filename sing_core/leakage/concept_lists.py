"""A person's list of concepts: text or a file, one concept a line, made safe to embed."""

from collections.abc import Sequence
from dataclasses import dataclass

from sing_core.errors import ConceptListError, PromptError
from sing_core.files.text_lists import rows_of
from sing_core.models.prompts import CLASS_TEMPLATE, clean_prompt, filled

MAX_CONCEPTS = 5_000
_NAMED = 3


@dataclass(frozen=True, slots=True)
class ConceptList:
    """Concepts ready to embed.

    Attributes:
        labels: what was typed, each once; ``prompts`` the sentences that are embedded.
        notes: whole sentences about how the list was read, and every line that was left out.
    """

    labels: tuple[str, ...]
    prompts: tuple[str, ...]
    notes: tuple[str, ...]


def parse_concepts(
    text: str, *, template: str = CLASS_TEMPLATE, max_chars: int = 300, notes: Sequence[str] = ()
) -> ConceptList:
    """Return the concepts of ``text``, one a line; empty lines separate, repeated ones count once.

    ``template`` holds ``{}`` where the concept goes; ``notes`` say how the text was read.

    Raises:
        ConceptListError: there is no usable line, more than 5,000, or no ``{}`` in the template.
        TextListError: it is a table in which the concepts cannot be told.
    """
    if template.count("{}") != 1:
        raise ConceptListError("A template holds {} once, where the concept goes.")
    listing = rows_of(text)
    lines = listing.lines
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
            prompt = clean_prompt(filled(template, label), max_chars=max_chars)
        except PromptError:
            refused.append(line.strip()[:40])
            continue
        repeated += label in found
        found[label] = prompt
    if not found:
        raise ConceptListError("This list has no usable line; write one concept a line.")
    said = (*notes, *listing.notes, *_notes(refused, repeated))
    return ConceptList(tuple(found), tuple(found.values()), said)


def _notes(refused: Sequence[str], repeated: int) -> tuple[str, ...]:
    notes = []
    if refused:
        named = ", ".join(f"“{line}”" for line in refused[:_NAMED])
        more = " and others" if len(refused) > _NAMED else ""
        notes.append(
            f"Left out, as they are too long or have no letters: {len(refused):,} "
            f"line{'' if len(refused) == 1 else 's'} ({named}{more})."
        )
    if repeated:
        notes.append(f"Lines that were there before and count once: {repeated:,}.")
    return tuple(notes)
