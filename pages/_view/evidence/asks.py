"""What the Evidence page asks the core, kept per question and score file."""

from pages._view import loaders
from pages._view.tables.opened import kept, key_of, opened
from sing_core.files.digests import content_key
from sing_core.leakage import alarms, multiverse, probes
from sing_core.leakage import real_pairs as real_pairs_of
from sing_core.models.registry import base_of


def probed(model: str, images: str, read: str) -> probes.ProbeTable:
    """Return what probes read from the parts of a set's features.

    Raises:
        SingError: see ``open_set`` and ``probe``.
    """
    scored = opened(model, images)
    return kept(content_key(key_of("probe", scored), read), lambda: probes.probe(scored, read))


def alarm_rows(model: str, images: str, against: str) -> tuple[alarms.AlarmRow, ...]:
    """Return how well the null part tells errors, or other images, from the usual ones.

    Raises:
        SingError: see ``open_set`` and ``alarms``.
    """
    scored = opened(model, images)
    key = content_key(key_of("alarms", scored), against)
    return kept(key, lambda: alarms.alarms(scored, against))


def real_pairs(model: str, images: str) -> real_pairs_of.RealPairs:
    """Return the real equivalents of a set.

    Raises:
        SingError: see ``open_set`` and ``real_pairs``.
    """
    scored = opened(model, images)
    return kept(key_of("real pairs", scored), lambda: real_pairs_of.real_pairs(scored))


def claims(models: list[str], images: str) -> tuple[multiverse.Claim, ...]:
    """Return which claims about models, and about every two, survive other choices.

    Raises:
        SingError: see ``open_set`` and ``multiverse``.
    """
    sets = [opened(model, images) for model in models]
    bench = loaders.bench()
    fits = (bench.translator_state(m, base_of(r)) for m in models for r in loaders.references())
    key = content_key(*(key_of("choices", scored) for scored in sets), *fits)
    return kept(key, lambda: multiverse.multiverse(sets))
