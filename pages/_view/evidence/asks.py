"""What the Evidence page asks the core, kept per question and score file."""

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from pages._view import loaders
from pages._view.tables.opened import ALL, Part, kept, key_of, opened
from sing_core.files.digests import content_key
from sing_core.leakage import (
    alarms,
    class_choices,
    concept_choices,
    multiverse,
    nuisance_lens,
    nuisances,
    photographs,
    planting,
    probes,
)
from sing_core.leakage import planted_alarms as planted_alarms_of
from sing_core.leakage import real_pairs as real_pairs_of
from sing_core.leakage import translations as translations_of
from sing_core.leakage.alarm_rows import AlarmRow
from sing_core.leakage.claims import Claim
from sing_core.leakage.concept_lists import ConceptList
from sing_core.leakage.differences import barrier
from sing_core.leakage.set_networks import networks_state
from sing_core.models.registry import base_of


def probed(model: str, images: str, read: str, part: Part = ALL) -> probes.ProbeTable:
    """Return what probes read from the parts of a set's features.

    Raises:
        SingError: see ``open_set`` and ``probe``.
    """
    scored = opened(model, images, part)
    return kept(content_key(key_of("probe", scored), read), lambda: probes.probe(scored, read))


def alarm_rows(model: str, images: str, against: str, part: Part = ALL) -> tuple[AlarmRow, ...]:
    """Return how well the null part tells errors, or other images, from the usual ones.

    Raises:
        SingError: see ``open_set`` and ``alarms``.
    """
    scored = opened(model, images, part)
    key = content_key(key_of("alarms", scored), against)
    return kept(key, lambda: alarms.alarms(scored, against))


def real_pairs(model: str, images: str, part: Part = ALL) -> real_pairs_of.RealPairs:
    """Return the real equivalents of a set.

    Raises:
        SingError: see ``open_set`` and ``real_pairs``.
    """
    scored = opened(model, images, part)
    return kept(key_of("real pairs", scored), lambda: real_pairs_of.real_pairs(scored))


def claims(models: list[str], images: str, networks: bool) -> tuple[Claim, ...]:
    """Return which claims about models, and about every two, survive other choices.

    Here and below ``networks``: under the non-linear translators that are trained, too.

    Raises:
        SingError: see ``open_set`` and ``multiverse``.
    """
    sets = [opened(model, images) for model in models]
    fits = (fit for model in models for fit in _fits(model))
    key = content_key(*(key_of("choices", scored) for scored in sets), *fits, repr(networks))
    return kept(key, lambda: multiverse.multiverse(sets, networks=networks))


def barred(models: list[str], images: str) -> str:
    """Return why two models must not be compared; empty where they may be, or are not two.

    Raises:
        SingError: see ``open_set``.
    """
    return barrier(*(opened(model, images) for model in models)) if len(models) > 1 else ""


def class_claim(model: str, images: str, index: int, networks: bool, part: Part = ALL) -> Claim:
    """Return whether what is said of class ``index`` survives other choices.

    Raises:
        SingError: see ``open_set`` and ``class_claim``.
    """
    scored = opened(model, images, part)
    asked = (repr(index), repr(networks), *_fits(model))
    key = content_key(key_of("class choices", scored), *asked)
    return kept(key, lambda: class_choices.class_claim(scored, index, networks=networks))


def concept_claims(
    model: str,
    images: str,
    wanted: ConceptList,
    label: int | None,
    networks: bool,
    part: Part = ALL,
) -> tuple[Claim, ...]:
    """Return of each concept whether what is said of it survives other choices.

    Raises:
        SingError: see ``open_set`` and ``concept_claims``.
    """
    scored = opened(model, images, part)
    asked = (repr(label), repr(networks), *wanted.prompts, *_fits(model))
    key = content_key(key_of("concept choices", scored), *asked)
    return kept(
        key,
        lambda: concept_choices.concept_claims(scored, wanted, label, networks=networks),
    )


