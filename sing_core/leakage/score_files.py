"""Scores of a prepared set as one Parquet file per model and reference, whole or not there."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from sing_core.errors import StaleArtefactError
from sing_core.files.seals import (
    PARQUET_SEAL,
    UNSEALED_PARQUET,
    parquet_is_whole,
    seal_parquet,
)
from sing_core.maths.statistics import Floats
from sing_core.models.registry import file_stem

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = "sing-scores-5"
TEXTS = ("name", "wnid", "digest", "stratum")
SCORES = (
    "image_score_deg",
    "attribute_score_deg",
    "directed_score_deg",
    "average_score_deg",
    "contrast_deg",
    "control_dim_image_score_deg",
    "control_dim_abs_attribute_score_deg",
    "control_energy_image_score_deg",
    "control_energy_abs_attribute_score_deg",
    "control_principal_image_score_deg",
    "control_principal_abs_attribute_score_deg",
    "null_energy",
    "max_logit_drift",
    "max_abs_logit",
    "feasible_image_score_deg",  # not a number where the range of the features is not known
)
# |AS| of each draw of a control, and the contrast of each foreign name, one list an image: enough
# to hold a mean over any images against the draws. Six bits are kept, at most 1.6 % of an angle,
# either way: files stay small, and a mean over images does not move.
DRAWN = (
    "control_dim_abs_attribute_draws_deg",
    "control_energy_abs_attribute_draws_deg",
    "control_principal_abs_attribute_draws_deg",
    "foreign_contrasts_deg",
)
_PACKED = ("row", "label", "top1", *TEXTS)


@dataclass(frozen=True, slots=True, eq=False)
class ScoreBatch:
    """Scores of the images of one chunk.

    Attributes:
        texts: the columns of ``TEXTS``; ``stratum`` is the kind of image, "" in a set of one.
        whole: columns ``row``, ``label`` (true class), ``top1`` (predicted class).
        scores: the columns of ``SCORES``, each ``(k,)`` float64.
        drawn: the columns of ``DRAWN``, each ``(k, draws)``, of as many draws as it has.
    """

    texts: Mapping[str, list[str]]
    whole: Mapping[str, list[int]]
    scores: Mapping[str, Tensor]
    drawn: Mapping[str, Tensor]


def score_path(folder: Path, model: str, reference: str) -> Path:
    """Return where the scores of a model in a reference lie inside a set's folder."""
    return folder / file_stem(model) / f"scores-{file_stem(reference)}.parquet"


def write_scores(path: Path, batches: Iterable[ScoreBatch], facts: Mapping[str, str]) -> int:
    """Stream ``batches`` into one file, a row group each; return the number of rows.

    The old file stays until this one is whole. The same batches give the same bytes.

    Raises:
        OSError: the disk refuses.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _schema(facts)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    count = 0
    try:
        # Numbers that hardly repeat are smaller byte by byte than in a dictionary.
        with pq.ParquetWriter(
            draft, schema, compression="zstd", use_dictionary=list(_PACKED),
            use_byte_stream_split=[*SCORES, *(f"{name}.list.element" for name in DRAWN)],
        ) as writer:  # fmt: skip
            for batch in batches:
                columns = [*batch.whole.values(), *batch.texts.values()]
                columns += [batch.scores[name].numpy() for name in SCORES]
                columns += [list(_coarse(batch.drawn[name]).numpy()) for name in DRAWN]
                writer.write_batch(
                    pa.record_batch([pa.array(c) for c in columns], names=schema.names).cast(schema)
                )
                count += len(batch.whole["row"])
            writer.add_key_value_metadata(UNSEALED_PARQUET)
        seal_parquet(draft)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return count


def _coarse(values: Tensor) -> Tensor:
    """Return ``values`` in float32, rounded to six significant bits."""
    mantissa, exponent = torch.frexp(values.float())
    rounded: Tensor = torch.ldexp((64 * mantissa).round() / 64, exponent)
    return rounded


def facts_of(path: Path) -> dict[str, str] | None:
    """Return what a score file says about itself; None where there is none.

    Raises:
        StaleArtefactError: it is damaged or no score file of this version.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        return None
    _check_whole(path)
    try:
        found = pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowException) as error:
        raise StaleArtefactError(f"The score file {path.name} is damaged.") from error
    facts = {k.decode(): v.decode() for k, v in found.items() if k.decode() != PARQUET_SEAL}
    if facts.get("format") != FORMAT:
        raise StaleArtefactError(
            f"{path.name} holds no scores of format {FORMAT}: prepare the set again."
        )
    return facts


def count_of(path: Path) -> int:
    """Return how many images have scores in a file; 0 where there is none.

    Raises:
        StaleArtefactError: it is damaged.
    """
    import pyarrow.parquet as pq

    if not path.is_file():
        return 0
    _check_whole(path)
    return int(pq.read_metadata(path).num_rows)


def query(
    path: Path, sql: str, parameters: list[Any] | None = None, *, stratum: str = ""
) -> "pa.Table":
    """Return the answer of ``sql`` about the view ``images``: the file's rows, each photo once.

    A file that occurs twice in the set counts where it occurs first; ``all_images`` has them all.
    ``stratum`` leaves in ``images`` those of this kind alone; "" leaves all.

    Raises:
        StaleArtefactError: the file is missing or damaged.
    """
    import duckdb

    _check_whole(path)
    quoted = stratum.replace("'", "''")  # a view takes no parameters
    kind = f" AND stratum = '{quoted}'" if stratum else ""
    with duckdb.connect(":memory:") as connection:
        try:
            connection.execute("SET enable_progress_bar = false")
            connection.from_parquet(str(path)).create_view("all_images")
            connection.execute(
                "CREATE VIEW images AS SELECT * FROM all_images "
                "WHERE row IN (SELECT min(row) FROM all_images GROUP BY digest)" + kind
            )
            return connection.sql(sql, params=parameters or []).to_arrow_table()
        except (duckdb.IOException, duckdb.InvalidInputException) as error:
            raise StaleArtefactError(f"The score file {path.name} cannot be read.") from error


def drawn(column: "pa.ChunkedArray[Any]") -> Floats:
    """Return a column of lists of one length, one of ``DRAWN``, as ``(n, k)``."""
    whole = column.combine_chunks()
    numbers: Floats = whole.flatten().to_numpy().astype(np.float64)
    return numbers.reshape(len(whole), -1)


def _check_whole(path: Path) -> None:
    """Check that a score file is as it was written.

    Raises:
        StaleArtefactError: it is missing, damaged, or of a version without a seal.
    """
    try:
        whole = parquet_is_whole(path)
    except OSError as error:
        raise StaleArtefactError(
            f"The score file {path.name} of {path.parent.name} cannot be read."
        ) from error
    if not whole:
        raise StaleArtefactError(
            f"The score file {path.name} of {path.parent.name} is damaged, or of an earlier "
            "version: prepare the set again."
        )


def _schema(facts: Mapping[str, str]) -> "pa.Schema":
    import pyarrow as pa

    fields = [("row", pa.int64()), ("label", pa.int32()), ("top1", pa.int32())]
    fields += [(name, pa.string()) for name in TEXTS]
    fields += [(name, pa.float64()) for name in SCORES]
    fields += [(name, pa.list_(pa.float32())) for name in DRAWN]
    return pa.schema(fields, metadata={"format": FORMAT, **facts})
