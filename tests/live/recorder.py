"""A transport that notes the shape of every exchange with the API, and passes everything on untouched."""

import json
import re

import httpx

from tests.live.shapes import HEADERS, shape

KINDS = (
    ("GET", r"/videos/models\Z", "models"),
    ("POST", r"/videos\Z", "submit"),
    ("GET", r"/videos/[^/]+\Z", "poll"),
    ("GET", r"/videos/[^/]+/content\Z", "content"),
)


class Recorder(httpx.AsyncBaseTransport):
    """Notes `(kind, status, headers, body)`; a body that is no JSON is only named.

    Attributes
    ----------
    seen : list of dict
        In the order of the answers.
    models : list of dict
        The rows of the model list, which is public.
    """

    def __init__(self):
        self._inner = httpx.AsyncHTTPTransport(retries=0)
        self.seen = []
        self.models = []

    async def handle_async_request(self, request):
        answer = await self._inner.handle_async_request(request)
        kind = next(
            (name for verb, path, name in KINDS if verb == request.method and re.search(path, request.url.path)),
            "other",
        )
        note = {"kind": kind, "status": answer.status_code, "headers": self._headers(answer.headers)}
        self.seen.append(note)
        if "json" not in answer.headers.get("content-type", ""):
            note["body"] = "no JSON"
            return answer
        data = await answer.aread()
        try:
            body = json.loads(data)
        except ValueError:
            note["body"] = "broken JSON"
        else:
            note["body"] = shape(body)
            if kind == "models" and isinstance(body, dict) and isinstance(body.get("data"), list):
                self.models = body["data"]
        kept = [(k, v) for k, v in answer.headers.raw if k.lower() not in {b"content-encoding", b"content-length"}]
        return httpx.Response(answer.status_code, headers=kept, content=data, extensions=answer.extensions)

    async def aclose(self):
        await self._inner.aclose()

    def _headers(self, headers):
        return {name: re.sub(r"[0-9]+", "N", headers[name])[:60] for name in sorted(HEADERS) if name in headers}

    def of(self, kind):
        """Each different answer of a kind once, by its status and what it says of a job."""
        found = {}
        for note in self.seen:
            if note["kind"] == kind:
                body = note["body"]
                word = str(body.get("status", "")).strip("'") if isinstance(body, dict) else ""
                found[f"{note['status']} {word}".strip()] = note
        return found
