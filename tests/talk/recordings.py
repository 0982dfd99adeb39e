"""Recordings made up for tests: every number and picture there is, and no network."""

import numpy as np
from PIL import Image

from sing_core.files.images import picture_url
from sing_core.talk.recording import VERSION, Recording, to_url
from sing_core.talk.scene import Scene
from sing_core.talk.script import save_recording, save_talk

STEPS = 61


def made_up_scene(name="cat-fox", **fields):
    defaults = {
        "photo": "chelsea",
        "model": "lite0",
        "prompt": "an image of a red fox",
        "epsilon": 6.0,
        "classes": (1, 207, 282),
        "caption": f"The caption of {name}.",
        "notes": f"The notes of {name}.",
    }
    return Scene(name, **(defaults | fields))


def _picture(colour):
    return to_url(np.full((128, 128, 3), colour, dtype=np.uint8))


def made_up_recording(scene, *, hue=0):
    """Smooth curves and plain pictures; ``hue`` makes scenes differ."""
    epsilon = [0.1 * step for step in range(STEPS)]
    image = [round(40 * step / (STEPS - 1), 4) for step in range(STEPS)]
    frames = [
        {
            "index": index, "src": _picture((hue, 4 * index, 255 - 4 * index)),
            "epsilon": epsilon[index], "image_score_deg": 0.7 * image[index],
            "attribute_score_deg": 0.3 * image[index], "max_logit_drift": 0.0, "rank": 61 - index,
            "feature_label": "tiger cat", "feature_probability": 0.39, "angle_deg": 30.0,
            "label": "tiger cat" if index < 60 else "goldfish", "probability": 0.5,
            "picture_rank": 90 - index,
        }
        for index in (0, 15, 30, 60)
    ]  # fmt: skip
    named = {"label": "tiger cat", "probability": 0.39}
    payload = {
        "version": VERSION, "key": scene.key, "photo": picture_url(
            Image.new("RGB", (160, 120), (hue, 90, 40))
        ),
        "model_title": "EfficientNet-Lite0", "deciding": 3, "nullity": 1277, "feature_dim": 1280,
        "shares_tower": False, "prompt_note": "", "before": named, "after": named,
        "max_abs_logit": 9.2, "drift_budget": 1e-5, "start": STEPS - 1, "epsilon": epsilon,
        "image_score_deg": image, "attribute_score_deg": [0.4 * score for score in image],
        "average_score_deg": [0.1 * score for score in image],
        "max_logit_drift": [1e-6] * STEPS, "rank": [61 - step for step in range(STEPS)],
        "concepts": 1268, "frames": frames,
        "controls": [
            {"name": name, **frames[at]}
            for name, at in (("null", 3), ("random", 1), ("principal", 2))
        ],
        "facts": {"image": "0" * 64},
    }  # fmt: skip
    return Recording(scene, payload).worded(scene)


def write_talk(folder, count=8):
    """Write a talk of ``count`` scenes into ``folder``; return the scenes."""
    scenes = [made_up_scene(f"scene-{place}") for place in range(count)]
    for place, scene in enumerate(scenes):
        save_recording(made_up_recording(scene, hue=30 * place), folder)
    save_talk(scenes, folder)
    return scenes
