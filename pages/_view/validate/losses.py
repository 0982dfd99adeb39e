"""How were the networks trained? What each loss does to the other one, pass by pass (Fig. 7)."""

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from pages._view import exports, loaders
from pages._view.folded import folded
from sing_core.errors import SingError
from sing_core.maths.statistics import Interval
from sing_core.maths.translator_quality import Comparison
from sing_core.studies.translator_table import Training, read_comparisons, read_trainings

_LOOKS = {"mse": ("#0f7b8a", "solid"), "cosine": ("#b5552b", "dash"), "both": ("#8e5bc0", "dot")}
_SPOKEN = {"mse": "squared error", "cosine": "cosine", "both": "both"}


def offer() -> None:
    """Draw the folded question, and its answer once it is unfolded."""
    folded(
        "What does the loss change?", icon=":material/show_chart:", key="validate.losses",
        show=_show,
    )  # fmt: skip


def _show() -> None:
    try:
        every = read_trainings(loaders.settings())
        table = read_comparisons(loaders.settings())[1]["photos"]
    except SingError as error:
        st.warning(str(error), icon=":material/warning:")
        return
    names = list(dict.fromkeys(one.architecture for one in every))
    chosen = st.selectbox("Network", names, key="validate.network", width=240)
    found = [one for one in every if one.architecture == chosen]
    st.markdown(f"**{sentence(chosen, table)}** Measured on {table.images}.")
    st.plotly_chart(
        curves(found), key="validate.losses_figure", config=exports.FIGURE_CONFIG,
        alt="Cosine and squared error on other photographs after each pass, a curve for each loss.",
    )  # fmt: skip
    st.caption(
        "The curves are of views of other photographs, which chose the pass that is kept: training "
        "ends once their cosine no longer grows. The sentence is of images that neither trained "
        "nor chose. One start each. The linear map needs no passes: it is solved for."
    )


def sentence(network: str, table: Comparison) -> str:
    """Return what training on one loss alone does to the other, on images that took no part."""
    rows = {row.loss: row for row in table.rows if row.architecture == network}
    squared, turned = rows["mse"], rows["cosine"]
    return (
        f"Trained on the squared error alone, the cosine comes to {_told(squared.cosine)}; trained "
        f"on the cosine alone, to {_told(turned.cosine)}, with "
        f"{turned.mse.estimate / squared.mse.estimate:.2f} times the squared error."
    )


def _told(found: Interval) -> str:
    return f"{found.estimate:.3f} [{found.low:.3f}, {found.high:.3f}]"


def curves(found: Sequence[Training]) -> go.Figure:
    """Return cosine and squared error by pass, side by side, one curve a loss."""
    figure = make_subplots(1, 2, subplot_titles=("cosine", "squared error × 1000"))
    for one in found:
        colour, dash = _LOOKS[one.loss]
        passes = list(range(1, len(one.epochs) + 1))
        measures = [e.cosine for e in one.epochs], [1000 * e.mse for e in one.epochs]
        for column, values in enumerate(measures, start=1):
            figure.add_scatter(
                x=passes, y=values, mode="lines", line={"color": colour, "dash": dash},
                name=f"trained on {_SPOKEN[one.loss]}", legendgroup=one.loss,
                showlegend=column == 1, row=1, col=column,
                hovertemplate="pass %{x}: %{y:.4f}<extra></extra>",
            )  # fmt: skip
    figure.update_xaxes(title_text="passes over the images")
    below = {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0}
    figure.update_layout(height=360, margin={"l": 8, "r": 8, "t": 32, "b": 8}, legend=below)
    return figure
