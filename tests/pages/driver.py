"""Drives app.py under AppTest by widget key and reads what it shows, as a person would."""

import json
from pathlib import Path

from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block, Selectbox

from tests.history import travel

ROOT = Path(__file__).resolve().parents[2]


def typed_or_chosen(self):
    """AppTest 1.67 knows a selectbox's options only; a browser also sends what was typed."""
    state = WidgetState(id=self.id)
    if self.value is not None:
        state.string_value = str(self.format_func(self.value))
    return state


class App:
    """One session of the app; every run must end without an exception and with its title."""

    def __init__(self, **query):
        self.at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)
        for name, value in query.items():
            self.at.query_params[name] = value
        self.run()

    @classmethod
    def at_page(cls, name, *, unfolded=(), **query):
        """Open a page by its own address, as a link in a fresh session does.

        ``unfolded``: the panels whose command is unfolded.
        """
        app = cls.__new__(cls)
        app.at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)
        app.at.switch_page(f"pages/{name}.py")
        for key, value in query.items():
            app.at.query_params[key] = value
        for panel in unfolded:
            app.at.session_state[f"{panel}.command"] = True
        return app.run()

    def run(self):
        self.at.run()
        return self._checked()

    def _checked(self):
        assert [e.message for e in self.at.exception] == []
        own = [html for html in self.at.get("html") if "<h1>" in html.proto.body]
        assert len(self.at.title) + len(own) == 1
        return self

    def _set(self, widget, value):
        widget.set_value(value)
        return self.run()

    def choose_sample(self, name):
        return self._set(self.at.selectbox(key="explore.sample"), name)

    def choose_model(self, name):
        return self._set(self.at.selectbox(key="explore.model"), name)

    def choose_mode(self, name):
        return self._set(self.at.button_group(key="explore.mode"), name)

    def choose_source(self, name):
        return self._set(self.at.button_group(key="explore.source"), name)

    def type_prompt(self, text):
        return self._set(self.at.selectbox(key="explore.prompt"), text)

    def want(self, degrees):
        return self._set(self.at.number_input(key="explore.is"), degrees)

    def upload(self, payload, name="photo.jpg", mime="image/jpeg"):
        if self.at.button_group(key="explore.source").value != "upload":
            self.choose_source("upload")
        return self._set(self.at.file_uploader(key="explore.upload"), (name, payload, mime))

    def travel(self, **query):
        """Go Back or Forward to ``query``."""
        travel(self.at, **query)
        return self._checked()

    def open(self, page):
        self.at.switch_page(f"pages/{page}.py")
        return self.run()

    @property
    def query(self):
        """The query parameters as one text each."""
        lists = {name: self.at.query_params[name] for name in self.at.query_params}
        return {n: v[0] if isinstance(v, list) else v for n, v in lists.items()}

    @property
    def errors(self):
        return [element.value for element in self.at.error]

    @property
    def warnings(self):
        return [element.value for element in self.at.warning]

    @property
    def captions(self):
        return [element.value for element in self.at.caption]

    @property
    def photo_popover(self):
        """The block behind the button of the photo."""
        for node in self.at.main:
            proto = node.proto if isinstance(node, Block) else None
            known = {field.name for field, _ in proto.ListFields()} if proto is not None else ()
            if "popover" in known and proto.popover.label.startswith("Photo: "):
                return node
        raise AssertionError("There is no button of the photo.")

    @property
    def photo_button(self):
        """What the button says behind which the photo is chosen."""
        return self.photo_popover.proto.popover.label

    @property
    def facts(self):
        """Metrics by label: value and note."""
        return {m.label: (m.value, m.delta) for m in self.at.metric}

    @property
    def sweep(self):
        """What the scrubber was sent; None where there is no scrubber."""
        found = self.at.get("bidi_component")
        return json.loads(found[0].proto.json) if found else None

    @property
    def numbers(self):
        """The curves and the place on them, to compare two states by."""
        names = ("epsilon", "image_score_deg", "attribute_score_deg", "index", "before")
        return {name: self.sweep[name] for name in names}

    @property
    def shown(self):
        """IS, AS and drift at the slider's place."""
        i = self.sweep["index"]
        names = ("image_score_deg", "attribute_score_deg", "max_logit_drift")
        return tuple(self.sweep[name][i] for name in names)

    @property
    def classes(self):
        """The table of the five likeliest classes."""
        return self.at.dataframe[0].value

    def assert_shows_numbers(self):
        sweep = self.sweep
        assert sweep is not None, (self.errors, self.warnings)
        assert len(sweep["epsilon"]) >= 41
        for name in ("image_score_deg", "attribute_score_deg", "max_logit_drift"):
            assert len(sweep[name]) == len(sweep["epsilon"])
            assert all(isinstance(value, float) for value in sweep[name]), name
        assert max(sweep["max_logit_drift"]) <= 1e-5 * sweep["max_abs_logit"]
        assert self.facts["Null space"][0] == "280 / 1280"
        assert len(self.classes) == 5
        assert list(self.classes["class before"]) == list(self.classes["class after"])
        return self

    def assert_says(self, *parts):
        """One sentence holds all of ``parts``, and the controls are still there."""
        said = self.errors + self.warnings
        assert any(all(part in text for part in parts) for text in said), said
        assert self.at.selectbox(key="explore.model").value
        return self


Selectbox._widget_state = property(typed_or_chosen)
