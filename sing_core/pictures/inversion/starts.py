"""The last starts of inversions: the next prompt on a photo begins where this one did."""

import threading
from collections import OrderedDict

from torch import Tensor

from sing_core.files.digests import content_key

_KEPT = 8


class Starts:
    """Finished levels of a pyramid by what decides them; safe to use from several threads."""

    def __init__(self) -> None:
        """Keep nothing yet, later the last 8: a few MB at most."""
        self._guard = threading.Lock()
        self._kept: OrderedDict[str, list[Tensor]] = OrderedDict()

    @staticmethod
    def key(feature: Tensor, prior: Tensor, seed: int) -> str:
        """Return the address of the start for a photo's ``feature (m,)`` over its ``prior``."""
        parts = (part.detach().cpu().contiguous().numpy().tobytes() for part in (feature, prior))
        return content_key(str(seed), *parts)

    def find(self, key: str) -> list[Tensor] | None:
        """Return the levels kept under ``key``, or None."""
        with self._guard:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def keep(self, key: str, levels: list[Tensor]) -> None:
        """Keep copies of ``levels``; the least recently used ones leave."""
        with self._guard:
            self._kept[key] = [level.detach().clone() for level in levels]
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
