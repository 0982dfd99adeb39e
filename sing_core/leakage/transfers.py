"""The 0.972 protocol on a prepared set: its features are there, no image is needed."""

import torch

from sing_core.errors import ImageSetError
from sing_core.leakage.scored_sets import ScoredSet
from sing_core.maths.head_transfer import TEST_EVERY, Transfer, transfer

_ROWS = """
SELECT row, wnid FROM images
WHERE label IN (SELECT label FROM images GROUP BY label HAVING count(*) >= ?) ORDER BY row
"""


def set_transfer(scored: ScoredSet) -> Transfer:
    """Train and judge the two heads of ``scored.model`` on the classes that have four images.

    Raises:
        ImageSetError: fewer than two classes have as many.
        SingError: scores, features or translator cannot be read.
    """
    found = scored.ask(_ROWS, [TEST_EVERY])
    labels = found["wnid"].to_pylist()
    if len(set(labels)) < 2:
        raise ImageSetError(
            f"Heads need two classes with {TEST_EVERY} images each; the set "
            f"{scored.folder.facts.name} has fewer."
        )
    parts = list(scored.features(found["row"].to_pylist()))
    features = torch.cat([part for _, part in parts])
    head = scored.linear.head
    unseen = scored.unseen([image for images, _ in parts for image in images])
    return transfer(scored.model, features, labels, head, unseen)
