"""The only Streamlit-aware library code: loaders, widgets, figures, uploads, state, scrubber."""
