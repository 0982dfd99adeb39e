"""The panels of the Validate page: facts, spectrum, perturbations, translator, downloads."""

import csv
import io
import json
import statistics
from dataclasses import asdict

import streamlit as st

from pages._view import loaders
from pages._view.exports import File, show_command, show_files
from pages._view.validate import figures, sources
from pages._view.words.help import HELP, OWN_TRANSLATOR_NOTE
from pages._view.words.phrases import in_words, size
from sing_core.maths.head_variants import WHOLE_HEAD
from sing_core.maths.statistics import Interval
from sing_core.maths.translator_quality import Comparison
from sing_core.studies.heads import threshold_costs
from sing_core.studies.translator_table import read_comparisons
from sing_core.studies.validation import KINDS, Perturbations, Spectrum, Validation

_PLAIN = {"displaylogo": False}
_NARROW_PX = 90  # three such columns are seen whole on a phone


def show_facts(found: Validation) -> None:
    """Draw the numbers that decide."""
    spectrum, moved = found.spectrum, found.perturbations
    with st.container(horizontal=True, gap="large"):
        st.metric("Rank", f"{spectrum.rank} of {spectrum.feature_dim}", help=HELP["nullity"])
        st.metric("Nullity", str(spectrum.nullity), help=HELP["nullity"])
        for kind in () if moved.sentence else KINDS:
            label = f"Median change, {kind.replace('_', ' ')}"
            st.metric(label, size(moved.of(kind).median()), help=HELP["perturbations"])


def show_spectrum(found: Spectrum) -> None:
    """Draw the singular values with the rank cut."""
    st.header("Spectrum of the head", anchor=False, help=HELP["spectrum"])
    st.plotly_chart(
        figures.spectrum(found), key="validate.spectrum", config=_PLAIN,
        alt="Singular values of the head, largest first, and where they count as zero.",
    )  # fmt: skip


def show_thresholds(model: str) -> None:
    """Draw what it costs to count weak directions as null space, too."""
    with st.expander("If small singular values counted as zero"):
        costs = threshold_costs(loaders.bench(), model, WHOLE_HEAD)
        rows = [
            {
                "zero up to": 100 * cost.threshold,
                "null space": cost.nullity,
                "drift": cost.drift_per_step,
            }
            for cost in costs
        ]
        st.dataframe(rows, hide_index=True, key="validate.thresholds", column_config=_COSTS)
        st.caption(
            "Singular values up to that share of the largest count as zero. The drift is the most "
            "that any logit moves per step of length 1. Explore can be asked for such a null "
            "space: “Weak directions too”."
        )


_COSTS = {
    "zero up to": st.column_config.NumberColumn(format="%g %%", width=_NARROW_PX),
    "null space": st.column_config.NumberColumn(width=_NARROW_PX),
    "drift": st.column_config.NumberColumn(format="%.2g", width=_NARROW_PX),
}


def show_perturbations(found: Perturbations) -> None:
    """Draw the logit changes of null, random and class-row steps of one length."""
    st.header("Steps of one length", anchor=False, help=HELP["perturbations"])
    if found.sentence:
        st.warning(found.sentence, icon=":material/visibility:")
        return
    measures = {name: words for name, words in _MEASURES.items() if getattr(found.null, name)}
    steps = f"{len(found.names):,} images, steps as long as each feature’s own null part"
    for tab, name in zip(st.tabs(list(measures.values())), measures, strict=True):
        tab.plotly_chart(
            figures.changes(found, name), key=f"validate.changes.{name}", config=_PLAIN,
            alt=f"{figures.AXES[name]}, for null, random and class-row steps of one length.",
        )  # fmt: skip
        tab.caption(f"{steps}{_MEANING if name == 'degrees' else _ROUNDING}")


_ROUNDING = (
    ", float64 arithmetic. In the network’s own float32 rounding leaves more: Explore measures it "
    "on every pair."
)
_MEANING = (
    ". The meaning is the feature translated into the reference: its turn is the angle between "
    "before and after the step."
)
_MEASURES = {"relative": "Logits, relative", "absolute": "Logits, absolute", "degrees": "Meaning"}


