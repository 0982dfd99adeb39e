"""Back and Forward under AppTest, which has no browser that would say so itself."""

from unittest.mock import patch

from streamlit.testing.v1 import AppTest

from pages._view import state


def travel(app: AppTest, **query: str) -> AppTest:
    """Run ``app`` as the browser does that went Back or Forward to ``query``."""
    app.query_params.clear()
    for name, value in query.items():
        app.query_params[name] = value
    with patch.object(state, "went_through_history", lambda: True):
        return app.run()
