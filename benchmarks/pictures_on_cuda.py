"""Karlo and inversion on a CUDA device: ``python -m benchmarks.pictures_on_cuda``.

Karlo has the true architecture with random weights, which take the time that real ones take. The
stock pipeline draws one picture a call, all steps, since it can do nothing else; ours draws a
preview strip of 17 frames, and full pictures in batches of four. Prints one JSON object.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import torch
from rich.console import Console

from sing_core.files.images import decode_image
from sing_core.files.samples import sample_bytes
from sing_core.files.store import Store
from sing_core.models.pool import ModelPool
from sing_core.models.workbench import Workbench
from sing_core.pictures.protocol import RenderRequest
from sing_core.pictures.studio import Studio
from sing_core.settings import Settings
from sing_core.studies import strips
from sing_core.studies.photo import analyse_image
from sing_core.studies.question import Question
from sing_core.studies.subject import Subject

PREVIEW, FULL, STRIP = 17, 4, 9
TARGETS = {"preview_ratio": 8.0, "full_ratio": 2.0, "inversion_strip_s": 3.0}


def timed(work: Callable[[], Any], rounds: int = 3) -> float:
    """Return the seconds of the best of some rounds, after one to warm up."""
    taken = []
    for _ in range(rounds + 1):
        torch.cuda.synchronize()
        start = time.perf_counter()
        work()
        torch.cuda.synchronize()
        taken.append(time.perf_counter() - start)
    return min(taken[1:])


def karlo(folder: Path) -> dict[str, float]:
    """Time the stock pipeline and ours on the same networks and steps, in half precision."""
    from diffusers import UnCLIPImageVariationPipeline
    from transformers import CLIPTextModelWithProjection, CLIPTokenizer

    from sing_core.pictures.karlo.renderer import SPACE_ID, KarloRenderer
    from sing_core.pictures.karlo.weights import load_karlo
    from tests import tiny_karlo, true_size_karlo

    true_size_karlo.build(folder / "karlo")
    networks = load_karlo(
        Settings(karlo_dir=folder / "karlo", cache_dir=folder / "cache", device="cuda")
    )
    for name in ("text_proj", "decoder", "super_res_first", "super_res_last"):
        for tensor in getattr(networks, name).parameters():
            tensor.uniform_(-0.03, 0.03)
    own = KarloRenderer(networks)
    text = CLIPTextModelWithProjection.from_pretrained(folder / "karlo" / "text_encoder")
    decoder_scheduler, enlarging_scheduler = tiny_karlo.schedulers()
    stock = UnCLIPImageVariationPipeline(
        decoder=networks.decoder,
        text_encoder=text.to("cuda", networks.dtype),
        tokenizer=CLIPTokenizer.from_pretrained(folder / "karlo" / "tokenizer"),
        text_proj=networks.text_proj,
        feature_extractor=None,
        image_encoder=tiny_karlo.image_encoder().to("cuda", networks.dtype),
        super_res_first=networks.super_res_first,
        super_res_last=networks.super_res_last,
        decoder_scheduler=decoder_scheduler,
        super_res_scheduler=enlarging_scheduler,
    )
    stock.set_progress_bar_config(disable=True)
    rows = 0.7 * torch.randn(PREVIEW, true_size_karlo.DIM)

    def one_by_stock() -> None:
        stock(
            image_embeddings=rows[:1].to("cuda", networks.dtype),
            generator=torch.Generator("cuda").manual_seed(0),
            decoder_num_inference_steps=25,
            super_res_num_inference_steps=7,
        )

    def by_us(count: int, size: int) -> Callable[[], Any]:
        return lambda: own.render(RenderRequest(rows[:count], SPACE_ID, 0, size))

    small, large = own.sizes
    torch.cuda.reset_peak_memory_stats()
    found = {"stock_s": timed(one_by_stock)}
    found["stock_peak_gb"] = torch.cuda.max_memory_allocated() / 1e9
    torch.cuda.reset_peak_memory_stats()
    found["preview_s"] = timed(by_us(PREVIEW, small)) / PREVIEW
    found["full_s"] = timed(by_us(FULL, large)) / FULL
    found["peak_gb"] = torch.cuda.max_memory_allocated() / 1e9
    found["preview_ratio"] = found["stock_s"] / found["preview_s"]
    found["full_ratio"] = found["stock_s"] / found["full_s"]
    return found


def strip(folder: Path, device: Literal["cpu", "cuda"]) -> Callable[[], Any]:
    """Return what draws a strip of nine 128-pixel pictures of the first sample, nothing cached."""
    settings = Settings(device=device)
    studio = Studio(Workbench(settings, ModelPool(settings), Store(folder / "store")))
    photo = decode_image(sample_bytes("chelsea"))
    question = Question("lite0", "an image of a jellyfish")
    subject = Subject.of(studio.bench, photo, question)
    report = analyse_image(studio.bench, photo, question)
    features = strips.along(subject, report).features[:STRIP]
    drawer = studio.renderer("inversion", "lite0")
    request = studio.request(drawer, subject, features, seed=0, size=drawer.strip_size)
    return lambda: drawer.render(request).frames


def inversion(folder: Path) -> dict[str, float]:
    """Time the strip on the card."""
    draw = strip(folder, "cuda")
    torch.cuda.reset_peak_memory_stats()
    taken = timed(draw)
    peak = torch.cuda.max_memory_allocated() / 1e9
    return {"inversion_strip_s": taken, "inversion_peak_gb": peak}


def main() -> None:
    say = Console(soft_wrap=True).print_json
    if not torch.cuda.is_available():
        say(data={"nothing_measured": "there is no CUDA device on this machine"})
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = inversion(folder) | karlo(folder)
    rounded = {key: round(value, 4) for key, value in found.items()}
    met = {
        key: found[key] <= target if key.endswith("_s") else found[key] >= target
        for key, target in TARGETS.items()
    }
    device = torch.cuda.get_device_name()
    say(data={"device": device, "karlo_weights": "random"} | rounded | {"met": met})
    sys.exit(0 if all(met.values()) else 1)


if __name__ == "__main__":
    main()