def translations(model: str, images: str) -> translations_of.Translations:
    """Return the translators that are trained, beside each other.

    Raises:
        SingError: see ``open_set`` and ``translations``.
    """
    scored = opened(model, images)
    key = content_key(key_of("translations", scored), repr(networks_state(scored)))
    return kept(key, lambda: translations_of.translations(scored))


def _fits(model: str) -> list[str]:
    """Return what changes with a translator of ``model`` into any reference."""
    bench = loaders.bench()
    return [bench.translator_state(model, base_of(name)) for name in loaders.references()]


def photographs_of(
    model: str, images: str, part: Part | None, most: int
) -> tuple[photographs.Photograph, ...]:
    """Return at most ``most`` of the photographs behind a part of a set; None: the sample photos.

    Raises:
        SingError: see ``open_set`` and ``sample_photographs``.
    """
    if part is None:
        return photographs.sample_photographs()
    return photographs.photographs_of(opened(model, images, part), most)


def planted(
    model: str,
    chosen: Sequence[photographs.Photograph],
    report: Callable[[int], object],
) -> tuple[tuple[nuisances.NuisanceRow, ...], float | None]:
    """Return the rows of what is planted in photographs, and the null share between two of them.

    ``report`` hears how many photographs the classifier has seen, of the ``chosen``.

    Raises:
        SingError: see ``plant``, ``lens_of`` and ``nuisance_rows``.
    """
    bench, reference = loaders.bench(), loaders.reference()
    seen = _seen(model, chosen, report)

    def rows() -> tuple[tuple[nuisances.NuisanceRow, ...], float | None]:
        lens = nuisance_lens.lens_of(bench, seen, model, reference)
        return nuisances.nuisance_rows(seen, lens), nuisances.share_between(seen, lens.linear)

    return kept(_key_of_planted("nuisances", model, chosen), rows)


def planted_alarms(
    model: str,
    nuisance: str,
    chosen: Sequence[photographs.Photograph],
    report: Callable[[int], object],
) -> tuple[AlarmRow, ...]:
    """Return how well the null part tells photographs with a nuisance from those without.

    Raises:
        SingError: see ``plant`` and ``planted_alarms``.
    """
    bench, reference = loaders.bench(), loaders.reference()
    seen = _seen(model, chosen, report)
    return kept(
        content_key(_key_of_planted("planted alarms", model, chosen), nuisance),
        lambda: planted_alarms_of.planted_alarms(bench, seen, nuisance, model, reference),
    )


def _seen(
    model: str, chosen: Sequence[photographs.Photograph], report: Callable[[int], object]
) -> list[planting.Planted]:
    """Return what a model makes of every nuisance in photographs; those seen before at once."""
    bench, seen = loaders.bench(), []
    nuisance_lens.check_null_space(bench, model)
    for done, photo in enumerate(chosen):
        report(done)
        key = content_key("planted", bench.entry(model).weights_digest, photo.digest, photo.kin)
        seen.append(_planted(key, partial(_plant, model, photo)))
    return seen


def _key_of_planted(verb: str, model: str, chosen: Sequence[photographs.Photograph]) -> str:
    bench, reference = loaders.bench(), loaders.reference()
    weights, fit = bench.entry(model).weights_digest, bench.translator_state(model, reference)
    whose = (text for photo in chosen for text in (photo.digest, photo.kin))
    return content_key(verb, weights, reference, fit, *whose)


def _plant(model: str, photo: photographs.Photograph) -> planting.Planted:
    loaders.rest()
    return planting.plant(loaders.bench().pool.backbone(model), photo)


@st.cache_data(max_entries=256, show_spinner=False)
def _planted(key: str, _ask: Callable[[], planting.Planted]) -> planting.Planted:
    """Return what a classifier makes of one photograph with nuisances in it, asked once."""
    return _ask()
