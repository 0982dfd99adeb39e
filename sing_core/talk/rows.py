"""One row a scene: what is asked, what was measured, and what networks see in its pictures."""

from typing import TYPE_CHECKING, Any

from sing_core.talk.recording import Recording
from sing_core.talk.scene import Scene
from sing_core.talk.verification import Verification, verify

if TYPE_CHECKING:
    from sing_core.models.workbench import Workbench


def scene_row(bench: "Workbench", scene: Scene, recording: Recording | None) -> dict[str, Any]:
    """Return the scene's row; what a recording would tell is None where there is none.

    ``picture_top1_…`` are what the scene's own deciding head reads in the pictures; ``verified``
    is computed now, by networks that took no part in drawing them.

    Raises:
        SingError: a network that reads the pictures cannot be loaded.
    """
    row: dict[str, Any] = {
        "name": scene.name,
        "photo": scene.photo,
        "model": scene.model,
        "prompt": scene.prompt,
        "epsilon": scene.epsilon,
        "classes": list(scene.classes),
        "verified": False,
        "image_score_deg": None,
        "attribute_score_deg": None,
        "feasible_image_score_deg": None,
        "picture_top1_before": None,
        "picture_top1_after": None,
    }
    if recording is None:
        return row
    row |= _measured(recording)
    return row | _seen(verify(bench, recording)) if recording.has_pictures else row


def _measured(recording: Recording) -> dict[str, Any]:
    payload, start = recording.payload, recording.payload["start"]
    found = {
        "epsilon": payload["epsilon"][start],
        "image_score_deg": payload["image_score_deg"][start],
        "attribute_score_deg": payload["attribute_score_deg"][start],
        "max_logit_drift": payload["max_logit_drift"][start],
        "top1_before": payload["before"]["label"],
        "top1_after": payload["after"]["label"],
    }
    if recording.has_pictures and recording.scene.drawn == "feasible":
        drawn = payload["frames"][recording.pair[1]]
        found["feasible_image_score_deg"] = drawn["image_score_deg"]
        found["feasible_attribute_score_deg"] = drawn["attribute_score_deg"]
        found["feasible_max_logit_drift"] = drawn["max_logit_drift"]
    return found


def _seen(found: Verification) -> dict[str, Any]:
    return {
        "verified": found.verified,
        "current": found.current,
        "class_holds": found.class_holds,
        "prompt_rank_before": found.prompt_rank[0],
        "prompt_rank_after": found.prompt_rank[1],
        "picture_top1_before": found.own.before.label,
        "picture_top1_after": found.own.after.label,
        "picture_logit_share": found.logit_share,
        "picture_prompt_rank_before": found.seen_rank[0],
        "picture_prompt_rank_after": found.seen_rank[1],
        "witnesses": [
            {
                "model": witness.model,
                "top1_before": witness.before.label,
                "top1_after": witness.after.label,
                "prompt_rank_before": witness.before.prompt_rank,
                "prompt_rank_after": witness.after.prompt_rank,
                "agrees": witness.agrees,
            }
            for witness in found.witnesses
        ],
    }
