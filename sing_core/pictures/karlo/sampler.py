"""Karlo's two loops, step by step: from embeddings to small pictures, from those to large ones.

The stock pipeline can neither be stopped nor asked how far it is. Between steps everything is
float32; the networks alone run in their own precision.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

from sing_core.errors import DeviceMemoryError
from sing_core.pictures.karlo.unclip import SharedNoise, UnclipStep
from sing_core.pictures.karlo.weights import KarloNetworks
from sing_core.pictures.protocol import Frames
from sing_core.pictures.watch import Watch


def decode(
    networks: KarloNetworks,
    embeddings: Tensor,
    *,
    steps: int,
    guidance: float,
    noise: SharedNoise,
    watch: Watch,
) -> Tensor:
    """Draw ``(n, 3, small, small)`` pictures in [-1, 1] from ``(n, d)`` raw embeddings.

    With ``guidance`` above 1 the step goes to ``u + guidance * (p - u)``, p being what the network
    predicts for the embedding and u what it predicts for none.
    """
    guided = guidance > 1.0
    schedule, device = networks.decoder_schedule, networks.device
    with torch.inference_mode():
        conditions = _conditions(networks, embeddings, guided=guided)
        sample = noise.draw(networks.small_px, device).expand(len(embeddings), -1, -1, -1)
        for step in schedule.steps(steps):
            watch.before()
            batch = torch.cat([sample, sample]) if guided else sample
            output = networks.decoder(batch.to(networks.dtype), step.timestep, **conditions)
            predicted = output.sample.float()
            if guided:
                free, bound = predicted.chunk(2)
                mean = free[:, :3] + guidance * (bound[:, :3] - free[:, :3])
                predicted = torch.cat([mean, bound[:, 3:]], dim=1)
            fresh = _fresh(noise, step, networks.small_px, device)
            sample, picture = schedule.advance(step, predicted, sample, fresh)
            last = step.timestep == 0
            watch.after(partial(to_frames, sample if last else picture), last=last)
        return sample.clamp(-1, 1)


def _conditions(networks: KarloNetworks, embeddings: Tensor, *, guided: bool) -> dict[str, Tensor]:
    """Return what the decoder attends to; when ``guided``, without the embeddings first."""
    count = len(embeddings) * (2 if guided else 1)
    prompt, device, dtype = networks.empty_prompt, networks.device, networks.dtype
    states, embedding = networks.text_proj(
        image_embeddings=embeddings.to(device, dtype),
        prompt_embeds=prompt.embedding.to(device, dtype).expand(count, -1),
        text_encoder_hidden_states=prompt.states.to(device, dtype).expand(count, -1, -1),
        do_classifier_free_guidance=guided,
    )
    extra = states.shape[1] - prompt.mask.shape[1]  # tokens made of the embedding: always seen
    mask = pad(prompt.mask, (extra, 0), value=True).to(device).expand(count, -1)
    return {
        "encoder_hidden_states": states,
        "class_labels": embedding,
        "attention_mask": mask,
    }


def enlarge(
    networks: KarloNetworks, small: Tensor, *, steps: int, noise: SharedNoise, watch: Watch
) -> Tensor:
    """Enlarge pictures in [-1, 1] to ``(n, 3, large, large)``, nearly in [-1, 1].

    All steps but the last are those of an ordinary diffusion; the last one's network was trained
    to recover detail.
    """
    side, device = networks.large_px, networks.device
    schedule = networks.super_res_schedule
    with torch.inference_mode():
        guide = interpolate(
            small.to(device), size=[side, side], mode="bicubic", align_corners=False, antialias=True
        )
        sample = noise.draw(side, device).expand(len(small), -1, -1, -1)
        for step in schedule.steps(steps):
            watch.before()
            last = step.timestep == 0
            network = networks.super_res_last if last else networks.super_res_first
            batch = torch.cat([sample, guide], dim=1).to(networks.dtype)
            output = network(batch, step.timestep).sample.float()
            fresh = _fresh(noise, step, side, device)
            sample, picture = schedule.advance(step, output, sample, fresh)
            watch.after(partial(to_frames, picture), last=last)
        return sample


def _fresh(noise: SharedNoise, step: UnclipStep, side: int, device: str) -> Tensor | None:
    return None if step.timestep == 0 else noise.draw(side, device)


def to_frames(pictures: Tensor) -> Frames:
    """Return ``(n, 3, h, w)`` pictures in [-1, 1] as ``(n, h, w, 3)`` RGB bytes."""
    scaled = (pictures.float() * 0.5 + 0.5).clamp(0, 1) * 255
    frames: Frames = scaled.round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy().copy()
    return frames


def in_batches(count: int, largest: int, work: Callable[[range], Tensor]) -> Tensor:
    """Return ``work`` on ``range(count)`` in batches, halved while the device's memory is short.

    Raises:
        DeviceMemoryError: a single row does not fit.
    """
    done: list[Tensor] = []
    start, size = 0, min(largest, count)
    while start < count:
        try:
            done.append(work(range(start, min(start + size, count))))
        except torch.OutOfMemoryError as error:
            if size == 1:
                raise DeviceMemoryError(
                    "The device has too little memory for one picture; close what else uses it, "
                    "or set SING_DEVICE=cpu."
                ) from error
        else:
            start += size
            continue
        size = (size + 1) // 2  # outside the handler, which holds on to the failed batch
        torch.cuda.empty_cache()
    return torch.cat(done)
