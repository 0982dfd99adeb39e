"""Reads the Library page: what it said, and its texts as a person sees them."""


def said(app):
    return [element.value for element in app.at.success]


def plain(text):
    """What a person sees of a text in Markdown."""
    return text.replace("\\", "").replace("\u2060", "")
