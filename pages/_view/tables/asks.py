"""What the leakage pages ask the core: prepared sets, tables, kept per question and score file."""

from typing import Any

from pages._view import loaders
from pages._view.tables.opened import ALL, Part, kept, key_of, opened
from sing_core.errors import ImageSetError
from sing_core.files.digests import content_key
from sing_core.leakage import (
    agreement,
    classes,
    comparison,
    concept_map,
    concepts,
    differences,
    orders,
    scored_sets,
    steered,
    strata,
    targets,
    transfers,
    variant_scores,
)
from sing_core.leakage.concept_lists import ConceptList
from sing_core.leakage.name_control import NameControl
from sing_core.leakage.name_control import name_control as control_of
from sing_core.leakage.vocabulary_scale import VocabularyScale, vocabulary_scale
from sing_core.maths.head_transfer import Transfer
from sing_core.maths.head_variants import HeadVariant
from sing_core.models.head_classes import mapping_state
from sing_core.models.registry import spaces_from
from sing_core.sets import catalogue
from sing_core.sets.chunks import SetFolder


def set_names() -> list[str]:
    """Return the names of the prepared sets, those that ship first.

    Raises:
        SingError: a set's folder is damaged.
    """
    return [folder.facts.name for folder in scored_sets.offered_sets(loaders.bench())]


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
    scored = opened(model, images)
    return kept(key_of("repeated", scored), lambda: variant_scores.repeated_classes(scored))


def deciding_classes(model: str, images: str, text: str) -> tuple[int, ...]:
    """Return the classes that a text names.

    Raises:
        SingError: see ``open_set`` and ``deciding_classes``.
    """
    return variant_scores.deciding_classes(opened(model, images), text)


def common_dimension(models: list[str], images: str, variant: HeadVariant) -> int | None:
    """Return the dimension of the smallest null space that there is.

    Raises:
        SingError: see ``open_set`` and ``common_dimension``.
    """
    return variant_scores.common_dimension([opened(model, images) for model in models], variant)


def score_under(model: str, images: str, part: Part, report: variant_scores.Report) -> None:
    """Compute the scores of a set whose ``part`` is removed, unless they are there.

    Raises:
        SingError: see ``open_set`` and ``under``.
    """
    variant_scores.under(opened(model, images), part.variant, report, dimension=part.dimension)


def class_rows(model: str, images: str, part: Part = ALL) -> tuple[classes.ClassRow, ...]:
    """Return the rows of every class of a set.

    Raises:
        SingError: see ``open_set``, ``under`` and ``class_table``.
    """
    scored = opened(model, images, part)
    state_of = mapping_state(loaders.settings(), loaders.bench().classifier(model))
    key = content_key(key_of("classes", scored), state_of)
    return kept(key, lambda: classes.class_table(scored))


def name_control(model: str, images: str, part: Part = ALL) -> NameControl | None:
    """Return what random parts do to own names, beside the null part.

    Raises:
        SingError: see ``open_set``, ``under`` and ``name_control``.
    """
    scored = opened(model, images, part)
    return kept(key_of("name control", scored), lambda: control_of(scored))


def class_images(model: str, images: str, index: int, part: Part = ALL) -> list[dict[str, Any]]:
    """Return the scores of the images of one class.

    Raises:
        SingError: see ``open_set`` and ``class_images``.
    """
    return classes.class_images(opened(model, images, part), index)


def target_rows(
    model: str, images: str, index: int, degrees: float, part: Part = ALL
) -> tuple[targets.TargetRow, ...]:
    """Return every class as a target for the images of class ``index``, the easiest first.

    Raises:
        SingError: see ``open_set`` and ``target_rows``.
    """
    scored = opened(model, images, part)
    key = content_key(key_of("targets", scored), repr(index), repr(degrees))
    return kept(key, lambda: targets.target_rows(scored, index, degrees))


def model_rows(models: list[str], images: str, part: Part) -> list[comparison.ModelRow]:
    """Return a row per model.

    Raises:
        SingError: see ``open_set``, ``under`` and ``model_row``.
    """
    return [_model_row(opened(model, images, part)) for model in models]


def _model_row(scored: scored_sets.ScoredSet) -> comparison.ModelRow:
    return kept(key_of("model", scored), lambda: comparison.model_row(scored))


def pair_rows(models: list[str], images: str, part: Part) -> tuple[differences.PairRow, ...]:
    """Return the paired differences of every two models.

    Raises:
        SingError: see ``open_set``, ``under`` and ``pair_rows``.
    """
    sets = [opened(model, images, part) for model in models]
    key = content_key(*(key_of("pairs", scored) for scored in sets))
    return kept(key, lambda: differences.pair_rows(sets))


