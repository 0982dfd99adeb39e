"""What a soak found: numbers for the machine that reads, one sentence for the person."""

import os
import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.soaking.guests import Log
from sing_core.files.images import decode_image
from sing_core.files.store import Store
from sing_core.models.pool import ModelPool
from sing_core.models.registry import models
from sing_core.models.workbench import Workbench
from sing_core.settings import Settings
from sing_core.studies.photo import analyse_image
from sing_core.studies.question import Question

# Waits of one person, on two cores that do nothing else; growth and size of the server.
PROMPT_P95_S, UPLOAD_P95_S, FAIR, GROWTH, MEMORY_GB, DISTURBED = 6.0, 12.0, 3.0, 1.1, 3.0, 1.5
_NEAR = 2e-3  # other batches round in another way
_SAID = 20


def verdict(
    log: Log,
    guests: int,
    minutes: float,
    memory: list[float],
    half: float,
    *,
    burdens: Sequence[str] = (),
) -> dict[str, Any]:
    """Return all that was found.

    ``half`` is the clock time at which the troublesome ones came, ``burdens`` the kinds of deeds
    that they came to do: where one was never done, the others were not tried.
    """
    computed, wrong = computed_again(log)
    found: dict[str, Any] = {
        "guests": guests,
        "minutes": minutes,
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "errors": len(log.errors),
        "foreign": len(log.foreign) + len(wrong),
        "first_errors": log.errors[:_SAID],
        "first_foreign": (log.foreign + wrong)[:_SAID],
        "scenes_looked_at": log.scenes,
        "drawn_pictures_seen": len(log.pictures),
        "answers_computed_again": computed,
        "waits_s": {kind: waits_of([s for *_, s in waits]) for kind, waits in log.waits.items()},
        "memory_gb": memory_of(memory),
        "slowest_guest_over_median": fairness(log),
    }
    met = targets(found) | {"foreign": not found["foreign"] and computed > 0}
    if burdens:
        found["others_p95_ratio"] = disturbed(log, half)
        met["others"] = were_left_alone(log, found["others_p95_ratio"], burdens)
    return found | {"met": {name: bool(kept) for name, kept in met.items()}}


def targets(found: dict[str, Any]) -> dict[str, Any]:
    """Return which of the targets for everybody are met."""
    return {
        "errors": not found["errors"],
        "memory": found["memory_gb"]["ratio"] <= GROWTH and found["memory_gb"]["end"] <= MEMORY_GB,
        "prompt_p95": found["waits_s"].get("prompt", {}).get("p95", np.inf) <= PROMPT_P95_S,
        "upload_p95": found["waits_s"].get("upload", {}).get("p95", np.inf) <= UPLOAD_P95_S,
        "fair": max(found["slowest_guest_over_median"].values(), default=np.inf) <= FAIR,
    }


def waits_of(seconds: list[float]) -> dict[str, float]:
    """Return how many waits there were, and how long they took."""
    p50, p95 = np.percentile(seconds, [50, 95])
    return {
        "count": len(seconds),
        "p50": round(float(p50), 3),
        "p95": round(float(p95), 3),
        "max": round(max(seconds), 3),
    }


def memory_of(samples: list[float]) -> dict[str, float]:
    """Return the server's size after the first sixth and at the end: medians over a twentieth."""
    width = max(1, len(samples) // 20)
    sixth = len(samples) // 6
    early = statistics.median(samples[sixth : sixth + width])
    late = statistics.median(samples[-width:])
    return {
        "after_first_sixth": round(early, 3),
        "end": round(late, 3),
        "peak": round(max(samples), 3),
        "ratio": round(late / early, 3),
    }


def fairness(log: Log) -> dict[str, float]:
    """Return, for each deed, the longest median wait of a guest over that of the guest between."""
    found = {}
    for kind in ("prompt", "upload"):
        own: dict[int, list[float]] = {}
        for who, _, seconds in log.waits.get(kind, []):
            own.setdefault(who, []).append(seconds)
        medians = [statistics.median(waits) for waits in own.values()]
        if medians:
            found[kind] = round(max(medians) / statistics.median(medians), 2)
    return found


def disturbed(log: Log, half: float) -> dict[str, float]:
    """Return by how much the others' p95 grew when the troublesome guests came."""
    found = {}
    for kind in ("prompt", "upload"):
        before = [seconds for _, began, seconds in log.waits.get(kind, []) if began < half]
        after = [seconds for _, began, seconds in log.waits.get(kind, []) if began >= half]
        if before and after:
            ratio = np.percentile(after, 95) / np.percentile(before, 95)
            found[kind] = round(float(ratio), 2)
    return found


def were_left_alone(log: Log, ratios: dict[str, float], burdens: Sequence[str]) -> bool:
    """Return whether every burden came, and the others were compared and hardly felt it."""
    came = all(log.waits.get(kind) for kind in burdens)
    return came and max(ratios.values(), default=np.inf) <= DISTURBED


def computed_again(log: Log) -> tuple[int, list[str]]:
    """Compute some answers again without a server; return how many, and which were others."""
    settings = Settings()
    bench = Workbench(settings, ModelPool(settings), Store(settings.cache_dir))
    model, wrong = models(settings)[0].name, []
    for payload, words, shown in log.answers:
        sweep = analyse_image(bench, decode_image(payload), Question(model, words)).sweep
        assert sweep is not None
        for name, values in shown.items():
            if name == "max_logit_drift":  # rounding itself
                continue
            own = np.asarray(getattr(sweep, name), float)
            if own.shape != np.shape(values) or not np.allclose(values, own, _NEAR, 0.02):
                wrong.append(f"{name} for {words!r} is not what this photo gives")
    return len(log.answers), wrong


def sentence(found: dict[str, Any]) -> str:
    """Return what was found, in words."""
    waits, memory = found["waits_s"], found["memory_gb"]
    said = ", ".join(
        f"{kind} {waits[kind]['p50']:.2g} s (p95 {waits[kind]['p95']:.2g} s)" for kind in waits
    )
    missed = [name for name, met in found["met"].items() if not met]
    return (
        f"{found['guests']} people, {found['minutes']:g} minutes, {found['cores']} cores at load "
        f"{found['load']}: {found['errors']} errors, {found['foreign']} foreign pictures or "
        f"numbers in {found['scenes_looked_at']:,} answers; {said}; {memory['end']:.2f} GB at the "
        f"end, {memory['ratio']:.2f} times that after the first sixth. "
        + (f"Missed: {', '.join(missed)}." if missed else "All targets are met.")
    )
