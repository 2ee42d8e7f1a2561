"""A live table: rows to sort, page through and choose from, by mouse and by keyboard."""

from refvideo_nb.notebook.table.table import Picture, Table, column, row

__all__ = ["Picture", "Table", "column", "row"]
