"""The routes."""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING

from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from refvideo_nb.simulator.catalogue import listing
from refvideo_nb.simulator.envelope import Refusal, answer_crash, answer_refusal, answer_router
from refvideo_nb.simulator.traffic import read_body

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from refvideo_nb.simulator.faults import FaultBox
    from refvideo_nb.simulator.jobs import Job
    from refvideo_nb.simulator.settings import Settings
    from refvideo_nb.simulator.signing import Signer
    from refvideo_nb.simulator.studio import Studio
    from refvideo_nb.simulator.traffic import TrafficLog


def build_routes(settings: Settings, studio: Studio, log: TrafficLog, box: FaultBox, signer: Signer) -> ASGIApp:
    """The whole API around one studio."""
    desk = _Desk(settings, studio, log, box, signer)
    return Starlette(
        routes=[
            Route("/api/v1/videos/models", desk.models, methods=["GET"]),
            Route("/api/v1/videos", desk.submit, methods=["POST"]),
            Route("/api/v1/videos/{job_id}", desk.poll, methods=["GET"]),
            Route("/api/v1/videos/{job_id}/content", desk.content, methods=["GET"]),
            Route("/api/v1/videos/{job_id}/truth", desk.truth, methods=["GET"]),
            Route("/__sim__/stats", desk.stats, methods=["GET"]),
            Route("/__sim__/faults", desk.faults, methods=["GET", "POST", "DELETE"]),
            Route("/__sim__/health", desk.health, methods=["GET"]),
        ],
        exception_handlers={
            Refusal: answer_refusal,
            HTTPException: answer_router,
            Exception: answer_crash,
        },
    )


_HOW_IT_ENDED = {"failed": "failed", "cancelled": "was cancelled"}


class _Desk:
    """What answers each route; one object, since they share the studio."""

    def __init__(self, settings: Settings, studio: Studio, log: TrafficLog, box: FaultBox, signer: Signer) -> None:
        self._settings = settings
        self._studio = studio
        self._log = log
        self._box = box
        self._signer = signer

    async def models(self, _request: Request) -> Response:
        return JSONResponse(listing())

    async def submit(self, request: Request) -> Response:
        self._admit(request)
        raw = await read_body(request)
        # A body with images is megabytes of JSON, and a job is written through to the disk: both off the loop.
        job = await run_sync(self._accept, raw)
        told = self._tell(job, request)
        return JSONResponse({"id": told["id"], "polling_url": told["polling_url"], "status": "pending"}, 202)

    async def poll(self, request: Request) -> Response:
        return JSONResponse(self._tell(self._find(request), request))

    async def content(self, request: Request) -> Response:
        if "signature" in request.query_params:  # whoever holds such an address needs no key
            self._signer.check(request.path_params["job_id"], request.query_params, self._settings.clock())
            job = self._studio.find(request.path_params["job_id"])
        else:
            job = self._find(request)
        index = request.query_params.get("index", "0")
        if not index.isdecimal():
            raise Refusal(400, "Invalid request parameters: index must be an integer of at least 0")
        self._check_completed(job)
        if int(index) != 0:
            raise Refusal(404, f"Video job {job.id} has no output {index}")
        return FileResponse(self._studio.archive.film(job.id), media_type="video/mp4")

    async def truth(self, request: Request) -> Response:
        job = self._find(request)
        self._check_completed(job)
        return Response(self._studio.archive.truth(job.id), media_type="application/json")

    async def stats(self, _request: Request) -> Response:
        return JSONResponse(tell_stats(self._log, self._studio))

    async def faults(self, request: Request) -> Response:
        self._admit(request)
        if request.method == "DELETE":
            self._box.clear()
        elif request.method == "POST":
            self._inject(await read_body(request))
        return JSONResponse({"faults": self._box.tell()})

    async def health(self, _request: Request) -> Response:
        return JSONResponse({"ok": True})

    def _inject(self, raw: bytes) -> None:
        try:
            wanted = json.loads(raw)["faults"]
            self._box.inject(str(each) for each in wanted)
        except (KeyError, TypeError, RecursionError):
            raise Refusal(400, 'Send {"faults": ["WHERE:FAULT[=VALUE][*TIMES]", ...]}') from None
        except ValueError as error:
            raise Refusal(400, str(error)) from None

    def _accept(self, raw: bytes) -> Job:
        try:
            body = json.loads(raw)
        except (ValueError, RecursionError):  # the first also for text that is not UTF-8
            raise Refusal(400, "Invalid JSON in the request body") from None
        return self._studio.submit(body, raw)

    def _admit(self, request: Request) -> None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            raise Refusal(401, "Missing Authentication header")
        if not hmac.compare_digest(key.strip().encode(), self._settings.api_key.encode()):
            raise Refusal(401, "User not found.")

    def _find(self, request: Request) -> Job:
        self._admit(request)
        return self._studio.find(request.path_params["job_id"])

    def _check_completed(self, job: Job) -> None:
        status = job.status(self._settings.clock())
        if status == "expired":
            raise Refusal(410, f"Video job {job.id} has expired")
        if status in {"failed", "cancelled"}:
            raise Refusal(404, f"Video job {job.id} {_HOW_IT_ENDED[status]} and has no content")
        if status != "completed":
            raise Refusal(409, f"Video job {job.id} is not completed yet. Status: {status}")

    def _tell(self, job: Job, request: Request) -> dict[str, object]:
        origin = str(request.base_url).rstrip("/")
        lasting = self._settings.signed_urls
        signed = None
        if lasting is not None:
            expires_at = int(job.accepted_at + job.seconds + lasting)
            signed = (self._signer.path(job.id, expires_at), expires_at)
        return job.tell(
            self._settings.clock(), origin=origin, absolute=self._settings.polling_url == "absolute", signed=signed
        )


def tell_stats(log: TrafficLog, studio: Studio) -> dict[str, object]:
    """The counts, the jobs, and where a key was seen."""
    return {**log.tell(), "paid_jobs": studio.paid_jobs, "accepted": studio.accepted}
