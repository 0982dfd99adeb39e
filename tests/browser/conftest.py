"""A real Chromium and a real server for the browser tests.

``serve(script)`` starts any Streamlit script and returns its address, ``app_url`` and
``drawing_url`` are the app's, ``page`` is a fresh tab, ``explore`` opens the Explore page and
``scrubber_page`` the ε-scrubber alone. Everything that is started here is ended here.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, NoReturn

import pytest

from tests.browser.measure import Explore, Scrubber, Tab
from tests.browser.server import address, start, stop, wait_until_healthy

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-quic",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]

Serve = Callable[..., str]
OpenTab = Callable[[type[Tab], int, str], Any]
OpenExplore = Callable[..., Explore]
OpenScrubber = Callable[..., Scrubber]


def give_up(reason: str) -> NoReturn:
    """Skip on a machine without a browser; where ``CI`` is set a silent skip would be a lie."""
    if os.environ.get("CI"):
        pytest.fail(f"The browser tests must run where CI is set: {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A playwright ``Browser``: the system's Chromium.

    For one module only: while playwright's loop runs, no other test could start a loop of its own.
    """
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        give_up("Chromium is not installed.")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        give_up("playwright is not installed.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """A fresh tab, 1440 x 900, that shares nothing with the other tests."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def serve() -> Iterator[Serve]:
    """Start a Streamlit script (a path from the repository's root) once and return its address."""
    urls: dict[str, str] = {}
    with ExitStack() as running:

        def serve_once(script: str, **environment: str) -> str:
            key = f"{script} {sorted(environment.items())}"
            if key not in urls:
                url, port = address()
                log = running.enter_context(tempfile.TemporaryFile())
                server = start(script, port, log, **environment)
                running.callback(stop, server)
                wait_until_healthy(url, server, log)
                urls[key] = url
            return urls[key]

        yield serve_once


@pytest.fixture(scope="session")
def app_url(serve: Serve) -> str:
    """The address of the real app; it draws pictures where a test asks for them."""
    return serve("app.py", SING_RENDERER="off")


@pytest.fixture(scope="session")
def drawing_url(serve: Serve) -> str:
    """The address of the real app as it ships: pictures begin by themselves."""
    return serve("app.py")


@pytest.fixture
def open_tab(chromium: Any) -> Iterator[OpenTab]:
    """Open ``(kind, width, scheme)``, each in a browser context of its own.

    Whatever a test did, no tab may end with something gone wrong in it.
    """
    opened: list[Tab] = []
    with ExitStack() as contexts:

        def open_one(kind: type[Tab], width: int, scheme: str) -> Any:
            size = {"width": width, "height": 1000}
            context = chromium.new_context(viewport=size, color_scheme=scheme)
            contexts.callback(context.close)
            opened.append(kind(context.new_page()))
            return opened[-1]

        yield open_one
    assert [problem for tab in opened for problem in tab.problems] == []


@pytest.fixture
def explore(open_tab: OpenTab, app_url: str) -> OpenExplore:
    """Open the Explore page."""

    def open_page(
        width: int = 1440, scheme: str = "light", url: str = app_url, **query: str
    ) -> Explore:
        tab: Explore = open_tab(Explore, width, scheme)
        return tab.go(url, **query)

    return open_page


@pytest.fixture
def scrubber_page(open_tab: OpenTab, serve: Serve) -> OpenScrubber:
    """Open the scrubber alone, on one of scrubber_app.py's cases."""
    url = serve("tests/browser/scrubber_app.py")

    def open_page(case: str = "plain", width: int = 1440, scheme: str = "light") -> Scrubber:
        tab: Scrubber = open_tab(Scrubber, width, scheme)
        return tab.go(url, case)

    return open_page
