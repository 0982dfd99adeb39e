"""Load and run a Karlo of the true size in a process of its own; print what it took as JSON.

``python -m tests.true_size_karlo FOLDER``. The files have the true shapes and no content (sparse
files of zeros, which cost no disk), so that the loader does all its work; the weights are then
filled with random numbers where they lie. Configurations: diffusers' conversion script for Karlo.
"""

import json
import resource
import sys
import time
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel, UNet2DModel
from diffusers.pipelines.deprecated.unclip.text_proj import UnCLIPTextProjModel
from transformers import CLIPTextConfig, CLIPTextModelWithProjection

from sing_core.pictures.karlo.renderer import SPACE_ID, KarloRenderer
from sing_core.pictures.karlo.weights import load_karlo
from sing_core.pictures.protocol import RenderRequest
from sing_core.settings import Settings
from tests import tiny_karlo

WIDTHS = (320, 640, 960, 1280)
DIM = 768


def decoder():
    return UNet2DConditionModel(
        sample_size=64,
        layers_per_block=3,
        down_block_types=("ResnetDownsampleBlock2D", *("SimpleCrossAttnDownBlock2D",) * 3),
        up_block_types=(*("SimpleCrossAttnUpBlock2D",) * 3, "ResnetUpsampleBlock2D"),
        mid_block_type="UNetMidBlock2DSimpleCrossAttn",
        block_out_channels=WIDTHS,
        in_channels=3,
        out_channels=6,
        cross_attention_dim=1536,
        class_embed_type="identity",
        attention_head_dim=64,
        resnet_time_scale_shift="scale_shift",
    )


def super_res():
    return UNet2DModel(
        sample_size=256,
        layers_per_block=3,
        down_block_types=("ResnetDownsampleBlock2D",) * 4,
        up_block_types=("ResnetUpsampleBlock2D",) * 4,
        block_out_channels=WIDTHS,
        in_channels=6,
        out_channels=3,
        add_attention=False,
    )


def text_encoder():
    """The text tower of OpenAI's CLIP ViT-L/14."""
    return CLIPTextModelWithProjection(
        CLIPTextConfig(
            vocab_size=49408,
            hidden_size=DIM,
            intermediate_size=3072,
            num_hidden_layers=12,
            num_attention_heads=12,
            max_position_embeddings=77,
            projection_dim=DIM,
        )
    )


def write_empty(path, tensors):
    """Write a safetensors file of zeros with the shapes of ``tensors``, as a sparse file."""
    header, end = {"__metadata__": {"format": "pt"}}, 0
    for name, tensor in tensors.items():
        start, end = end, end + 4 * tensor.numel()
        shape = list(tensor.shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + end)


def build(folder):
    """Write a Karlo of the true size; return its number of parameters."""
    parts = {
        "text_proj": lambda: UnCLIPTextProjModel(
            clip_embeddings_dim=DIM, time_embed_dim=4 * WIDTHS[0], cross_attention_dim=1536
        ),
        "decoder": decoder,
        "super_res_first": super_res,
        "super_res_last": super_res,
        "text_encoder": text_encoder,
    }
    count = 0
    for name, make in parts.items():
        with torch.device("meta"):
            part = make()
        (folder / name).mkdir(parents=True)
        if name == "text_encoder":
            part.config.architectures = [type(part).__name__]
            part.config.save_pretrained(folder / name)
            weights = folder / name / "model.safetensors"
        else:
            part.save_config(folder / name)
            weights = folder / name / "diffusion_pytorch_model.safetensors"
        write_empty(weights, part.state_dict())
        count += sum(tensor.numel() for tensor in part.state_dict().values())
    for name, scheduler in zip(("decoder", "super_res"), tiny_karlo.schedulers(), strict=True):
        scheduler.save_pretrained(folder / f"{name}_scheduler")
    tiny_karlo.write_tokenizer(folder / "tokenizer")
    return count


def peak_gb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def main():
    folder = Path(sys.argv[1])
    found = {"parameters": build(folder / "karlo")}
    start = time.perf_counter()
    networks = load_karlo(
        Settings(karlo_dir=folder / "karlo", cache_dir=folder / "cache", device="cpu")
    )
    found |= {"load_s": time.perf_counter() - start, "load_peak_gb": peak_gb()}
    generator = torch.Generator().manual_seed(0)
    for name in ("text_proj", "decoder", "super_res_first", "super_res_last"):
        for tensor in getattr(networks, name).parameters():
            tensor.uniform_(-0.03, 0.03, generator=generator)
    rows = 0.7 * torch.randn(1, DIM, generator=generator)  # of length 19, as raw embeddings are
    times = []
    start = time.perf_counter()
    frames = (
        KarloRenderer(networks, default_steps=(2, 2))
        .render(
            RenderRequest(rows, SPACE_ID, seed=0, size=256),
            on_progress=lambda at: times.append(round(time.perf_counter() - start, 1)),
        )
        .frames
    )
    found |= {"step_ends_s": times, "render_s": time.perf_counter() - start}
    found |= {"peak_gb": peak_gb(), "shape": frames.shape, "deviation": float(frames.std())}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
