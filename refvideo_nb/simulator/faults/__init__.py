"""What can go wrong between a client and the API, on request: the language, the list, and the doing.

`catalogue` holds every fault and its description, `spec` reads the language, `box` keeps what is set, `saboteur`
stands before the routes and carries it out, `answers` changes what they said, `line` ends connections.
"""

from refvideo_nb.simulator.faults.box import FaultBox
from refvideo_nb.simulator.faults.spec import Fault

__all__ = ["Fault", "FaultBox"]
