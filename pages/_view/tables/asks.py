"""What the leakage pages ask the core: prepared sets, tables, kept per question and score file."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages._view import loaders, pickers, state
from sing_core.errors import ImageSetError, SingError
from sing_core.files.digests import content_key
from sing_core.leakage import (
    alarms,
    classes,
    comparison,
    concept_map,
    concepts,
    probes,
    scored_sets,
    steered,
    transfers,
    variant_scores,
)
from sing_core.leakage import real_pairs as real_pairs_of
from sing_core.leakage.concept_lists import ConceptList
from sing_core.maths.head_transfer import Transfer
from sing_core.maths.head_variants import WHOLE_HEAD, HeadVariant
from sing_core.maths.statistics import RankCorrelation, rank_correlation
from sing_core.models.head_classes import mapping_state
from sing_core.sets import catalogue
from sing_core.sets.chunks import SetFolder


@dataclass(frozen=True, slots=True)
class NullPart:
    """Which null space is removed: that of ``variant``, cut to ``dimension`` where it is larger."""

    variant: HeadVariant = WHOLE_HEAD
    dimension: int | None = None


_ALL = NullPart()


def set_names() -> list[str]:
    """Return the names of the prepared sets, those that ship first.

    Raises:
        SingError: a set's folder is damaged.
    """
    return [folder.facts.name for folder in scored_sets.offered_sets(loaders.bench())]


def pick_set(page: str) -> str:
    """Draw the picker of prepared sets; return its name, or stop with what to do."""
    try:
        names = set_names()
    except SingError as error:
        _stop(str(error))
    if not names:
        state.write_url()
        st.info(
            "No set of images is prepared yet: run `python -m sing_core prepare --images …`.",
            icon=":material/inventory_2:",
        )
        st.stop()
    key = f"{page}.set"
    state.receive("set", key, names[0], names.__contains__, "a prepared set")
    chosen = st.selectbox(
        "Image set",
        names,
        key=key,
        persist_state="session",
        help="Images that were prepared once: their features and scores, not the images.",
    )
    state.publish("set", chosen or names[0], names[0])
    pickers.pick_reference()
    return chosen or names[0]


def scored_models(images: str) -> list[str]:
    """Return the classifiers under which a set has scores.

    Raises:
        SingError: a set's folder is damaged.
    """
    return list(scored_sets.scored_models(loaders.bench(), folder(images), loaders.reference()))


def folder(images: str) -> SetFolder:
    """Return the folder of a prepared set.

    Raises:
        SingError: there is none of this name, or a set's folder is damaged.
    """
    sets = catalogue.image_sets(loaders.settings())
    found = next((one for one in sets if one.facts.name == images), None)
    if found is None:
        raise ImageSetError(f"No prepared set is called “{images[:80]}”.")
    return found


def repeated_classes(model: str, images: str) -> tuple[int, ...]:
    """Return the classes of a set with several images.

    Raises:
        SingError: see ``open_set``.
    """
    scored = _open(model, images)
    return _kept(_key("repeated", scored), lambda: variant_scores.repeated_classes(scored))


def deciding_classes(model: str, images: str, text: str) -> tuple[int, ...]:
    """Return the classes that a text names.

    Raises:
        SingError: see ``open_set`` and ``deciding_classes``.
    """
    return variant_scores.deciding_classes(_open(model, images), text)


def common_dimension(models: list[str], images: str, variant: HeadVariant) -> int | None:
    """Return the dimension of the smallest null space that there is.

    Raises:
        SingError: see ``open_set`` and ``common_dimension``.
    """
    return variant_scores.common_dimension([_open(model, images) for model in models], variant)


def score_under(model: str, images: str, part: NullPart, report: variant_scores.Report) -> None:
    """Compute the scores of a set whose ``part`` is removed, unless they are there.

    Raises:
        SingError: see ``open_set`` and ``under``.
    """
    variant_scores.under(_open(model, images), part.variant, report, dimension=part.dimension)


def class_rows(model: str, images: str, part: NullPart = _ALL) -> tuple[classes.ClassRow, ...]:
    """Return the rows of every class of a set.

    Raises:
        SingError: see ``open_set``, ``under`` and ``class_table``.
    """
    scored = _open(model, images, part)
    state_of = mapping_state(loaders.settings(), loaders.bench().classifier(model))
    key = content_key(_key("classes", scored), state_of)
    return _kept(key, lambda: classes.class_table(scored))


def class_images(model: str, images: str, index: int) -> list[dict[str, Any]]:
    """Return the scores of the images of one class.

    Raises:
        SingError: see ``open_set`` and ``class_images``.
    """
    return classes.class_images(_open(model, images), index)


def target_rows(
    model: str, images: str, index: int, degrees: float
) -> tuple[steered.TargetRow, ...]:
    """Return every class as a target for the images of class ``index``, the easiest first.

    Raises:
        SingError: see ``open_set`` and ``target_rows``.
    """
    scored = _open(model, images)
    key = content_key(_key("targets", scored), repr(index), repr(degrees))
    return _kept(key, lambda: steered.target_rows(scored, index, degrees))


def model_rows(models: list[str], images: str, part: NullPart) -> list[comparison.ModelRow]:
    """Return a row per model.

    Raises:
        SingError: see ``open_set``, ``under`` and ``model_row``.
    """
    return [_model_row(_open(model, images, part)) for model in models]


def _model_row(scored: scored_sets.ScoredSet) -> comparison.ModelRow:
    return _kept(_key("model", scored), lambda: comparison.model_row(scored))


def pair_rows(models: list[str], images: str, part: NullPart) -> tuple[comparison.PairRow, ...]:
    """Return the paired differences of every two models.

    Raises:
        SingError: see ``open_set``, ``under`` and ``pair_rows``.
    """
    sets = [_open(model, images, part) for model in models]
    key = content_key(*(_key("pairs", scored) for scored in sets))
    return _kept(key, lambda: comparison.pair_rows(sets))


def transfer_rows(models: list[str], images: str) -> list[Transfer]:
    """Return the two trained heads' accuracies, a row per model.

    Raises:
        SingError: see ``open_set`` and ``set_transfer``.
    """
    return [_transfer(_open(model, images)) for model in models]


def _transfer(scored: scored_sets.ScoredSet) -> Transfer:
    return _kept(_key("transfer", scored), lambda: transfers.set_transfer(scored))


def correlation(first: list[float], second: list[float]) -> RankCorrelation:
    """Return the rank correlation of two models' classes.

    Raises:
        SingError: there are fewer than three classes, or one list is constant.
    """
    key = content_key("correlation", repr(first), repr(second))
    return _kept(key, lambda: rank_correlation(first, second))


def probed(model: str, images: str, read: str) -> probes.ProbeTable:
    """Return what probes read from the parts of a set's features.

    Raises:
        SingError: see ``open_set`` and ``probe``.
    """
    scored = _open(model, images)
    return _kept(content_key(_key("probe", scored), read), lambda: probes.probe(scored, read))


def alarm_rows(model: str, images: str, against: str) -> tuple[alarms.AlarmRow, ...]:
    """Return how well the null part tells errors, or other images, from the usual ones.

    Raises:
        SingError: see ``open_set`` and ``alarms``.
    """
    scored = _open(model, images)
    return _kept(
        content_key(_key("alarms", scored), against), lambda: alarms.alarms(scored, against)
    )


def kinds_of(model: str, images: str) -> list[str]:
    """Return the kinds of images that a set holds, where it holds several.

    Raises:
        SingError: see ``open_set``.
    """
    found = _open(model, images).ask("SELECT DISTINCT stratum FROM images ORDER BY stratum")
    kinds: list[str] = found["stratum"].to_pylist()
    return kinds if len(kinds) > 1 else []


def real_pairs(model: str, images: str) -> real_pairs_of.RealPairs:
    """Return the real equivalents of a set.

    Raises:
        SingError: see ``open_set`` and ``real_pairs``.
    """
    scored = _open(model, images)
    return _kept(_key("real pairs", scored), lambda: real_pairs_of.real_pairs(scored))


def steered_rows(
    models: list[str], images: str, part: NullPart, prompt: str, degrees: float
) -> list[steered.SteeredRow]:
    """Return the set steered towards a prompt, a row per model.

    Raises:
        SingError: see ``open_set``, ``under`` and ``steered_row``.
    """
    return [_steered_row(_open(model, images, part), prompt, degrees) for model in models]


def _steered_row(scored: scored_sets.ScoredSet, prompt: str, degrees: float) -> steered.SteeredRow:
    key = content_key(_key("steered", scored), prompt, repr(degrees))
    return _kept(key, lambda: steered.steered_row(scored, prompt, degrees))


def concept_rows(
    model: str, images: str, wanted: ConceptList, label: int | None, bound_deg: float
) -> tuple[concepts.ConceptRow, ...]:
    """Return a row per concept.

    Raises:
        SingError: see ``open_set`` and ``concept_table``.
    """
    scored = _open(model, images)
    key = content_key(_key("concepts", scored), repr(label), repr(bound_deg), *wanted.prompts)
    return _kept(
        key, lambda: concepts.concept_table(scored, wanted, label=label, bound_deg=bound_deg)
    )


def concept_images(model: str, images: str, prompt: str, label: int | None) -> list[dict[str, Any]]:
    """Return the images of a class, or of the whole set, with their scores towards a prompt.

    Raises:
        SingError: see ``open_set`` and ``concept_images``.
    """
    scored = _open(model, images)
    key = content_key(_key("concept images", scored), repr(label), prompt)
    return _kept(key, lambda: concepts.concept_images(scored, prompt, label=label))


def concept_network(model: str, images: str, prompts: tuple[str, ...]) -> concept_map.ConceptMap:
    """Return where concepts lie by meaning, and which are joined.

    Raises:
        SingError: see ``open_set`` and ``embed``.
    """
    scored = _open(model, images)
    key = content_key(_key("network", scored), *prompts)
    return _kept(key, lambda: concept_map.concept_map(concepts.embed(scored, prompts)))


def _open(model: str, images: str, part: NullPart = _ALL) -> scored_sets.ScoredSet:
    with st.spinner("Reading the set’s scores…"):  # centred ones are made when first asked for
        whole = scored_sets.open_set(
            loaders.bench(), model, images=images, reference=loaders.reference()
        )
    return variant_scores.under(whole, part.variant, dimension=part.dimension)


def _key(verb: str, scored: scored_sets.ScoredSet) -> str:
    """Return a key that changes with the score file: a set that is prepared again is read again."""
    stat = scored.path.stat()
    return content_key(verb, str(scored.path), str(stat.st_mtime_ns), str(stat.st_size))


@st.cache_data(max_entries=128, show_spinner=False)
def _kept(key: str, _ask: Callable[[], Any]) -> Any:  # noqa: ANN401 - returns what it was given
    return _ask()


def _stop(message: str) -> None:
    state.write_url()
    st.error(message, icon=":material/error:")
    st.stop()
