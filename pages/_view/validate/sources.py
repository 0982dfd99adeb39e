"""Which images Validate asks, and what they answer: sample photos, your own, a prepared set."""

import shlex

import streamlit as st

from pages._view import commands, loaders, state
from pages._view.linked_number import LinkedNumber
from pages._view.tables.opened import opened
from pages._view.words.help import HELP
from pages._view.words.phrases import in_words
from sing_core.files.digests import content_key
from sing_core.files.images import Photo, decode_image
from sing_core.files.samples import SAMPLES, sample_bytes
from sing_core.leakage.scored_sets import offered_sets
from sing_core.models.registry import DEFAULT_REFERENCE
from sing_core.sets.chunks import Problem
from sing_core.sets.image_sets import open_image_set
from sing_core.studies.validation import Validation, validate, validate_set

_MOST_IMAGES = 200  # photos, which the network has to see first; a set is taken whole
_NAMED = 3
_SOURCES = {"samples": "Sample photos", "own": "Your images"}
_SET = "set:"
_SEED = LinkedNumber("seed", "validate.seed", 0, (0, 9999), "a seed", whole=True)
_OWN_FILES = "photos/*"
_OWN_NOTE = f"# {_OWN_FILES} stands for your images"


def pick_source() -> str:
    """Draw the choice of images; return ``samples``, ``own`` or ``set:`` and a set's name.

    Raises:
        SingError: a set's folder is damaged.
    """
    sets = [_SET + folder.facts.name for folder in offered_sets(loaders.bench())]
    offered = ["samples", *(["own"] if loaders.settings().images_dir else []), *sets]
    state.receive("images", "validate.images", "samples", offered.__contains__, "images")
    chosen = st.selectbox(
        "Images", offered, format_func=_titled, key="validate.images", help=HELP["image_set"],
        persist_state="session",
    )  # fmt: skip
    state.publish("images", chosen, "samples")
    return chosen


def _titled(source: str) -> str:
    return _SOURCES.get(source) or f"Set {in_words(source.removeprefix(_SET), 80)}"


def pick_seed() -> int:
    """Draw the seed of the random directions; return it."""
    _SEED.receive()
    low, high = map(int, _SEED.bounds)
    chosen = st.number_input("Seed", low, high, step=1, key=_SEED.key, help=HELP["validate_seed"])
    return int(_SEED.publish(chosen))


def validation(model: str, reference: str, source: str, seed: int) -> Validation:
    """Return the validation of a classifier, computed once per question.

    Raises:
        SingError: an image cannot be used, or something cannot be loaded.
    """
    state_of = loaders.bench().translator_state(model, reference)
    if source.startswith(_SET):
        path = opened(model, source.removeprefix(_SET)).path.stat()
        state_of = content_key(state_of, str(path.st_mtime_ns), str(path.st_size))
    found, left_out = _validation(model, reference, source, seed, state_of)
    for sentence in left_out:
        st.warning(sentence, icon=":material/broken_image:")
    return found


@st.cache_data(max_entries=32, show_spinner=False)
def _validation(
    model: str, reference: str, source: str, seed: int, state_of: str
) -> tuple[Validation, tuple[str, ...]]:
    """Return the validation, and sentences on the images that could not be used."""
    bench = loaders.bench()
    if source.startswith(_SET):
        scored = opened(model, source.removeprefix(_SET))
        rows = scored.ask("SELECT row FROM images")["row"].to_pylist()
        parts = scored.features(rows)
        found = validate_set(
            bench, parts, model=model, reference=reference, seed=seed,
            kind_of=scored.folder.facts.stratum,
        )  # fmt: skip
        return found, ()
    problems: list[Problem] = []
    photos = _photos(source, problems)
    found = validate(bench, photos, model=model, reference=reference, seed=seed)
    named = [f"{in_words(problem.name, 120)}: {problem.reason}" for problem in problems[:_NAMED]]
    if len(problems) > _NAMED:
        named.append(f"{len(problems) - _NAMED:,} more images could not be used.")
    return found, tuple(named)


def _photos(source: str, problems: list[Problem]) -> list[tuple[str, Photo]]:
    settings = loaders.settings()
    if source == "own" and settings.images_dir is not None:
        images = open_image_set(settings.images_dir).at_most(_MOST_IMAGES)
        photos = images.photos(problems, max_pixels=settings.max_pixels)
        return [(images.names[place], photo) for place, photo in photos]
    return [(sample.name, decode_image(sample_bytes(sample.name))) for sample in SAMPLES]


def command(found: Validation, source: str, seed: int) -> str:
    """Return the command that prints the medians and the mean cosine, for a POSIX shell."""
    options = [f"--model {shlex.quote(found.model)}"]
    if source.startswith(_SET):
        note, files = "", []
        options.append(f"--set {shlex.quote(source.removeprefix(_SET))}")
    elif source == "samples":
        note = f"{commands.SAMPLES_FOLDER}\n"
        files = [commands.sample_file(sample.file) for sample in SAMPLES]
    else:
        note, files = f"{_OWN_NOTE}\n", [_OWN_FILES]
    if found.reference != DEFAULT_REFERENCE:
        options.append(f"--reference {shlex.quote(found.reference)}")
    if seed:
        options.append(f"--seed {seed}")
    return " ".join([f"{note}python -m sing_core validate", *files, *options])
