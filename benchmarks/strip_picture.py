"""The README's strip of pictures: ``python -m benchmarks.strip_picture OUT.png``.

The first sample's feature, steered towards a prompt by lite0: the renders at even steps up to the
one with an image score of 40 degrees, the scores written under each.
"""

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from sing_core.files.images import decode_image
from sing_core.files.samples import SAMPLES, sample_bytes
from sing_core.files.store import Store
from sing_core.models.pool import ModelPool
from sing_core.models.workbench import Workbench
from sing_core.pictures.studio import Studio
from sing_core.settings import Settings
from sing_core.studies import strips
from sing_core.studies.photo import analyse_image
from sing_core.studies.question import Question
from sing_core.studies.subject import Subject

PROMPT, FRAMES, SIDE, GAP, FOOT = "an image of a jellyfish", 5, 192, 8, 46


def main() -> None:
    settings = Settings()
    studio = Studio(Workbench(settings, ModelPool(settings), Store(settings.cache_dir)))
    photo = decode_image(sample_bytes(SAMPLES[0].name))
    question = Question("lite0", PROMPT)
    report = analyse_image(studio.bench, photo, question)
    assert report.sweep is not None
    furthest = report.sweep.epsilon[report.index]
    steps = [furthest * turn / (FRAMES - 1) for turn in range(FRAMES)]
    subject = Subject.of(studio.bench, photo, question)
    strip = strips.at_steps(subject, steps)
    drawer = studio.renderer("inversion", "lite0")
    request = studio.request(drawer, subject, strip.features, seed=0, size=drawer.strip_size)
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
