"""Whether a prompt has a word that the lists on this machine know.

A score of a text that means nothing is still a number. Only a text without any known word is
remarked on, and as a condition: names and other languages are no mistakes.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from sing_core.errors import WeightsUnavailableError
from sing_core.files.packages import TEXT_TOWER, verified
from sing_core.models.imagenet import imagenet_labels, wordnet_descriptions
from sing_core.models.prompts import attributes
from sing_core.models.text_pools import text_pool

if TYPE_CHECKING:
    from sing_core.settings import Settings

_SHORTEST_WORD = 2  # a letter alone names nothing
NOTE = (
    "No word of this text is in the English word lists that come with this program. Names and "
    "other languages may be read all the same; if the text means nothing, its scores mean little."
)


def unknown_note(prompt: str, settings: "Settings") -> str:
    """Return ``NOTE`` where no word of a prompt is known, whatever its case or accents; else "".

    Without the word lists nothing is said of any prompt.
    """
    words = _asked(prompt)
    try:
        return NOTE if all(words.isdisjoint(known) for known in _lists(settings)) else ""
    except WeightsUnavailableError:
        return ""


def _lists(settings: "Settings") -> Iterator[Iterable[str]]:
    """Yield the words of the sentence encoder, of our concepts and texts, and of WordNet."""
    yield verified(TEXT_TOWER["vocab.txt"]).read_text("utf-8").splitlines()
    yield _words(attributes(settings))
    yield _words(text_pool("general", settings))
    yield _of_wordnet()


@lru_cache(maxsize=1)
def _of_wordnet() -> frozenset[str]:
    """Return the words in the names and definitions of the 21,000 things of ImageNet."""
    return frozenset(_words([*imagenet_labels(), *wordnet_descriptions()]))


def _words(texts: Iterable[str]) -> set[str]:
    """Return the words of texts, small, without accents."""
    parts = unicodedata.normalize("NFD", " ".join(texts).casefold())
    bare = "".join(c for c in parts if not unicodedata.combining(c))
    return {word for word in re.split(r"[\W_]+", bare) if len(word) >= _SHORTEST_WORD}


def _asked(prompt: str) -> set[str]:
    """Return the words of a prompt, each also as the singular that it may have."""
    words = _words([prompt])
    return words | {word.removesuffix(end) for word in words for end in ("s", "es")}
