"""How the form looks, and a mark of the page on which it is seen."""

from refvideo_nb.notebook.form.page.page import Page

__all__ = ["Page"]
