"""A sweep as a live card: its cells by state, what is spent, and each cell's job."""

from refvideo_nb.notebook.sweepcard.card import SweepCard, show_sweep

__all__ = ["SweepCard", "show_sweep"]
