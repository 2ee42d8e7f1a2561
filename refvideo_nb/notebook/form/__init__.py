"""The form: the same request as the magic's, by hand, with everything seen before it is paid."""

from refvideo_nb.notebook.form.form import Form

__all__ = ["Form"]
