"""One damaged byte in a file that is kept, at seeded random places: for the tests of bit rot."""

import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from sing_core.errors import HeadError, ImageSetError, StaleArtefactError

PLACES = 100
MENDED = 3  # of those that are named, so many are made again
TOLD = (StaleArtefactError, HeadError, ImageSetError)


@dataclass
class Kept:
    """A file, how it is read, and how it is made again."""

    path: Any
    read: Any
    again: Any


def check(kept, places=PLACES):
    whole, right = kept.path.read_bytes(), kept.read()
    rng = np.random.default_rng(len(whole))
    named, sentences = 0, set()
    for turn, place in enumerate(rng.integers(0, len(whole), places).tolist()):
        payload = bytearray(whole)
        payload[place] ^= int(rng.integers(1, 256))
        kept.path.write_bytes(payload)
        os.utime(kept.path, ns=(turn, turn))  # faster than the clock of some file systems
        try:
            found = kept.read()
        except TOLD as error:
            named += 1
            sentences.add(str(error))
            if named <= MENDED:
                kept.again()
            else:
                kept.path.write_bytes(whole)
            found = kept.read()
        assert found == right, f"byte {place} of {kept.path.name} changed the answer"
        kept.path.write_bytes(whole)
    assert all(found.endswith(".") and "\n" not in found for found in sentences)
    return named
