"""Where the simulator can be reached: the API's own port, and another one that no key may be sent to.

The second stands for storage hosts and for strangers. The same routes answer there, so that a signed address works,
and stats tell whether it was ever told a key.
"""

from __future__ import annotations

from dataclasses import dataclass

HOST = "127.0.0.1"  # never another: it hands out films for no money and fetches what it is told to
_OTHER_NAME = "localhost"  # the same machine, yet another origin


@dataclass(frozen=True, slots=True)
class Doors:
    """Two ports of this machine."""

    api: int
    other: int

    def url(self, place: str, path: str) -> str:
        """A path at one of the places that faults know; anything else is a URL already."""
        places = {
            "foreign": f"http://{_OTHER_NAME}:{self.other}",
            "port": f"http://{HOST}:{self.other}",
            "userinfo": f"http://{HOST}:{self.api}@{_OTHER_NAME}:{self.other}",
        }
        return places[place] + path if place in places else place
