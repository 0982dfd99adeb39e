"""Pools of texts that may describe what a direction means, and their embeddings in a reference.

``general``: our own short descriptions of what an image may show, from assets/text_pools.
``words``: the 10,000 most common English words, by the vocabulary of the installed sentence
encoder, whose whole words stand roughly in the order of how often they are used.
``classes``: ImageNet's classes, their prompts first, then WordNet's line on each.
"""

import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from sing_core.errors import UnknownNameError, WeightsUnavailableError
from sing_core.files.digests import content_key
from sing_core.files.packages import TEXT_TOWER, verified
from sing_core.files.text_lists import TextList, read_list
from sing_core.models import registry
from sing_core.models.imagenet import imagenet_definitions, imagenet_labels
from sing_core.models.prompts import clean_prompt, spoken_prompt, with_article
from sing_core.models.readings import find_centre
from sing_core.models.references import space_id

if TYPE_CHECKING:
    from sing_core.models.workbench import Workbench
    from sing_core.settings import Settings

POOLS = ("general", "words", "classes")
WORDS = 10_000
_SHORTEST_WORD = 3
# Raise when texts are embedded otherwise: older embeddings are then not found.
_VERSION = "1"


def text_pool(name: str, settings: "Settings") -> tuple[str, ...]:
    """Return the texts of one of ``POOLS``: distinct whatever their case, always in one order.

    Raises:
        UnknownNameError: there is no pool of this name.
        WeightsUnavailableError: the file that it is made from is missing or not the expected one.
    """
    if name == "general":
        return tuple(text for _, text in _general(settings))
    if name == "words":
        return tuple(_common_words())
    if name == "classes":
        return tuple(_distinct([*map(spoken_prompt, imagenet_labels()), *imagenet_definitions()]))
    raise UnknownNameError(
        f"There is no pool of texts called “{name[:120]}”. There are: {', '.join(POOLS)}."
    )


def general_properties(settings: "Settings") -> tuple[str, ...]:
    """Return the property that each text of the pool ``general`` is about, such as colour.

    Raises:
        WeightsUnavailableError: the file that it is made from is missing.
    """
    return tuple(about for about, _ in _general(settings))


def own_pool(path: Path, settings: "Settings") -> TextList:
    """Return the texts in a person's list, one a line, cleaned as prompts, each once.

    Raises:
        TextListError: the file cannot be read as a list.
        PromptError: a line is longer than a prompt may be, or has nothing that can be read.
    """
    found = read_list(path)
    cleaned = [clean_prompt(line, max_chars=settings.max_prompt_chars) for line in found.lines]
    return TextList(tuple(_distinct(cleaned)), found.notes)


def pool_embeddings(
    bench: "Workbench",
    reference: str,
    pool: Sequence[str],
    report: Callable[[int, int], object] | None = None,
) -> Tensor:
    """Return the embeddings ``(M, d)`` of the texts of a pool, float32 of length 1.

    They are kept on disk by the texts themselves, as ``reference`` reads them raw; a centred
    reading is a shift of that. A text that means nothing there is a row of zeros. ``report`` hears
    how many of how many are read, the first time.

    Raises:
        UnknownNameError: there is no such reference.
        WeightsUnavailableError: it is not there, or the reading that is asked needs a centre.
        PromptError: two texts say something else and are read the same.
    """
    base = registry.base_of(reference)
    space = space_id(base, bench.settings)

    def compute() -> dict[str, Tensor]:
        return {"embeddings": bench.pool.reference(base).embed_texts(pool, report)}

    key = _key(space, pool)
    kept = bench.store.get_or_compute("text_pools", key, compute, meta={"space_id": space})
    raw = kept["embeddings"]
    if registry.is_centred(reference):
        raw = find_centre(base, space, bench.settings).texts(raw)
    return torch.nn.functional.normalize(raw, dim=-1)


def were_read(bench: "Workbench", reference: str, pool: Sequence[str]) -> bool:
    """Whether the embeddings of a pool are on disk, so that nobody waits for them."""
    space = space_id(registry.base_of(reference), bench.settings)
    return bench.store.path("text_pools", _key(space, pool)).is_file()


def _key(space: str, pool: Sequence[str]) -> str:
    return content_key(_VERSION, space, *pool)


def _general(settings: "Settings") -> Iterator[tuple[str, str]]:
    """Yield every template with every word of its family, the first letter a capital.

    Each with the property that its family is about.
    """
    path = settings.assets_dir / "text_pools" / "general.toml"
    try:
        families: list[dict[str, Any]] = tomllib.loads(path.read_text("utf-8"))["family"]
    except OSError as error:
        raise WeightsUnavailableError(
            f"The general descriptions are missing: {path.name} was looked for in "
            "assets/text_pools."
        ) from error
    for family in families:
        words = [" ".join(word.split()) for word in family["words"].split(";")]
        for template in family["templates"]:
            for word in words:
                text = template.replace("{a}", with_article(word)).replace("{}", word)
                yield family["property"], text[0].upper() + text[1:]


def _common_words() -> list[str]:
    lines = verified(TEXT_TOWER["vocab.txt"]).read_text("utf-8").splitlines()
    whole = (w for w in lines if len(w) >= _SHORTEST_WORD and w.isascii() and w.isalpha())
    return _distinct(whole)[:WORDS]


def _distinct(texts: Iterator[str] | Sequence[str]) -> list[str]:
    """Return the first of all texts that are the same but for capitals."""
    found: dict[str, str] = {}
    for text in texts:
        found.setdefault(text.casefold(), text)
    return list(found.values())
