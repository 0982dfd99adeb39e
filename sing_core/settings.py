"""One frozen configuration, read from the environment (prefix ``SING_``), passed as an argument."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Where things lie, which device computes, and the limits on what a user may send.

    Attributes:
        cache_dir: disposable artefacts; rebuilt by code.
        assets_dir: small weights and vocabularies that ship with the repository.
        images_dir: folder of the user's own images, or a Parquet file of them, offered where a page
            looks at a set of images; ``None``: there is none.
        sets_dir: folder inside which visitors of the dashboard may type paths although other
            computers reach the server; ``None``: there is none.
        device: ``auto`` takes CUDA when present, else the CPU.
        threads: CPU threads of torch; ``None`` leaves torch's own choice.
        max_pixels: largest photo, in pixels, refused from the header before decoding.
        max_photos_mb: most memory that decoded photos of visitors may take, in MB; they are decoded
            again when needed. One alone may be larger.
        max_upload_mb: largest upload, in MB.
        max_prompt_chars: longest prompt, in characters.
        keep_uploads: how many uploaded photos the cache keeps so that links to them work.
        renderer: who draws the pictures of Explore until somebody chooses; ``off``: nobody.
        max_frames_mb: most that rendered pictures may take in the cache, in MB.
        max_features_mb: most that the features of photos may take in the cache, in MB; those used
            least recently go first, and are computed again when needed.
        render_timeout_s: longest that one rendering may take, in seconds.
        karlo_dir: folder that holds Karlo's weights as the hub lays them out; ``None`` looks in
            the Hugging Face cache.
        karlo_revision: full commit hash of Karlo's repository to take; empty takes the one taken
            first on this machine.
        karlo_pickles: comma-separated names of Karlo's pickled weight files that may be opened,
            such as ``decoder/diffusion_pytorch_model.bin``; all others are refused.
        offline: never use the network; HF_HUB_OFFLINE does the same.
        max_models_mb: most memory that loaded classifiers and references may take, in MB; the
            least recently used ones leave. One alone may be larger.
        typed_models: whether visitors of the dashboard may load a classifier by typing its name,
            and prepare images that they send or whose path they type; switch it off where
            strangers reach the page. Paths need more: a server that listens on this computer
            alone, or ``sets_dir``.
    """

    model_config = SettingsConfigDict(
        env_prefix="SING_", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    cache_dir: Path = _ROOT / "cache"
    assets_dir: Path = _ROOT / "assets"
    images_dir: Path | None = None
    sets_dir: Path | None = None
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int | None = Field(default=None, ge=1, le=256)
    max_pixels: int = Field(default=50_000_000, ge=1)
    max_photos_mb: int = Field(default=400, ge=1)
    max_upload_mb: int = Field(default=20, ge=1)
    max_prompt_chars: int = Field(default=300, ge=1)
    keep_uploads: int = Field(default=200, ge=0)
    renderer: Literal["inversion", "drawn", "neighbours", "karlo", "off"] = "inversion"
    max_frames_mb: int = Field(default=256, ge=1)
    max_features_mb: int = Field(default=256, ge=1)
    render_timeout_s: float = Field(default=900.0, gt=0)
    karlo_dir: Path | None = None
    karlo_revision: str = Field(default="", pattern=r"^([0-9a-f]{40})?$")
    karlo_pickles: str = ""
    offline: bool = False
    max_models_mb: int = Field(default=4096, ge=1)
    typed_models: bool = True


_MUST_BE = {  # what pydantic calls a fault, and what it asks for in words
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "bool_parsing": "true or false",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "literal_error": "{expected}",
    "string_pattern_mismatch": "of the form {pattern}",
}


def fault(wrong: "ErrorDetails") -> str:
    """Return what one fault that pydantic found asks for, as the end of a sentence."""
    wanted = _MUST_BE.get(wrong["type"])
    if wanted is not None:
        limits = wrong.get("ctx", {}).items()
        plain = {name: f"{x:.10g}" if isinstance(x, float) else x for name, x in limits}
        return f"it must be {wanted.format(**plain)}"
    said = wrong["msg"].removeprefix("Value error, ").removesuffix(".")
    return said.replace("Input should be", "it must be")


def refusal(error: ValidationError) -> str:
    """Return a sentence for each setting that cannot be used."""
    return " ".join(
        f"SING_{str(wrong['loc'][0]).upper()} cannot be used: {fault(wrong)}."
        for wrong in error.errors()
    )
