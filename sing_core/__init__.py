"""SING Explorer's compute core: what an image classifier cannot see (arXiv:2603.14610).

A small library of frozen value objects and pure functions over tensors. It never imports
Streamlit or Plotly and can be used from a notebook; importing it changes nothing of the process.
"""

__version__ = "0.1.0"
