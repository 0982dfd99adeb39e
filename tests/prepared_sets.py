"""Small image sets for the tests of prepare and the pages: noise with a class, and bad files."""

import io
import os
import signal
import subprocess
import sys

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file

from sing_core.files.digests import sha256_of_bytes
from sing_core.leakage.set_scores import score_set
from sing_core.sets.chunks import Chunk, ImageRow, SetFacts, SetFolder
from tests.shared_data import ROOT

WNIDS = ("n01440764", "n01443537", "n02123045", "n03345487")
MORE_WNIDS = ("n01484850", "n02123159", "n02099601", "n07920052")


def jpeg(seed, side=48):
    """Return a JPEG of coloured blocks, another one for every seed."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
    payload = io.BytesIO()
    Image.fromarray(blocks).resize((side, side), Image.Resampling.BICUBIC).save(payload, "JPEG")
    return payload.getvalue()


def class_folders(root, per_class=6, wnids=WNIDS):
    """Write ``per_class`` images of each wnid; return the folder."""
    for place, wnid in enumerate(wnids):
        (root / wnid).mkdir(parents=True)
        for number in range(per_class):
            (root / wnid / f"{number:03d}.jpg").write_bytes(jpeg(1_000 * place + number))
    return root


def parquet(path, rows, **columns):
    """Write ``rows`` images as Parquet with ``jpeg`` and ``wnid`` and whatever ``columns`` say."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = {
        "jpeg": [jpeg(number) for number in range(rows)],
        "wnid": [WNIDS[number % len(WNIDS)] for number in range(rows)],
    } | columns
    kept = {name: values for name, values in table.items() if values is not None}
    pq.write_table(pa.table(kept), path, row_group_size=7)
    return path


def made_up_set(
    bench,
    path,
    models=("lite0",),
    *,
    counts=(5, 5, 5, 5),
    chunk_rows=8,
    features_of=None,
    strata=None,
):
    """Prepare a set of made-up features, ``counts`` images of each wnid; no image is needed.

    ``features_of(entry, n)`` makes the features ``(n, m)``; noise without it. ``strata``: kinds of
    images by their names.
    """
    wnids = (*WNIDS, *MORE_WNIDS)[: len(counts)]
    names = [(w, f"{w}/{i:03d}.jpg") for w, n in zip(wnids, counts, strict=True) for i in range(n)]
    images = [
        ImageRow(row, name, wnid, sha256_of_bytes(f"{row} {name}".encode()))
        for row, (wnid, name) in enumerate(names)
    ]
    key = sha256_of_bytes(repr(images).encode())
    facts = SetFacts(path.name, key, len(images), "float32", chunk_rows, strata or {})
    folder = SetFolder.create(path, facts)
    for model in models:
        entry = bench.entry(model)
        generator = torch.Generator().manual_seed(entry.feature_dim)
        noise = torch.rand(len(images), entry.feature_dim, generator=generator)
        features = features_of(entry, len(images)) if features_of else noise
        for index in range(folder.facts.chunks):
            part = folder.rows(index)
            own = tuple(images[row] for row in part)
            chunk = Chunk(features[part.start : part.stop], own, ())
            folder.save(entry.name, entry.weights_digest, index, chunk)
        score_set(bench, folder, entry, "mini", 0.0)
    return folder


def start_worker(assets, images, root, *, chunk_rows):
    """Start another process that prepares ``images``; it prints how many rows are done."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.prepare_worker", assets, images, root, str(chunk_rows)],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )


def kill(process):
    """End a process as a power cut would."""
    process.send_signal(signal.SIGKILL)
    process.wait(60)
    process.stdout.close()


def files_of(folder):
    """Return the bytes of every file of a prepared set; of safetensors, those of the tensors.

    (The library writes the facts in a safetensors file in an order that changes from run to run.)
    """
    return {
        str(path.relative_to(folder)): _content(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock" and path.suffix != ".tmp"
    }


def _content(path):
    if path.suffix != ".safetensors":
        return path.read_bytes()
    return {name: tensor.numpy().tobytes() for name, tensor in load_file(path).items()}
