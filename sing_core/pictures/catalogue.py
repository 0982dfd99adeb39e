"""Who can draw: one table of the renderers, for the command line, the page and the studio."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sing_core.errors import UnknownNameError
from sing_core.pictures.karlo.files import REPOSITORY, why_missing

if TYPE_CHECKING:
    from sing_core.settings import Settings


def _no_images(settings: "Settings") -> str | None:
    # What reads a set needs torch; whoever asks for a name alone does not.
    from sing_core.sets.catalogue import image_sets
    from sing_core.sets.originals import are_here

    if any(are_here(folder, settings) for folder in image_sets(settings)):
        return None
    return (
        "The images of no prepared set are on this machine; prepare one from images that are here."
    )


def _never(settings: "Settings") -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class RendererEntry:
    """One renderer.

    Attributes:
        name: used in URLs and on the command line.
        title: name for people.
        source: where the weights come from, for people.
        licence: of what it draws with.
        draws_features: whether it draws a classifier's features; otherwise embeddings.
        why_missing: the sentence that says what it lacks on this machine, None where it can draw.
    """

    name: str
    title: str
    source: str
    licence: str
    draws_features: bool
    why_missing: Callable[["Settings"], str | None] = _never


INVERSION = RendererEntry(
    "inversion", "Inversion", "the classifier itself", "that of the classifier", True
)
KARLO = RendererEntry(
    "karlo", "Karlo UnCLIP", REPOSITORY, "CreativeML OpenRAIL-M", False, why_missing
)
DRAWN = RendererEntry(
    "drawn",
    "Drawn equivalents",
    "the classifier, its translator and the reference",
    "that of the classifier",
    True,
)
NEIGHBOURS = RendererEntry(
    "neighbours", "Neighbours", "prepared image sets", "that of the images", False, _no_images
)
RENDERERS = (INVERSION, DRAWN, NEIGHBOURS, KARLO)
OFF = "off"  # what stands in place of a name where nobody draws


def find_renderer(name: str) -> RendererEntry:
    """Return the renderer called ``name``.

    Raises:
        UnknownNameError: there is none.
    """
    found = next((entry for entry in RENDERERS if entry.name == name), None)
    if found is None:
        known = ", ".join(entry.name for entry in RENDERERS)
        raise UnknownNameError(f"No renderer is called “{name[:80]}”. There are: {known}.")
    return found
