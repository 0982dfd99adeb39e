"""Validate's last panel: does what a feature says about the class survive translation?"""

import streamlit as st

from pages._view import commands, loaders
from pages._view.tables import asks
from pages._view.validate import figures
from pages._view.words.help import HELP
from pages._view.words.phrases import number
from sing_core.errors import SingError
from sing_core.maths.head_transfer import Transfer, pearson


def show() -> None:
    """Draw the protocol over the models of a prepared set, once somebody asks for it."""
    st.header("Heads before and after translation", anchor=False, help=HELP["head_transfer"])
    try:
        names = asks.set_names()
        with st.form("validate.heads", border=False):
            images = st.selectbox("Image set", names, key="validate.set", width=320) or ""
            if not st.form_submit_button("Train the heads") or not images:
                return
        with st.spinner("Training two heads per classifier…"):
            found = asks.transfer_rows(asks.scored_models(images), images)
    except SingError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.markdown(sentence(found))
    st.dataframe([_cells(row) for row in found], hide_index=True, key="validate.heads_table")
    if len(found) > 1:
        titles = [loaders.models()[row.model].title for row in found]
        st.plotly_chart(
            figures.transfers(titles, found), key="validate.heads_figure",
            config={"displaylogo": False},
            alt="Accuracy of each classifier’s head before translation against that after it.",
        )  # fmt: skip
    command = commands.of_set("validate-heads", [row.model for row in found], images)
    st.caption(f"The same: `{command}`")


def _cells(row: Transfer) -> dict[str, object]:
    return {
        "classifier": loaders.models()[row.model].title,
        "accuracy before": number(row.before, ".1%"),
        "after": number(row.after, ".1%"),
        "classes": row.classes,
        "trained on": row.n,
        "judged on": row.n_test,
    }


def sentence(found: list[Transfer]) -> str:
    """Return what the accuracies say together."""
    correlation = pearson(found)
    if correlation is None:
        return "A correlation over classifiers needs three of them: **not decided**."
    return (
        f"Pearson’s r of the two accuracies over {len(found)} classifiers: **{correlation:+.3f}** "
        "(the paper: 0.972 over its own). Over so few classifiers it says little."
    )
