"""A button that copies a text: the one thing of the form that needs JavaScript of its own."""

from refvideo_nb.notebook.copying.button import CopyButton

__all__ = ["CopyButton"]
