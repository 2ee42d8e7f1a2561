"""Running a simulator: a free port on this machine, a thread with its loop, and an end that leaves nothing behind."""

from __future__ import annotations

import logging
import socket
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import uvicorn

from refvideo_nb.simulator.app import build_routes, tell_stats
from refvideo_nb.simulator.doors import HOST, Doors
from refvideo_nb.simulator.faults import Fault, FaultBox
from refvideo_nb.simulator.faults.line import OpenProtocol
from refvideo_nb.simulator.faults.saboteur import Saboteur
from refvideo_nb.simulator.lock import only_one
from refvideo_nb.simulator.settings import PollingUrl, Settings, new_key
from refvideo_nb.simulator.signing import Signer
from refvideo_nb.simulator.studio import Studio
from refvideo_nb.simulator.traffic import Traffic, TrafficLog

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

_PATIENCE = 15.0  # seconds to start, and to stop


class Simulator:
    """A simulator in a thread of this process.

    Parameters
    ----------
    seconds
        How long a job takes from acceptance to completion.
    state
        Folder in which jobs persist; by default a temporary one, deleted at the end.
    polling_url
        Whether answers hold a path or a whole URL there.
    port
        0 takes a free one.
    api_key
        The only key that is accepted; by default a new one.
    renders
        How many films are rendered at the same time.
    signed_urls
        For how many seconds after completion a file can be had by a signed address; None for no such addresses.
    faults
        What is to go wrong, such as ``["submit:reset-after", "poll:503=2*3"]``; `refvideo_nb.simulator.faults`
        holds the list, and ``--fault help`` prints it.

    Attributes
    ----------
    base_url
        Where the API is, such as ``http://127.0.0.1:41235/api/v1``; known once it runs.
    doors
        Its two ports; no key belongs to the second, where the addresses that faults hand out lead.

    Examples
    --------
    >>> with Simulator(seconds=0.2) as simulator:
    ...     simulator.base_url.startswith("http://127.0.0.1:")
    True
    """

    def __init__(
        self,
        *,
        seconds: float = 5.0,
        state: str | Path | None = None,
        polling_url: PollingUrl = "relative",
        port: int = 0,
        api_key: str | None = None,
        renders: int = 2,
        signed_urls: float | None = None,
        faults: Iterable[str | Fault] = (),
    ) -> None:
        self.settings = Settings(
            state=None if state is None else Path(state),
            seconds=seconds,
            polling_url=polling_url,
            port=port,
            api_key=api_key or new_key(),
            renders=renders,
            signed_urls=signed_urls,
        )
        self._box = FaultBox()
        self._box.inject(faults)
        self._log = TrafficLog()
        self._ends = ExitStack()

    def __enter__(self) -> Self:
        """Start, and return when requests are answered."""
        with ExitStack() as ends:  # undone in reverse, at the end or where the start fails half-way
            state = self.settings.state
            if state is None:
                state = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="refvideo-simulator-")))
            ends.enter_context(only_one(state))
            asked = (self.settings.port, 0)
            self._sockets = [ends.enter_context(socket.create_server((HOST, port))) for port in asked]
            self.doors = Doors(*(each.getsockname()[1] for each in self._sockets))
            self.base_url = f"http://{HOST}:{self.doors.api}/api/v1"
            self._studio = Studio(self.settings, state, self._box)
            ends.callback(self._studio.close)
            self._serve()
            ends.callback(self._stop_serving)
            if not self._server.ready.wait(_PATIENCE):
                raise TimeoutError(f"the simulator did not start within {_PATIENCE:.0f} s")
            self._ends = ends.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop; unfinished jobs stay in ``state`` for the next one."""
        self._ends.close()

    def _serve(self) -> None:
        signer = Signer(self.settings.api_key)
        routes = build_routes(self.settings, self._studio, self._log, self._box, signer)
        self._saboteur = Saboteur(routes, self._box, self._studio, self.doors, signer)
        config = uvicorn.Config(
            Traffic(self._saboteur, self._log),  # outside of everything: even a crash of ours is counted and marked
            loop="asyncio",
            http=OpenProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        # uvicorn tells of every start; a cell or a test that starts one has not asked to hear of it.
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._server.run, args=(self._sockets,), name="simulator", daemon=True)
        self._thread.start()

    def _stop_serving(self) -> None:
        self._saboteur.closing.set()
        self._server.should_exit = True
        self._thread.join(_PATIENCE)

    @property
    def api_key(self) -> str:
        """The key that it accepts."""
        return self.settings.api_key

    @property
    def idle(self) -> float:
        """Seconds without a request and without a job to work on."""
        return 0.0 if self._studio.busy else self._log.idle

    def stats(self) -> dict[str, Any]:
        """What ``GET /__sim__/stats`` answers."""
        return tell_stats(self._log, self._studio)

    def inject(self, *faults: str | Fault) -> None:
        """Let more go wrong, such as ``inject("poll:500*3")``."""
        self._box.inject(faults)

    def clear_faults(self) -> None:
        """Let nothing more go wrong."""
        self._box.clear()

    def faults(self) -> list[dict[str, Any]]:
        """What ``GET /__sim__/faults`` lists: every fault, and how often it was met."""
        return self._box.tell()


class _Server(uvicorn.Server):
    """uvicorn's server, which says when it listens instead of being asked over and over."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()
