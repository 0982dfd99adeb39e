"""Two real servers on one cache folder: what one has made the other finds, and a kill costs little.

No proxy is needed for that: a visitor of a replica is whoever opens its address.
"""

import asyncio
import hashlib
import shutil
import signal
import tempfile
import threading
from contextlib import contextmanager

import pytest
import yaml

from benchmarks.killing.server import broken
from benchmarks.soaking import marks
from benchmarks.soaking.guests import Guest, Log
from benchmarks.soaking.line import Line
from benchmarks.soaking.verdict import computed_again
from sing_core.settings import Settings
from tests.browser.server import address, start, stop, wait_until_healthy
from tests.shared_data import ROOT

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
KINDS = ("head", "vocabulary", "features", "uploads", "mini")
NUMBERS = ("epsilon", "image_score_deg", "attribute_score_deg")


def test_the_compose_file_has_replicas_on_one_cache_and_a_proxy_that_keeps_visitors_in_place():
    app, proxy = COMPOSE["services"]["app"], COMPOSE["services"]["proxy"]
    assert app["deploy"]["replicas"] >= 2
    assert app["volumes"] == ["cache:/app/cache"]
    assert "ports" not in app, "nobody reaches a replica past the proxy"
    assert proxy["ports"] == ["127.0.0.1:8501:80"]
    assert "@sha256:" in proxy["image"], "another one never comes in unseen"
    (config,) = proxy["configs"]
    words = COMPOSE["configs"][config["source"]]["content"].replace("$$", "$")
    assert words.count("{") == words.count("}")
    for line in (
        "hash $visitor consistent;",
        'map $cookie_sing $visitor { "" $request_id; default $cookie_sing; }',
        "add_header Set-Cookie $welcome;",
        "proxy_set_header Upgrade $http_upgrade;",
        "location = /_stcore/metrics { return 404; }",
        f"client_max_body_size {Settings().max_upload_mb + 1}m;",
    ):
        assert line in words


@pytest.fixture
def cache(tmp_path):
    """What is assembled, and nothing that was computed from it."""
    ignored = shutil.ignore_patterns("reference*", "*.lock")
    shutil.copytree(Settings().cache_dir / "mini", tmp_path / "cache" / "mini", ignore=ignored)
    return tmp_path / "cache"


@pytest.fixture
def replicas(cache):
    """Addresses and processes of two servers that start at the same moment."""
    found = []
    with tempfile.TemporaryFile() as log:
        for _ in range(2):
            url, port = address()
            environment = {"SING_CACHE_DIR": str(cache), "SING_RENDERER": "off"}
            found.append((url, start("app.py", port, log, **environment)))
        try:
            for url, server in found:
                wait_until_healthy(url, server, log)
            yield found
        finally:
            for _, server in found:
                stop(server)
        log.seek(0)
        assert b"Traceback" not in log.read()


@contextmanager
def writes_counted(cache):
    """Note every file that ever stood under a name: one that is written twice is another file."""
    seen, over = {}, threading.Event()

    def look():
        while not over.wait(0.02):
            for kind in KINDS:
                for path in (cache / kind).glob("*.*"):
                    if path.suffix in (".safetensors", ".blob") and not path.name.startswith("."):
                        try:
                            seen.setdefault(f"{kind}/{path.name}", set()).add(path.stat().st_ino)
                        except OSError:
                            continue

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def guest(url, log):
    """One and the same person, wherever: the same photo and the same words."""
    return Guest(url, 1, 20, log, 1.0)


async def both_at_once(urls, log):
    """Ask the same of both; return the numbers that each shows."""

    async def ask(url):
        one = guest(url, log)
        async with one.line:
            await one.arrive()
            assert one.line.take_alerts() == []
            return {name: one.line.scene[name] for name in NUMBERS}

    return await asyncio.gather(*map(ask, urls))


async def by_link(url, digest, words):
    """Open the link of a photo and a prompt; return what the scene shows."""
    line = Line(url, lambda *_: None, query=f"photo={digest}&prompt={words.replace(' ', '+')}")
    async with line:
        await line.until(lambda: line.scene is not None and line.scene["prompt"] == words)
        return line.scene


@pytest.mark.slow
def test_two_replicas_share_the_work_and_one_answers_for_the_other(replicas, cache):
    (first, killed), (second, _) = replicas
    log = Log()
    with writes_counted(cache) as seen:
        numbers = asyncio.run(both_at_once([first, second], log))
    assert numbers[0] == numbers[1]
    assert {name.split("/")[0] for name in seen} >= {"head", "vocabulary", "features", "uploads"}
    assert {name: files for name, files in seen.items() if len(files) > 1} == {}

    killed.send_signal(signal.SIGKILL)
    killed.wait(60)
    digest, words = hashlib.sha256(marks.photo(1, 0)).hexdigest(), marks.prompt(1, 0, 20)
    shown = asyncio.run(by_link(second, digest, words))
    assert marks.owner_of(shown["photo"]) == (1, 0)
    assert {name: shown[name] for name in NUMBERS} == numbers[0]
    log.answers.append((marks.photo(1, 0), words, numbers[0]))
    assert computed_again(log)[1] == []
    assert log.foreign == []
    assert broken(cache) == []


@pytest.mark.slow
def test_a_replica_that_is_killed_while_it_computes_keeps_nobody_waiting(replicas, cache):
    (first, killed), (second, _) = replicas
    log = Log()

    async def while_it_computes():
        doomed, other = guest(first, log), guest(second, log)
        async with doomed.line:
            while not list(cache.rglob("*.lock")):  # it has begun to make something
                await asyncio.sleep(0.01)
            killed.send_signal(signal.SIGKILL)
            killed.wait(60)
        async with other.line:
            await other.arrive()
            assert other.line.take_alerts() == []

    asyncio.run(while_it_computes())
    assert log.foreign == []
    assert broken(cache) == []
