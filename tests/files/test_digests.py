"""Digests: one place, and the formulas that files and the registry were written with."""

import ast
import hashlib

import pytest
import torch

from sing_core.files.digests import (
    content_key,
    digest_of_listing,
    git_sha1_of,
    nameless_digest,
    network_digest,
    sha256_of,
    sha256_of_bytes,
    sha256_of_files,
    tensor_digest,
)
from tests.shared_data import ROOT


@pytest.mark.slow
def test_no_other_file_of_the_core_hashes_for_itself():
    alone = ROOT / "sing_core" / "files" / "digests.py"
    others = []
    for path in (ROOT / "sing_core").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if "hashlib" in named and path != alone:
                others.append(path.name)
    assert others == []


def test_files_and_bytes_have_their_plain_digests(tmp_path):
    (tmp_path / "a").write_bytes(b"one")
    (tmp_path / "b").write_bytes(b"two")
    one, two = (hashlib.sha256(payload) for payload in (b"one", b"two"))
    assert sha256_of(tmp_path / "a") == sha256_of_bytes(b"one") == one.hexdigest()
    together = hashlib.sha256(one.digest() + two.digest()).hexdigest()
    assert sha256_of_files([tmp_path / "a", tmp_path / "b"]) == together
    assert git_sha1_of(tmp_path / "a") == hashlib.sha1(b"blob 3\0one").hexdigest()


def test_a_listing_is_known_by_all_its_entries_in_their_order():
    listed = [("a", "1"), ("b", "2")]
    keys = "".join(content_key(*entry) for entry in listed)
    assert digest_of_listing(listed) == hashlib.sha256(keys.encode()).hexdigest()
    assert digest_of_listing(listed) != digest_of_listing(reversed(listed))


def test_tensors_are_known_by_name_and_bytes_and_networks_by_shape_and_type_too():
    a, b = torch.randn(2, 3), torch.randn(3)
    assert tensor_digest({"a": a, "b": b}) == tensor_digest({"b": b, "a": a})
    assert tensor_digest({"a": a, "b": b}) != tensor_digest({"c": a, "b": b})
    assert nameless_digest(a.mT, b) == nameless_digest(a.mT.contiguous(), b)
    assert network_digest({"a": a}) != network_digest({"a": a.reshape(3, 2)})
