"""Rows that more than one command prints."""

from dataclasses import asdict
from typing import Any

from sing_core.studies.reports import ImageReport


def score_row(report: ImageReport, image: str) -> dict[str, Any]:
    """Return what ``score`` prints of a report of null removal."""
    sweep = report.sweep
    return {
        "image": image,
        "digest": report.digest,
        "model": report.model,
        "reference": report.reference,
        "rank": report.rank,
        "nullity": report.nullity,
        "null_energy": report.null_energy,
        "max_logit_drift": sweep.max_logit_drift[-1] if sweep else 0.0,
        "image_score_deg": sweep.image_score_deg[-1] if sweep else 0.0,
        "attribute_score_deg": sweep.attribute_score_deg[-1] if sweep else 0.0,
        "prompt": report.prompt,
        "top5": [asdict(entry) for entry in report.top5_before],
        "shares_tower": report.shares_tower,
        **noted(report.prompt_note),
    }


def noted(prompt_note: str) -> dict[str, str]:
    """Return the field that says which words of a prompt were not read; none where all were."""
    return {"prompt_note": prompt_note} if prompt_note else {}
