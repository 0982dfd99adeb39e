"""The README's strip of pictures: ``python -m benchmarks.strip_picture OUT.png``.

The first sample's feature, steered towards a prompt by lite0: the renders at even steps up to the
one with an image score of 40 degrees, the scores written under each.
"""

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from sing_core import strips
from sing_core.analysis import analyse_image
from sing_core.images import decode_image
from sing_core.pictures import Studio
from sing_core.pool import ModelPool
from sing_core.samples import SAMPLES, sample_bytes
from sing_core.settings import Settings
from sing_core.store import Store
from sing_core.workbench import Workbench

PROMPT, FRAMES, SIDE, GAP, FOOT = "an image of a jellyfish", 5, 192, 8, 46


def main() -> None:
    settings = Settings()
    studio = Studio(Workbench(settings, ModelPool(settings), Store(settings.cache_dir)))
    photo = decode_image(sample_bytes(SAMPLES[0].name))
    report = analyse_image(studio.bench, photo, model="lite0", prompt=PROMPT)
    assert report.sweep is not None
    furthest = report.sweep.epsilon[report.index]
    steps = [furthest * turn / (FRAMES - 1) for turn in range(FRAMES)]
    strip = strips.at_steps(studio.bench, photo, report, steps)
    drawer = studio.renderer("inversion", "lite0")
    request = studio.request(drawer, photo, report, strip.features, seed=0, size=drawer.strip_size)
    frames = studio.draw(drawer, request).frames
    sheet = Image.new("RGB", (FRAMES * (SIDE + GAP) - GAP, SIDE + FOOT), "white")
    font, pen = ImageFont.load_default(size=15), ImageDraw.Draw(sheet)
    for turn, frame in enumerate(frames):
        x = turn * (SIDE + GAP)
        picture = Image.fromarray(frame).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        sheet.paste(picture, (x, 0))
        scores = (
            f"IS {strip.image_score_deg[turn]:.0f}°   AS {strip.attribute_score_deg[turn]:+.1f}°\n"
            f"logits move {strip.max_logit_drift[turn]:.0e}"
        )
        pen.multiline_text((x + 2, SIDE + 4), scores, fill="black", font=font)
    sheet.save(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
