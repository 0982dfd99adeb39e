"""The centres of the references that ship, and what reading angles by them changes.

A centre is the mean over one full photograph of each of 800 classes, all that training had: it is
a constant of the space, and what one photograph adds to it is an eight-hundredth.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from sing_core.errors import SingError
from sing_core.files.digests import digest_of_set
from sing_core.files.images import decode_image
from sing_core.files.samples import SAMPLES, sample_bytes
from sing_core.making.data import FILES, ImageFolder, ImageTable
from sing_core.maths.centre import centre_of
from sing_core.maths.scores import angle_table
from sing_core.maths.unseen import Unseen
from sing_core.models import registry
from sing_core.models.readings import find_centre, shipped_centre_path
from sing_core.models.workbench import Workbench
from sing_core.studies.photo import analyse_image, steer_image
from sing_core.studies.question import Question

if TYPE_CHECKING:
    from rich.progress import Progress

PROMPT = "an image of a jellyfish"  # the default scene of the Explore page
_BATCH = 16


def make_centres(bench: Workbench, data: Path, bar: "Progress") -> Iterator[str]:
    """Write the centre of every reference that ships; yield a line each.

    A reference whose weights are not here is named and passed over.

    Raises:
        WeightsUnavailableError: the shared photographs are missing.
    """
    table = ImageFolder(data).table("sample")
    for row in registry.references(bench.settings):
        try:
            space = bench.pool.reference(row.name).space_id
        except SingError as error:
            yield f"{row.name}: no centre. {error}"
            continue
        embedded = photographs(bench, row.name, table, bar)
        texts = bench.vocabulary(row.name).embeddings
        digests = [table.digest(place) for place in range(len(table))]
        details = {
            "data": digest_of_set(digests),
            "file": FILES["sample"],
            "images": str(len(table)),
            "texts": str(len(texts)),
        }
        found = centre_of(embedded, texts, space, details)
        path = shipped_centre_path(bench.settings, row.name)
        found.save(path)
        share = found.image.norm() / embedded.norm(dim=1).mean()
        yield (
            f"{row.name}: {path.name}, of {len(table)} photographs and {len(texts)} texts; "
            f"lengths {share:.2f} of a mean image embedding and {found.text.norm():.2f} of a text."
        )


def photographs(bench: Workbench, reference: str, table: ImageTable, bar: "Progress") -> Tensor:
    """Return raw embeddings ``(n, d)`` of all images of ``table``, in their order."""
    space = bench.pool.reference(reference)
    parts = []
    task = bar.add_task(f"Showing {len(table)} photographs to {reference}", total=len(table))
    for start in range(0, len(table), _BATCH):
        rows = range(start, min(start + _BATCH, len(table)))
        parts.append(space.embed_images([table.image(row) for row in rows]))
        bar.update(task, completed=rows.stop)
    return torch.cat(parts)


def measure_readings(
    bench: Workbench, data: Path, model: str, reference: str, bar: "Progress"
) -> list[dict[str, Any]]:
    """Return what either reading says, a row each; angles in degrees.

    Of the sample photos through ``model``'s translator: IS and AS of null removal towards
    ``PROMPT``, and AS where steering reaches an IS of 40 degrees. Of the shared photographs: the
    median angle to the own class's prompt and to the others', and the share whose own class is the
    nearest of all; the same share for their features, translated without having been seen.

    Raises:
        SingError: the reference has no centre, or something is missing.
    """
    table = ImageFolder(data).table("sample")
    raw = photographs(bench, reference, table, bar)
    centre = find_centre(reference, bench.pool.reference(reference).space_id, bench.settings)
    read = {reference: raw, registry.in_reading(reference, centred=True): centre.images(raw)}
    features = bench.pool.backbone(model).extract(table.image(row) for row in range(len(table)))
    seen = torch.cat(list(features))
    return [
        _scene(bench, model, name)
        | _angles(bench, name, embedded, table)
        | {"top1_translated": _told(bench, model, name, seen, table)}
        for name, embedded in read.items()
    ]


def _scene(bench: Workbench, model: str, reference: str) -> dict[str, Any]:
    row: dict[str, Any] = {"reference": reference}
    removal = Question(model, PROMPT, "remove", reference, target_deg=None)
    for sample in SAMPLES:
        photo = decode_image(sample_bytes(sample.name))
        sweep = analyse_image(bench, photo, removal).sweep
        steered = steer_image(bench, photo, Question(model, PROMPT, reference=reference))
        if sweep is not None:
            row[sample.name] = {
                "is": sweep.image_score_deg[-1],
                "as": sweep.attribute_score_deg[-1],
                "as_steered": steered.attribute_score_deg,
            }
    return row


def _angles(
    bench: Workbench, reference: str, embedded: Tensor, table: ImageTable
) -> dict[str, float]:
    vocabulary = bench.vocabulary(reference)
    angles = angle_table(embedded, vocabulary.embeddings[: vocabulary.n_classes])
    own = torch.zeros_like(angles, dtype=torch.bool)
    labels = torch.from_numpy(table.labels)
    own[torch.arange(len(labels)), labels] = True
    return {
        "angle_own_class": float(angles[own].median()),
        "angle_other_classes": float(angles[~own].median()),
        "top1": float((angles.argmin(dim=1) == labels).double().mean()),
    }


def _told(
    bench: Workbench, model: str, reference: str, features: Tensor, table: ImageTable
) -> float:
    translator = bench.translator(model, reference)
    unseen = Unseen.of(translator, [table.digest(row) for row in range(len(table))])
    vocabulary = bench.vocabulary(reference)
    texts = vocabulary.embeddings[: vocabulary.n_classes]
    nearest = angle_table(unseen.apply(features), texts).argmin(dim=1)
    return float((nearest == torch.from_numpy(table.labels)).double().mean())