def order_rows(models: list[str], images: str, part: Part) -> tuple[orders.Order, ...]:
    """Return the order of models in the chosen reference, then in those with scores of them all.

    Raises:
        SingError: see ``open_set``, ``under`` and ``orders``.
    """

    def of(space: str) -> list[scored_sets.ScoredSet]:
        return [opened(model, images, part, space) for model in models]

    spaces = spaces_from(loaders.reference(), loaders.settings())
    key = content_key(*(key_of("orders", scored) for scored in of(spaces[0])))
    return kept(key, lambda: orders.orders(spaces, of))


def transfer_rows(models: list[str], images: str) -> list[Transfer]:
    """Return the two trained heads' accuracies, a row per model.

    Raises:
        SingError: see ``open_set`` and ``set_transfer``.
    """
    return [_transfer(opened(model, images)) for model in models]


def _transfer(scored: scored_sets.ScoredSet) -> Transfer:
    return kept(key_of("transfer", scored), lambda: transfers.set_transfer(scored))


def agreement_rows(
    models: tuple[str, str], images: str, part: Part = ALL
) -> tuple[agreement.AgreementRow, ...]:
    """Return how far two models agree on which classes move, by AS and by ``|AS|``.

    Raises:
        SingError: see ``open_set`` and ``agreement_rows``.
    """
    first, second = (opened(model, images, part) for model in models)
    key = content_key(key_of("agreement", first), key_of("agreement", second))
    return kept(key, lambda: agreement.agreement_rows(first, second))


def strata_of(model: str, images: str) -> tuple[str, ...]:
    """Return the kinds of images of a set; none where they are of one kind.

    Raises:
        SingError: see ``open_set``.
    """
    scored = opened(model, images)
    return kept(key_of("strata", scored), lambda: strata.strata_of(scored))


def took_part(model: str, images: str, part: Part) -> strata.TookPart:
    """Return which of the images took part in fits.

    Raises:
        SingError: see ``open_set``, ``under`` and ``took_part``.
    """
    scored = opened(model, images, part)
    return kept(key_of("took part", scored), lambda: strata.took_part(scored))


def steered_rows(
    models: list[str], images: str, part: Part, prompt: str, degrees: float, source: int | None
) -> list[steered.SteeredRow]:
    """Return the set, or its images of one class, steered towards a prompt, a row per model.

    Raises:
        SingError: see ``open_set``, ``under`` and ``steered_row``.
    """
    sets = [opened(model, images, part) for model in models]
    return [_steered_row(scored, prompt, degrees, source) for scored in sets]


def _steered_row(
    scored: scored_sets.ScoredSet, prompt: str, degrees: float, source: int | None
) -> steered.SteeredRow:
    key = content_key(key_of("steered", scored), prompt, repr(degrees), repr(source))
    return kept(key, lambda: steered.steered_row(scored, prompt, degrees, source))


def concept_rows(
    model: str, images: str, wanted: ConceptList, label: int | None, bound_deg: float | None,
    part: Part = ALL,
) -> tuple[tuple[concepts.ConceptRow, ...], VocabularyScale]:  # fmt: skip
    """Return a row per concept, and what the reference's vocabulary says of the same images.

    Raises:
        SingError: see ``open_set``, ``vocabulary_scale`` and ``concept_table``.
    """
    scored, of = opened(model, images, part), repr(label)
    of_vocabulary = content_key(key_of("vocabulary", scored), of)
    scale = kept(of_vocabulary, lambda: vocabulary_scale(scored, label))
    asked = {"label": label, "bound_deg": bound_deg, "scale": scale}
    key = content_key(key_of("concepts", scored), of, repr(bound_deg), *wanted.prompts)
    return kept(key, lambda: concepts.concept_table(scored, wanted, **asked)), scale


def concept_images(
    model: str, images: str, prompt: str, label: int | None, part: Part = ALL
) -> list[dict[str, Any]]:
    """Return the images of a class, or of the whole set, with their scores towards a prompt.

    Raises:
        SingError: see ``open_set`` and ``concept_images``.
    """
    scored = opened(model, images, part)
    key = content_key(key_of("concept images", scored), repr(label), prompt)
    return kept(key, lambda: concepts.concept_images(scored, prompt, label=label))


def concept_network(model: str, images: str, prompts: tuple[str, ...]) -> concept_map.ConceptMap:
    """Return where concepts lie by meaning, and which are joined.

    Raises:
        SingError: see ``open_set`` and ``embed``.
    """
    scored = opened(model, images)
    key = content_key(key_of("network", scored), *prompts)
    return kept(key, lambda: concept_map.concept_map(concepts.embed(scored, prompts)))
