"""The embedded default: how its frozen weights are assembled, its head trained and measured.

``mini`` is an image-text space of 384 dimensions: the image tower is EfficientNet-Lite2 (frozen)
with a linear head trained by this project, the text tower is all-MiniLM-L6-v2 (frozen). Nothing
is imported here, so that ``import sing_core.mini`` costs nothing.
"""
