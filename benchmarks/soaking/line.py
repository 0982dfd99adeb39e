"""A browser without a screen: Streamlit's own messages over its own websocket."""

import asyncio
import contextlib
import json
import re
from collections.abc import Callable
from typing import Any, Self
from urllib.parse import urlsplit

import requests
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

TOKEN = "_streamlit_xsrf"
PATIENCE_S = 180.0
_WHOLE = ForwardMsg.FINISHED_SUCCESSFULLY
_MAX_BYTES = 200 * 2**20


class Line:
    """One session: what it was sent last, and what it says.

    Attributes:
        scene: what Explore's scene shows, the payload of its component; None before the first.
        finished: how many whole runs of the page have ended.
        alerts: what error boxes and exceptions said since somebody last took them.
        pages: address of a page to its hash.
    """

    def __init__(
        self, url: str, hear: Callable[[bytes, dict[str, Any] | None], None], query: str = ""
    ) -> None:
        """Connect to nothing yet; ``hear`` gets every message, and the scene it brings if any.

        ``query``: what stands in the link behind the question mark.
        """
        self.scene: dict[str, Any] | None = None
        self.finished, self.alerts = 0, list[str]()
        self.pages = dict[str, str]()
        self._url, self._hear = url, hear
        self._http = requests.Session()
        self._http.trust_env = False  # never through a proxy: this is our own machine
        self._socket: ClientConnection | None = None
        self._session, self._page, self._query = "", "", query
        self._ids = dict[str, str]()
        self._states = dict[str, WidgetState]()
        self._timers = dict[str, asyncio.Task[None]]()
        self._links: asyncio.Queue[Any] = asyncio.Queue()
        self._news = asyncio.Condition()
        self._reader: asyncio.Task[None] | None = None
        self._ended = False

    async def __aenter__(self) -> Self:
        """Connect as a browser does: the health page brings the token that uploads need."""
        await asyncio.to_thread(self._http.get, f"{self._url}/_stcore/health", timeout=30)
        token = self._http.cookies.get(TOKEN, "")
        self._socket = await connect(
            f"ws://{urlsplit(self._url).netloc}/_stcore/stream",
            subprotocols=["streamlit", token] if token else ["streamlit"],  # type: ignore[list-item]
            max_size=_MAX_BYTES,
            ping_timeout=PATIENCE_S,
            proxy=None,
        )
        self._reader = asyncio.create_task(self._read())
        await self._run()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave, as one who closes the tab."""
        self._stop_timers()
        if self._reader:
            self._reader.cancel()
        if self._socket:
            await self._socket.close()
        self._http.close()

    async def until(self, there: Callable[[], bool], seconds: float = PATIENCE_S) -> None:
        """Return as soon as ``there`` says so.

        Raises:
            TimeoutError: it never did.
            ConnectionError: the server ended the line.
        """

        def judged() -> bool:
            if self._ended:
                raise ConnectionError("the server ended the line")
            return there()

        async with asyncio.timeout(seconds), self._news:
            await self._news.wait_for(judged)

    async def choose(self, key: str, **value: Any) -> None:
        """Set the widget with this key of the page's script, and have the page run."""
        await self.until(lambda: key in self._ids)
        self._states[key] = WidgetState(id=self._ids[key], **value)
        await self._run()

    async def visit(self, page: str) -> None:
        """Go to the page with this address ("" is the first)."""
        self._page = self.pages[page]
        self._states.clear()
        self._ids.clear()
        self.scene = None
        await self._run()

    async def upload(self, key: str, name: str, payload: bytes) -> None:
        """Send a file and have the page run with it.

        Raises:
            ConnectionError: the server did not take it.
        """
        await self.until(lambda: key in self._ids)
        asked = BackMsg()
        asked.file_urls_request.request_id = name
        asked.file_urls_request.file_names.append(name)
        asked.file_urls_request.session_id = self._session
        await self._send(asked)
        link = (await asyncio.wait_for(self._links.get(), PATIENCE_S)).file_urls[0]
        answer = await asyncio.to_thread(
            self._http.put,
            f"{self._url}{link.upload_url}",
            files={"file": (name, payload)},
            headers={"X-Xsrftoken": self._http.cookies.get(TOKEN, "")},
            timeout=PATIENCE_S,
        )
        if not answer.ok:
            raise ConnectionError(f"an upload was answered by {answer.status_code}")
        state = WidgetState(id=self._ids[key])
        state.file_uploader_state_value.uploaded_file_info.add(
            name=name, size=len(payload), file_id=link.file_id, file_urls=link
        )
        self._states[key] = state
        await self._run()

    def take_alerts(self) -> list[str]:
        """Return what went wrong on the page since this was last asked."""
        found, self.alerts = self.alerts, []
        return found

    async def _run(self, fragment: str = "") -> None:
        asked = BackMsg()
        state = asked.rerun_script
        state.page_script_hash, state.query_string = self._page, self._query
        state.fragment_id, state.is_auto_rerun = fragment, bool(fragment)
        state.widget_states.widgets.extend(self._states.values())
        await self._send(asked)

    async def _send(self, message: BackMsg) -> None:
        if self._socket is None:
            raise ConnectionError("the line is not open")
        await self._socket.send(message.SerializeToString())

    async def _read(self) -> None:
        assert self._socket is not None
        try:
            async for words in self._socket:
                assert isinstance(words, bytes)
                before = self.scene
                self._take(ForwardMsg.FromString(words))
                self._hear(words, None if self.scene is before else self.scene)
                async with self._news:
                    self._news.notify_all()
        finally:
            self._ended = True
            async with self._news:  # whoever waits learns that nothing more comes
                self._news.notify_all()

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._session = message.new_session.initialize.session_id
            if not message.metadata.run.fragment_ids:
                self._page = message.new_session.page_script_hash
                self._stop_timers()
        elif kind == "navigation":
            offered = message.navigation.app_pages
            self.pages = {page.url_pathname: page.page_script_hash for page in offered}
        elif kind == "page_info_changed":
            self._query = message.page_info_changed.query_string
        elif kind == "script_finished":
            self.finished += message.script_finished == _WHOLE
        elif kind == "file_urls_response":
            self._links.put_nowait(message.file_urls_response)
        elif kind == "auto_rerun":
            self._repeat(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "stop_auto_rerun":
            self._stop_timers(message.stop_auto_rerun.fragment_ids)
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self._see(message.delta.new_element)

    def _see(self, element: Element) -> None:
        kind = element.WhichOneof("type") or "empty"
        shown = getattr(element, kind)
        if kind == "exception":
            self.alerts.append(f"{shown.type}: {shown.message}")
        elif kind == "alert" and shown.format == Alert.ERROR:
            self.alerts.append(shown.body)
        elif kind == "bidi_component" and (words := shown.json or shown.mixed.json):
            told = json.loads(words)
            self.scene = told if "sweep_id" in told else self.scene
        if key := re.match(r"\$\$ID-[^-]*-(.+)", getattr(shown, "id", "")):
            self._ids[key[1]] = shown.id
            if getattr(shown, "set_value", False):
                self._obey(key[1], kind, shown)

    def _obey(self, key: str, kind: str, shown: Any) -> None:
        """Take over what the page's script set a widget to, as the browser does."""
        state = WidgetState(id=shown.id)
        if kind == "selectbox":
            state.string_value = shown.raw_value
        elif kind == "button_group":
            state.string_array_value.data.extend(shown.raw_values)
        else:
            return
        self._states[key] = state

    def _repeat(self, fragment: str, seconds: float) -> None:
        async def again() -> None:
            while True:
                await asyncio.sleep(seconds)
                with contextlib.suppress(ConnectionError):
                    await self._run(fragment)

        self._stop_timers([fragment])
        self._timers[fragment] = asyncio.create_task(again())

    def _stop_timers(self, fragments: Any = None) -> None:
        for fragment in list(self._timers if fragments is None else fragments):
            if timer := self._timers.pop(fragment, None):
                timer.cancel()
