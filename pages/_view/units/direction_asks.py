"""What the question about one hidden direction asks the core, kept per direction."""

from dataclasses import replace

from pages._view import loaders
from pages._view.tables.opened import kept
from pages._view.units import asks, word_asks
from pages._view.units.by_hand import answers, bar, once
from pages._view.units.pick_class import PartAsked
from sing_core.files.digests import content_key
from sing_core.units import set_directions, set_part
from sing_core.units.component_table import ComponentTable
from sing_core.units.directions import RandomBand
from sing_core.units.set_directions import AskedDirection, SetDirection


def direction_of(asked: AskedDirection, size: int) -> tuple[SetDirection, int]:
    """Return the card of a direction by ``size`` texts, and out of how many texts.

    Raises:
        SingError: see ``direction_of_set``.
    """
    texts, embeddings = word_asks.pool_of(asked.reference)
    band = _band(asked)

    def ask() -> SetDirection:
        loaders.rest()
        return set_directions.direction_of_set(
            loaders.bench(), asked, texts, embeddings, band, size=size
        )

    found: SetDirection = kept(_key("direction", asked, repr(asked), str(size)), ask)
    return found, len(texts)


def components_of(asked: AskedDirection, count: int) -> ComponentTable:
    """Return which of the first ``count`` components have words; a bar while they are looked at.

    Raises:
        SingError: see ``components_of_set``.
    """
    _, embeddings = word_asks.pool_of(asked.reference)
    band = _band(asked)

    def ask() -> ComponentTable:
        loaders.rest()
        with bar("texts are tried on the components") as report:
            return set_directions.components_of_set(
                loaders.bench(), asked, embeddings, band, count=count, report=report
            )

    found: ComponentTable = once(answers(), _table_key(asked, count), ask)
    return found


def most_components(part: PartAsked) -> int:
    """Return how many components there can be of the hidden part of images.

    Raises:
        SingError: see ``set_part.most_components``.
    """
    bench = loaders.bench()
    key = content_key("most components", bench.entry(part.model).weights_digest, repr(part))
    found: int = kept(
        key,
        lambda: set_part.most_components(
            bench, part.images, part.model, part.class_name, part.variant
        ),
    )
    return found


def were_looked_at(asked: AskedDirection, count: int) -> bool:
    """Whether ``components_of`` is known."""
    return _table_key(asked, count) in answers()


def _band(asked: AskedDirection) -> RandomBand:
    """Return what random directions are left: the same for all directions of a head."""
    texts, embeddings = word_asks.pool_of(asked.reference)

    def draw() -> RandomBand:
        loaders.rest()
        with bar("texts are tried on 99 random directions") as report:
            return set_directions.band_of(loaders.bench(), asked, embeddings, report=report)

    pool = word_asks.pool_key(asked.reference, texts)
    key = _key("random directions", asked, repr(asked.variant), pool)
    found: RandomBand = once(answers(), key, draw)
    return found


def _table_key(asked: AskedDirection, count: int) -> str:
    whose = replace(asked, component=1, against="")
    return _key("components", asked, repr(whose), str(count))


def _key(verb: str, asked: AskedDirection, *more: str) -> str:
    return content_key(verb, asks.state_of(asked.model, asked.reference), *more)
