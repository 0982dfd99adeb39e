"""What the question about one hidden direction asks the core, kept per direction."""

from pages._view import loaders
from pages._view.tables.opened import kept
from pages._view.units import asks
from sing_core.files.digests import content_key
from sing_core.units import set_directions
from sing_core.units.directions import RandomBand
from sing_core.units.set_directions import AskedDirection, SetDirection


def direction_of(asked: AskedDirection, size: int) -> tuple[SetDirection, int]:
    """Return the card of a direction by ``size`` texts, and out of how many texts.

    What random directions are left is kept apart: it is the same for all directions of a head.

    Raises:
        SingError: see ``direction_of_set``.
    """
    bench = loaders.bench()
    texts, embeddings = asks.pool_of(asked.reference)
    state = asks.state_of(asked.model, asked.reference)

    def draw() -> RandomBand:
        loaders.rest()
        return set_directions.band_of(bench, asked, embeddings)

    def ask() -> SetDirection:
        band: RandomBand = kept(content_key("random directions", state, repr(asked.variant)), draw)
        loaders.rest()
        return set_directions.direction_of_set(bench, asked, texts, embeddings, band, size=size)

    found: SetDirection = kept(content_key("direction", state, repr(asked), str(size)), ask)
    return found, len(texts)
