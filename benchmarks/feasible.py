"""What networks can produce of null removal over a prepared set: IS, time and memory.

``python -m benchmarks.feasible [IMAGES] [MODEL]`` (512 images of the embedded set, lite0): a line
for each share of the largest logit by which logits may move.
"""

import resource
import sys
import time

import torch

from sing_core.cli.app import open_bench
from sing_core.leakage.score_files import score_path
from sing_core.leakage.scored_sets import ScoredSet
from sing_core.maths.feasible_removal import FeasibleRemoval
from sing_core.maths.scores import angle_deg
from sing_core.sets.catalogue import image_sets
from sing_core.settings import Settings

SHARES = (0.03, 0.01, 0.003, 0.001)


def main(images: int = 512, model: str = "lite0", reference: str = "mini") -> None:
    bench = open_bench(Settings())
    folder = image_sets(bench.settings)[0]
    path = score_path(folder.path, model, reference)
    scored = ScoredSet(bench, folder, model, reference, path)
    every = max(1, folder.facts.total // images)
    linear, translator = scored.linear, bench.translator(model, reference)
    parts = [part for _, part in scored.features(list(range(0, folder.facts.total, every)))]
    features = torch.cat(parts).float()[:images]
    z, removed = translator.apply(features), linear.head.remove_null(features)
    goal = torch.linalg.vector_norm(removed - features, dim=1)
    print(f"{model} in {reference}, {len(features)} images of {folder.facts.name}")  # noqa: T201
    print(  # noqa: T201
        f"equivalents: IS {float(angle_deg(z, translator.apply(removed)).mean()):.2f} deg, "
        f"{float((removed < 0).float().mean()):.0%} of the entries negative"
    )
    for share in SHARES:
        start, before = time.perf_counter(), time.process_time()
        found = FeasibleRemoval(linear, share).nearest(features)
        wall, busy = time.perf_counter() - start, time.process_time() - before
        turned = float(angle_deg(z, translator.apply(found)).mean())
        left = float((torch.linalg.vector_norm(removed - found, dim=1) / goal).mean())
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(  # noqa: T201
            f"logits within {share:.1%}: IS {turned:.2f} deg, {left:.0%} of the step left; "
            f"{1000 * busy / len(features):.1f} ms of a core an image ({wall:.1f} s in all), "
            f"peak {peak:,.0f} MB"
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]), *sys.argv[2:3])
