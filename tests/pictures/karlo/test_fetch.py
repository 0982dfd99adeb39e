"""Fetching Karlo, from a small server that answers as the model hub does."""

import hashlib
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from huggingface_hub import constants

from sing_core.errors import WeightsUnavailableError
from sing_core.pictures.karlo.fetch import fetch_karlo
from sing_core.pictures.karlo.files import REPOSITORY, SAFETENSORS_REF
from sing_core.pictures.karlo.weights import load_karlo
from sing_core.settings import Settings
from tests import tiny_karlo

COMMIT = "c0ffee" * 6 + "c0ff"


@contextmanager
def serving(folder, *, refs):
    """Serve ``folder`` at every revision in ``refs``; yield address and the paths asked for."""
    asked = []

    class Hub(BaseHTTPRequestHandler):
        def answer(self, *, with_body):
            revision, _, name = self.path.removeprefix(f"/{REPOSITORY}/resolve/").partition("/")
            revision = revision.replace("%2F", "/")
            path = folder / name
            if "/resolve/" in self.path:  # the client looks at other addresses of its own accord
                asked.append((revision, name))
            if revision not in refs or not path.is_file():
                self.send_response(404)
                known = "EntryNotFound" if revision in refs else "RevisionNotFound"
                self.send_header("X-Error-Code", known)
                self.send_header("X-Repo-Commit", COMMIT)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            payload = path.read_bytes()
            git = hashlib.sha1(b"blob %d\0" % len(payload) + payload).hexdigest()
            large = path.suffix in (".safetensors", ".bin")
            digest = hashlib.sha256(payload).hexdigest() if large else git
            self.send_response(200)
            self.send_header("ETag", f'"{digest}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            if with_body:
                self.wfile.write(payload)

        def do_HEAD(self):
            self.answer(with_body=False)

        def do_GET(self):
            self.answer(with_body=True)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def online(tmp_path, monkeypatch):
    """Point huggingface_hub at an address and at a cache of this test's."""

    def point(address):
        template = address + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "ENDPOINT", address)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)

    return point


@pytest.fixture
def settings(tmp_path):
    return Settings(cache_dir=tmp_path / "cache", device="cpu")


def refusal(settings):
    with pytest.raises(WeightsUnavailableError) as caught:
        fetch_karlo(settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.slow
def test_fetching_takes_one_commit_and_nothing_superfluous(built_karlo, online, settings, networks):
    told = []
    with serving(built_karlo, refs=(SAFETENSORS_REF, COMMIT)) as (address, asked):
        online(address)
        found = fetch_karlo(settings, told.append)
        assert found.revision == COMMIT
        assert found.weights_id == networks.weights_id
        # The branch is asked about once, for the first file; all the rest are the commit's.
        assert {name for at, name in asked if at != COMMIT} == {"text_encoder/config.json"}
        names = {name for _, name in asked}
        assert not any(name.startswith(("image_encoder", "feature_extractor")) for name in names)
        assert not any(name.endswith(".bin") for name in names)
        # A second time, nothing is carried over again.
        del asked[:]
        fetch_karlo(settings)
        assert len(asked) <= 1
    assert any("decoder/diffusion_pytorch_model.safetensors" in line for line in told)
    assert load_karlo(settings).weights_id == networks.weights_id  # the server is gone


@pytest.mark.slow
def test_a_repository_without_safetensors_is_refused_unless_its_pickles_are_allowed(
    online, settings, tmp_path
):
    folder = tiny_karlo.build(tmp_path / "old", pickles=True)
    with serving(folder, refs=(SAFETENSORS_REF, COMMIT)) as (address, _):
        online(address)
        message = refusal(settings)
        assert "has no text_encoder/model.safetensors at revision" in message
        assert "SING_KARLO_PICKLES" in message
        names = [str(path.relative_to(folder)) for path in folder.glob("*/*.bin")]
        allowed = settings.model_copy(update={"karlo_pickles": ",".join(names)})
        assert fetch_karlo(allowed).weights["decoder"].endswith(".bin")
        load_karlo(allowed)


def test_a_revision_that_the_hub_does_not_know_is_named(built_karlo, online, settings):
    asked = settings.model_copy(update={"karlo_revision": "a" * 40})
    with serving(built_karlo, refs=(COMMIT,)) as (address, _):
        online(address)
        assert "a" * 40 in refusal(asked)


@pytest.mark.slow
def test_without_a_network_one_sentence_says_what_to_do(online, settings, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)  # huggingface_hub tries again for 20 s
    online("http://127.0.0.1:9")  # the discard port: nobody answers
    message = refusal(settings)
    assert "could not be fetched from the model hub" in message
    assert f"hf download {REPOSITORY} --revision {SAFETENSORS_REF}" in message


def test_offline_mode_is_respected(built_karlo, online, settings, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with serving(built_karlo, refs=(SAFETENSORS_REF, COMMIT)) as (address, asked):
        online(address)
        assert "could not be fetched" in refusal(settings)
    assert asked == []


def test_a_folder_of_the_users_is_taken_as_it_is(karlo_settings, online):
    online("http://127.0.0.1:9")
    assert fetch_karlo(karlo_settings).root == karlo_settings.karlo_dir
