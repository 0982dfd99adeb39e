"""The null space in words: which texts carry what a head cannot see of a class or a set.

TextSpan of the rows ``A Pi_n f`` (SING's T, its linear part A), beside the same of what decides and
of random subspaces as large. It names directions in which the hidden part varies over the images;
that a text is named does not say that every image shows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from sing_core.errors import ImageSetError
from sing_core.maths.controls import random_basis
from sing_core.maths.linear_head import LinearHead
from sing_core.maths.text_span import text_span
from sing_core.maths.translator import Translator
from sing_core.units.stable_words import STABLE, Word, stable_words

FEWEST_IMAGES = 4
# Random subspaces beside the null space: one that hides more, or less, than all of them stands
# apart in one case of ten by chance.
DRAWS = 19
# Below so many dimensions a text, texts carry much whatever they say.
_FEW_DIMENSIONS = 5
Band = tuple[float, float]


@dataclass(frozen=True, slots=True)
class SpanWords:
    """What one part of the features says.

    Attributes:
        subspace: ``null``, ``principal`` or ``random``.
        dim: its dimensions.
        words: the texts, in order.
        share: of the variance of all ``T(f)`` that lies in it.
        shares: of random subspaces, the least and the largest share of ``DRAWS`` of them; words
            and ``share`` are those of the first.
        explained_of_all: likewise of what their texts explain.
        images: over how many images, which span one dimension fewer.
        kinds: how many of each kind they are, in words, where several are pooled.
    """

    subspace: str
    dim: int
    words: tuple[Word, ...]
    share: float
    shares: Band | None = None
    explained_of_all: Band | None = None
    images: int = 0
    kinds: str = ""

    @property
    def explained(self) -> float:
        """Share of the part's own variance that all its texts explain."""
        return sum(word.gain for word in self.words)

    def as_rows(self) -> list[dict[str, Any]]:
        """Return a row a text."""
        low, high = self.shares or (None, None)
        least, most = self.explained_of_all or (None, None)
        facts = {
            "subspace": self.subspace, "dim": self.dim, "variance_share": self.share,
            "variance_low": low, "variance_high": high, "explained": self.explained,
            "explained_low": least, "explained_high": most, "images": self.images,
            "kinds": self.kinds,
        }  # fmt: skip
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
    kinds: str = "",
) -> tuple[SpanWords, ...]:
    """Return the words of what is hidden, of what decides, and of random directions, as many.

    ``features`` ``(n, m)``; ``embeddings`` ``(M, d)`` of length 1. ``kinds`` says in words which
    kinds of images are pooled.

    Raises:
        ImageSetError: there are fewer than four images.
    """
    if len(features) < FEWEST_IMAGES:
        raise ImageSetError(
            f"{where}: {len(features)} in this set, and words need at least {FEWEST_IMAGES}, since "
            "they name what varies from one to the next."
        )
    wide, into, head = features.double(), translator.weight.double().mT, linear.head
    total = max(_variation(wide @ into), 1e-300)
    found = []
    for name, dim, part in (
        ("null", head.nullity, head.null_part(wide)),
        ("principal", head.rank, head.principal_part(wide)),
    ):
        rows = part @ into
        words = _words(rows, texts, embeddings, size) if dim else ()
        found.append(SpanWords(name, dim, words, _variation(rows) / total))
    found.append(
        _random_words(wide, into, head.nullity, total,
                      texts=texts, embeddings=embeddings, size=size)
        if head.nullity else SpanWords("random", 0, (), 0.0)
    )  # fmt: skip
    return tuple(replace(part, images=len(features), kinds=kinds) for part in found)


def _random_words(
    features: Tensor,
    into: Tensor,
    dim: int,
    total: float,
    *,
    texts: Sequence[str],
    embeddings: Tensor,
    size: int,
) -> SpanWords:
    """Return the words of a random subspace, and the shares of as many as ``DRAWS``."""
    shares, explained = [], []
    for seed in reversed(range(DRAWS)):  # the words are those of the first
        rows = _random_part(features, dim, seed) @ into
        shares.append(_variation(rows) / total)
        explained.append(float(text_span(rows, embeddings, size).gains.sum()))
    words = _words(rows, texts, embeddings, size)
    bands = (min(shares), max(shares)), (min(explained), max(explained))
    return SpanWords("random", dim, words, shares[-1], *bands)


def _variation(rows: Tensor) -> float:
    return float((rows - rows.mean(dim=0)).square().sum())


def _random_part(features: Tensor, dim: int, seed: int) -> Tensor:
    """Return what of ``features`` ``(n, m)`` lies in a random subspace, float64.

    What is orthogonal to a uniform subspace is uniform too: the smaller of the two is drawn.
    """
    m = features.shape[1]
    basis = random_basis(m, min(dim, m - dim), seed)
    part = (features @ basis) @ basis.mT
    return part if 2 * dim <= m else features - part


def _words(rows: Tensor, texts: Sequence[str], embeddings: Tensor, size: int) -> tuple[Word, ...]:
    return stable_words(lambda part: text_span(rows[part], embeddings, size), len(rows), texts)


def beyond_chance(found: Sequence[SpanWords]) -> bool:
    """Whether the texts carry more of what is hidden than of any random subspace as large."""
    null, _, random = found
    return random.explained_of_all is None or null.explained > random.explained_of_all[1]


def sentence(found: Sequence[SpanWords], what: str) -> str:
    """Return what is hidden of ``what``, in words with a magnitude.

    Texts that carry no more of it than of random subspaces are details, and no name.
    """
    null, _, random = found
    if not null.words:
        return f"Nothing of {what} is hidden: there is no null space, or nothing varies in it."
    firm = [word for word in null.words if word.stability >= STABLE]
    named = " and ".join(f"“{word.text}”" for word in (firm or null.words)[:2])
    carried, many = f"{100 * null.explained:.0f} % of it", len(null.words)
    if not beyond_chance(found):
        said = (
            "The texts say no more of what is hidden than of random subspaces: no words. Of what "
            f"is hidden of {what} {many} texts, {named} before others, carry {carried}"
        )
    elif firm:
        said = f"What is hidden of {what} is first about {named}; its {many} texts carry {carried}"
    else:
        said = (
            f"What is hidden of {what} has no name that these images settle: no text returns in "
            f"half of all random halves of them. Its first {many} texts, {named} before others, "
            f"carry {carried}"
        )
    return (
        f"{said}, {_beside(null.explained, random.explained_of_all)}.{_for_free(null)} The null "
        f"space has {100 * null.share:.1f} % of what varies in meaning, "
        f"{_beside(null.share, random.shares)}."
    )


def _for_free(part: SpanWords) -> str:
    """Return that so few images leave little to carry; "" where they span enough dimensions."""
    most, many = min(part.images - 1, part.dim), len(part.words)
    if not 0 < most < _FEW_DIMENSIONS * many:
        return ""
    return (
        f" {part.images} images span at most {most} dimensions there: {many} "
        f"text{'' if many == 1 else 's'} carr{'ies' if many == 1 else 'y'} much of so few for free."
    )


def _beside(value: float, band: Band | None) -> str:
    """Return where a share lies beside those of random subspaces as large."""
    low, high = band or (value, value)
    ends = f"{100 * low:.1f} to {100 * high:.1f} %"
    where = "less than in any of" if value < low else "more than in any of" if value > high else ""
    if where:
        return f"{where} {DRAWS} random subspaces as large ({ends})"
    return f"within what {DRAWS} random subspaces as large have ({ends})"