def show_translator(found: Validation) -> None:
    """Say how near the translator comes to the reference on these images."""
    st.header("The translator", anchor=False, help=HELP["translator"])
    cosine = found.cosine
    if found.no_translator:
        st.warning(found.no_translator, icon=":material/translate:")
        return
    if found.no_photos:
        st.info(found.no_photos, icon=":material/inventory_2:")
        return
    st.markdown(
        f"On these {len(cosine)} images the cosine between translated feature and the embedding "
        f"that {in_words(found.reference, 120)} gives the photo itself is "
        f"**{statistics.mean(cosine):.3f}** on average, from {min(cosine):.3f} to "
        f"{max(cosine):.3f}."
    )
    if loaders.bench().is_own(found.model, found.reference):
        st.caption(OWN_TRANSLATOR_NOTE)


def show_comparison() -> None:
    """Draw the comparison of linear and non-linear translators that ships (Table 2, Fig. 8).

    Raises:
        SingError: it is missing or damaged.
    """
    command, tables = read_comparisons(loaders.settings())
    for tab, (name, table) in zip(
        st.tabs(["New photographs", "New classes"]), tables.items(), strict=True
    ):
        with tab:
            _show_table(name, table)
    st.caption(
        f"lite0 into mini, computed beforehand by `{command}`: it does not change with the "
        "classifier chosen above."
    )


def _show_table(name: str, table: Comparison) -> None:
    st.markdown(f"**{table.verdict}** Measured on {table.images}.")
    left, right = st.columns(2, gap="large")
    with left:
        st.dataframe(_rows(table), hide_index=True, key=f"validate.table.{name}")
        st.caption(
            f"95 % intervals by bootstrap over {table.classes} classes."
            if table.classes
            else "95 % intervals by bootstrap over images, each counting for itself."
        )
    with right:
        st.plotly_chart(
            figures.histograms(table), key=f"validate.cosines.{name}", config=_PLAIN,
            alt="Distribution of cosines for each architecture.",
        )  # fmt: skip


def _spread(interval: Interval, digits: str) -> str:
    return f"{interval.estimate:{digits}} ({interval.low:{digits}} to {interval.high:{digits}})"


def _rows(table: Comparison) -> list[dict[str, object]]:
    return [
        {
            "architecture": row.architecture,
            "trained by": row.loss,
            "cosine": _spread(row.cosine, ".4f"),
            "MSE × 1000": _spread(row.mse.times(1000), ".3f"),
        }
        for row in table.rows
    ]


def offer(found: Validation, source: str, seed: int) -> None:
    """Draw the downloads: the perturbations as CSV, everything as JSON; and the command."""
    files = (
        File("Perturbations (CSV)", "csv", "text/csv", lambda: changes_csv(found)),
        File(
            "Validation (JSON)", "json", "application/json",
            lambda: validation_json(found, source, seed),
        ),
    )  # fmt: skip
    show_files("validate", f"sing-validate-{found.model}", files)
    show_command("validate", sources.command(found, source, seed))


def validation_json(found: Validation, source: str, seed: int) -> str:
    """Return the validation and what was asked for it."""
    report = {"images": source, "seed": seed, "validation": asdict(found)}
    return json.dumps(report, indent=1)


def changes_csv(found: Validation) -> str:
    """Return one row per image: norm, what the three kinds of steps move, translator cosine."""
    moved, text = found.perturbations, io.StringIO()
    writer = csv.writer(text)
    names, columns = ["image", "norm"], [moved.names, moved.norms]
    for kind in KINDS:
        for measure, ending in _ENDINGS.items():
            names.append(f"{kind}_{ending}")
            columns.append(getattr(moved.of(kind), measure) or ("",) * len(moved.names))
    writer.writerow([*names, "cosine"])
    cosine = found.cosine or ("",) * len(moved.names)
    writer.writerows(zip(*columns, cosine, strict=False))
    return text.getvalue()


_ENDINGS = {"relative": "relative_change", "absolute": "absolute_change", "degrees": "degrees"}
