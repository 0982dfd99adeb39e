"""The scores that a page asks about, and answers that are kept per question and score file."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages._view import loaders
from sing_core.files.digests import content_key
from sing_core.leakage import scored_sets, strata, variant_scores
from sing_core.maths.head_variants import WHOLE_HEAD, HeadVariant


@dataclass(frozen=True, slots=True)
class Part:
    """What is asked of a set: whose null space is removed, and which images are looked at.

    Attributes:
        variant: whose null space, cut to ``dimension`` where it is larger.
        stratum: of which kind the images are; "" for all kinds, pooled.
    """

    variant: HeadVariant = WHOLE_HEAD
    dimension: int | None = None
    stratum: str = ""


ALL = Part()


def opened(model: str, images: str, part: Part = ALL, reference: str = "") -> scored_sets.ScoredSet:
    """Return the scores of a set, of the part that is asked; in the chosen reference unless named.

    Raises:
        SingError: see ``open_set``, ``under`` and ``within``.
    """
    with st.spinner("Reading the set’s scores…"):  # centred ones are made when first asked for
        whole = scored_sets.open_set(
            loaders.bench(), model, images=images, reference=reference or loaders.reference()
        )
    scored = variant_scores.under(whole, part.variant, dimension=part.dimension)
    return strata.within(scored, part.stratum)


def key_of(verb: str, scored: scored_sets.ScoredSet) -> str:
    """Return a key that changes with the score file: a set that is prepared again is read again."""
    stat = scored.path.stat()
    return content_key(
        verb, scored.stratum, str(scored.path), str(stat.st_mtime_ns), str(stat.st_size)
    )


@st.cache_data(max_entries=128, show_spinner=False)
def kept(key: str, _ask: Callable[[], Any]) -> Any:  # noqa: ANN401 - returns what it was given
    """Return the answer to ``key``, asked once."""
    return _ask()
