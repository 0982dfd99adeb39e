"""The null space in words: which texts carry what a head cannot see of a class or a set.

TextSpan of the rows ``A Pi_n f`` (SING's T, its linear part A), beside the same of what decides and
of random directions, as many. It names directions in which the hidden part varies over the images;
that a text is named does not say that every image shows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from sing_core.errors import ImageSetError
from sing_core.maths.controls import random_basis
from sing_core.maths.linear_head import LinearHead
from sing_core.maths.text_span import text_span
from sing_core.maths.translator import Translator
from sing_core.units.stable_words import STABLE, Word, stable_words

FEWEST_IMAGES = 4


@dataclass(frozen=True, slots=True)
class SpanWords:
    """What one part of the features says.

    Attributes:
        subspace: ``null``, ``principal`` or ``random``.
        dim: its dimensions.
        words: the texts, in order.
        share: of the variance of all ``T(f)`` that lies in it.
    """

    subspace: str
    dim: int
    words: tuple[Word, ...]
    share: float

    def as_rows(self) -> list[dict[str, Any]]:
        """Return a row a text."""
        facts = {"subspace": self.subspace, "dim": self.dim, "variance_share": self.share}
        return [facts | word.as_row() for word in self.words]


def null_words(
    features: Tensor,
    linear: LinearHead,
    translator: Translator,
    texts: Sequence[str],
    embeddings: Tensor,
    *,
    size: int = 10,
    where: str = "These images",
) -> tuple[SpanWords, ...]:
    """Return the words of what is hidden, of what decides, and of random directions, as many.

    ``features`` ``(n, m)``; ``embeddings`` ``(M, d)`` of length 1.

    Raises:
        ImageSetError: there are fewer than four images.
    """
    if len(features) < FEWEST_IMAGES:
        raise ImageSetError(
            f"{where}: {len(features)} in this set, and words need at least {FEWEST_IMAGES}, since "
            "they name what varies from one to the next."
        )
    wide = features.double()
    whole = wide @ translator.weight.double().mT
    total = float((whole - whole.mean(dim=0)).square().sum())
    head = linear.head
    basis = random_basis(wide.shape[1], head.nullity, seed=0)
    parts = (
        ("null", head.nullity, head.null_part(wide)),
        ("principal", head.rank, head.principal_part(wide)),
        ("random", head.nullity, (wide @ basis) @ basis.mT),
    )
    found = []
    for name, dim, part in parts:
        rows = part @ translator.weight.double().mT
        share = float((rows - rows.mean(dim=0)).square().sum()) / max(total, 1e-300)
        words = _words(rows, texts, embeddings, size) if dim else ()
        found.append(SpanWords(name, dim, words, share))
    return tuple(found)


def _words(rows: Tensor, texts: Sequence[str], embeddings: Tensor, size: int) -> tuple[Word, ...]:
    return stable_words(lambda part: text_span(rows[part], embeddings, size), len(rows), texts)


def sentence(found: Sequence[SpanWords], what: str) -> str:
    """Return what is hidden of ``what``, in words with a magnitude."""
    null, _, random = found
    if not null.words:
        return f"Nothing of {what} is hidden: there is no null space, or nothing varies in it."
    firm = [word for word in null.words if word.stability >= STABLE]
    named = " and ".join(f"“{word.text}”" for word in (firm or null.words)[:2])
    share = (
        f"the null space has {100 * null.share:.1f} % of what varies in meaning; as many random "
        f"directions have {100 * random.share:.1f} %"
    )
    carried = 100 * sum(word.gain for word in null.words)
    said = (
        f"What is hidden of {what} is first about {named}; its {len(null.words)} texts carry "
        f"{carried:.0f} % of it"
        if firm
        else f"What is hidden of {what} has no name that these images settle: no text returns in "
        f"half of all random halves of them. Its first {len(null.words)} texts, {named} before "
        f"others, carry {carried:.0f} % of it"
    )
    return f"{said}. {share[0].upper()}{share[1:]}."
