"""Real HTTP servers on free ports that answer as they are told and record what they were asked."""

import contextlib
import socket
import socketserver
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler

import pytest

from refvideo_nb.client.client import VideoClient
from refvideo_nb.settings import Secret

KEY = "sk-or-v1-" + "0123456789abcdef" * 2


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def key():
    return KEY


@dataclass
class Asked:
    method: str
    path: str
    headers: dict
    body: bytes


class Server:
    """Answers by path; an answer is (status, headers, body) or a function of the handler that writes what it likes."""

    def __init__(self):
        self.asked = []
        self.answers = {}
        self.otherwise = (404, {}, b'{"error":{"code":404,"message":"Resource not found"}}')
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                outer.asked.append(
                    Asked(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
                )
                answer = outer.answers.get(self.path, outer.otherwise)
                if isinstance(answer, list):
                    answer = answer.pop(0)
                if callable(answer):
                    answer(self)
                    self.close_connection = True
                    return
                status, headers, data = answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if not any(n.lower() in {"content-length", "connection"} for n in headers):
                    self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
                if any(n.lower() == "connection" for n in headers):
                    self.close_connection = True

            do_GET = do_POST = do_PUT = handle_any  # noqa: N815 - the names that http.server looks for

            def log_message(self, *args):
                pass

        class Quiet(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True
            block_on_close = False

            def handle_error(self, request, client_address):
                pass  # a client that goes away is what some tests are about

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.origin = f"http://127.0.0.1:{self.port}"
        self.base = f"{self.origin}/api/v1"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    @property
    def keys(self):
        """Each Authorization that was seen here."""
        return [a.headers["authorization"] for a in self.asked if "authorization" in a.headers]

    def paths(self):
        return [a.path for a in self.asked]


@pytest.fixture
def server():
    with contextlib.closing(Server()) as made:
        yield made


@pytest.fixture
def elsewhere():
    """A second server: another origin, which must never see the key."""
    with contextlib.closing(Server()) as made:
        yield made
        assert made.keys == []


@pytest.fixture
async def client(server):
    made = VideoClient(server.base, Secret(KEY))
    yield made
    await made.aclose()


def reset(handler):
    """Cut the connection so that the other side sees a reset."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    handler.connection.close()


@pytest.fixture
def misbehave():
    """Ways in which a server lets an answer get lost."""

    class Ways:
        reset = staticmethod(reset)

        @staticmethod
        def hang(seconds):
            return lambda handler: time.sleep(seconds)

        @staticmethod
        def raw(data):
            return lambda handler: handler.wfile.write(data)

        @staticmethod
        def trickle(head, seconds):
            def answer(handler):
                handler.wfile.write(head)
                until = time.monotonic() + seconds
                with contextlib.suppress(OSError):
                    while time.monotonic() < until:
                        handler.wfile.write(b" ")
                        time.sleep(0.02)

            return answer

    return Ways


@pytest.fixture
def free_port():
    """A port on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]
