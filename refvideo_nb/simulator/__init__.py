"""A stand-alone double of the asynchronous video API, over real HTTP.

It answers, refuses, bills, persists and films as the real service does, so that a notebook works without a key
and tests need no mocks. It imports nothing else of the package: what the client believes about the API and what
this room believes are written down twice, so that one misreading cannot hide in both.
"""

from refvideo_nb.simulator.server import Simulator

__all__ = ["Simulator"]
