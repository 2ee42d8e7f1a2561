"""Bytes to pictures and back: the only room that imports Pillow and PyAV (beside the simulator).

Both what is sent (references) and what is shown or measured (frames) pass here,
so that a hostile file is met in one place.
"""
