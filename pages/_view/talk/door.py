"""From Explore to the stage: a link, and the key F."""

import streamlit as st

_HTML = '<a class="door" href="./?stage=1" title="Key F">Stage (F)</a>'
_CSS = """.door { color: var(--st-link-color); font: 400 0.875rem var(--st-font); }"""
_SCRIPT = """
const mounted = new WeakMap();
export default function ({ parentElement }) {
  if (mounted.has(parentElement)) return;
  const typing = (node) => node instanceof Element
    && node.closest("input:not([type=range]), textarea, [contenteditable=true], [role=combobox]");
  const listen = (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    if (event.key.toLowerCase() !== "f" || typing(event.composedPath()[0])) return;
    location.assign("./?stage=1");
  };
  window.addEventListener("keydown", listen);
  mounted.set(parentElement, listen);
  return () => {
    if (parentElement.isConnected) return;
    window.removeEventListener("keydown", listen);
    mounted.delete(parentElement);
  };
}
"""
_MOUNT = st.components.v2.component("sing_door", html=_HTML, css=_CSS, js=_SCRIPT)


def show() -> None:
    """Draw the link; while the page is open F does the same, but where somebody types."""
    _MOUNT(key="talk.door", height="content")
