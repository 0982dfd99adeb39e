"""What a text tower reads of a prompt: its tokens, as far as its context and its words reach.

A tokeniser cuts what is too long, and reads every word that it has no letters for as the same
unknown one, without a word about either.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from sing_core.errors import PromptError

_BATCH = 64
_MOST_TOKENS = 5  # of one character: its bytes, and the end of a word
_SHOWN = 120
_ACCENTS = re.compile("[\u0300-\u036f]")


class Tokenise(Protocol):
    """What turns prompts into rows of token ids ``(n, length)``, as open_clip's tokenisers do."""

    def __call__(self, texts: list[str], context_length: int | None = None) -> Tensor:
        """Return the ids, cut or padded to ``context_length``, which is the tower's own if None."""


def note_on(name: str, tokenise: Tokenise, prompt: str) -> str:
    """Return what the reference ``name`` does not read of a prompt, in sentences; "" if all is."""
    return " ".join(filter(None, (_cut(name, tokenise, prompt), _unknown(name, tokenise, prompt))))


def refuse_the_same(name: str, tokenise: Tokenise, prompts: Sequence[str]) -> None:
    """Refuse prompts of one list that say something else and have the same tokens.

    Capitals, accents, blanks and punctuation are no difference: that is the tokeniser's own rule.

    Raises:
        PromptError: there are such; the message says which, and what is not read of them.
    """
    seen: dict[bytes, str] = {}
    for start in range(0, len(prompts), _BATCH):
        part = list(prompts[start : start + _BATCH])
        for prompt, row in zip(part, tokenise(part), strict=True):
            other = seen.setdefault(row.numpy().tobytes(), prompt)
            if other == prompt or _plain(other) == _plain(prompt):
                continue
            note = note_on(name, tokenise, prompt) or note_on(name, tokenise, other)
            why = note or f"{name} does not tell them apart: keep one."
            raise PromptError(f"“{_short(other)}” and “{_short(prompt)}” are read the same. {why}")


def _short(prompt: str) -> str:
    return prompt if len(prompt) <= 3 * _SHOWN else f"{prompt[: 3 * _SHOWN]}…"


def _plain(prompt: str) -> str:
    """Return a prompt without what tokenisers may leave out and a reader does not miss."""
    text = _ACCENTS.sub("", unicodedata.normalize("NFKD", prompt).casefold())
    return "".join(c for c in text if unicodedata.category(c)[0] not in "PZC")


def _cut(name: str, tokenise: Tokenise, prompt: str) -> str:
    """Return a sentence on the end of a prompt that is longer than the context, else ""."""
    tokens = tokenise(["a", prompt])
    whole = tokenise(["a", prompt], context_length=_MOST_TOKENS * (len(prompt) + 8))
    if _span(whole) <= _span(tokens):
        return ""
    read = bisect_left(
        range(len(prompt)), True, key=lambda k: _reads(tokenise, prompt[:k], tokens[1])
    )
    end = prompt[read:].strip()
    inside = prompt[max(read - 1, 0) : read + 1]
    length = tokens.shape[1]
    if not end:  # the last word alone is cut, and no beginning of it has the same tokens
        return (
            f"{name} reads {length} tokens of a prompt: the end of "
            f"“{prompt.split(' ')[-1][-_SHOWN:]}” is left out."
        )
    mark = "…" if inside.isalnum() and len(inside) == 2 else ""
    return f"{name} reads {length} tokens of a prompt: “{mark}{end}” is left out."


def _reads(tokenise: Tokenise, text: str, tokens: Tensor) -> bool:
    """Return whether ``text`` alone gives the same ``tokens`` ``(length,)``."""
    return torch.equal(tokenise([text])[0], tokens)


def _span(tokens: Tensor) -> int:
    """Return from where to where the second of two rows is no padding; the first says what is."""
    short, row = tokens
    padding = short.mode().values
    if short[0] != padding and short[-1] != padding:  # a token of the class stands behind all
        short, row = short[:-1], row[:-1]
    places = (row != padding).nonzero()
    return int(places.max() - places.min()) + 1 if len(places) else 0


def _unknown(name: str, tokenise: Tokenise, prompt: str) -> str:
    """Return a sentence on words that are all read as the same unknown one, else ""."""
    unknown = getattr(getattr(tokenise, "tokenizer", None), "unk_token_id", None)
    closes_all = unknown is not None and _holds(tokenise, "a", unknown)
    if unknown is None or closes_all or not _holds(tokenise, prompt, unknown):
        return ""
    words = [word for word in prompt.split() if _holds(tokenise, word, unknown)]
    listed = ", ".join(f"“{word[:_SHOWN]}”" for word in dict.fromkeys(words)) or f"“{prompt[:40]}”"
    return f"{name} has no tokens for {listed}: it reads any such word as the same unknown one."


def _holds(tokenise: Tokenise, text: str, token: int) -> bool:
    return bool((tokenise([text]) == token).any())
