"""The API's JSON, both ways.

Answers are read leniently (unknown fields pass, the list of statuses is open) but
typed: what does not fit becomes `MalformedAnswerError`, never a surprise deeper down.
A field without which the video can be had is left out where it does not fit: nobody
loses a paid job to a bill of the wrong type.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from refvideo_nb.core.catalogue import UNKNOWN_SUPPORT, Model, ReferenceSupport
from refvideo_nb.core.request import parse_size
from refvideo_nb.errors import InvalidRequestError, MalformedAnswerError, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from refvideo_nb.core.references import Reference
    from refvideo_nb.core.request import VideoRequest

__all__ = [
    "JobAnswer",
    "Usage",
    "decode",
    "encode_body",
    "error_text",
    "payload",
    "read_job",
    "read_models",
    "read_support",
]

_Answer = TypeVar("_Answer")
_LONGEST_ID = 512
_LARGEST_BILL = Decimal(1_000_000)  # USD; what is above it is no bill
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError)


class Usage(msgspec.Struct):
    """What a finished job was billed."""

    cost: Decimal | None = None
    is_byok: bool | None = None


class JobAnswer(msgspec.Struct):
    """The answer to a submit or a poll.

    `urls` are signed and need no key: they are secrets and are never stored.
    """

    id: str
    status: str = "pending"
    polling_url: str | None = None
    error: Any = None
    unsigned_urls: list[str] | None = None
    urls: list[str] | None = None
    usage: Usage | None = None

    @property
    def cost(self) -> Decimal | None:
        """USD, where the answer holds a sensible amount."""
        cost = self.usage.cost if self.usage else None
        return cost if cost is not None and cost.is_finite() and 0 <= cost < _LARGEST_BILL else None

    @property
    def error_text(self) -> str:
        """The API's own words about a failure."""
        return _text(self.error)

    def __repr__(self) -> str:
        """Without the addresses."""
        return f"JobAnswer(id={self.id!r}, status={self.status!r})"


class _WireJob(msgspec.Struct):
    """What must fit, `id` and `status`, and the rest as it came."""

    id: str
    status: str | None = None
    polling_url: Any = None
    error: Any = None
    unsigned_urls: Any = None
    urls: Any = None
    usage: msgspec.Raw = msgspec.Raw(b"null")


class _WireModel(msgspec.Struct):
    id: str
    name: str = ""
    description: str = ""
    supported_durations: list[int] | None = None
    supported_resolutions: list[str] | None = None
    supported_aspect_ratios: list[str] | None = None
    supported_sizes: list[str] | None = None
    supported_frame_images: list[str] | None = None
    generate_audio: bool | None = None
    seed: bool | None = None
    allowed_passthrough_parameters: list[str] | None = None
    pricing_skus: dict[str, Any] | None = None


class _ModelList(msgspec.Struct):
    data: list[msgspec.Raw]


class _ErrorData(msgspec.Struct):
    message: Any = None
    code: Any = None
    metadata: Any = None


class _Envelope(msgspec.Struct):
    error: _ErrorData


class _SupportFile(msgspec.Struct):
    models: dict[str, ReferenceSupport]


# Made here, once: two threads that make what msgspec knows of a type at the same moment end the process.
_JOB = msgspec.json.Decoder(_WireJob)
_USAGE = msgspec.json.Decoder(Usage | None)
_ENVELOPE = msgspec.json.Decoder(_Envelope)
_MODEL_LIST = msgspec.json.Decoder(_ModelList)
_MODEL = msgspec.json.Decoder(_WireModel)
_SUPPORT = msgspec.json.Decoder(_SupportFile)


def decode(data: bytes, decoder: msgspec.json.Decoder[_Answer], *, what: str) -> _Answer:
    """Bytes of an answer as a value.

    Raises
    ------
    MalformedAnswerError
        Saying what was asked and what is wrong with the answer.
    """
    try:
        answer = decoder.decode(data)
    except _UNREADABLE as error:
        if not data.strip() or _is_page(data):
            came = "a web page" if data.strip() else "empty"
            raise MalformedAnswerError(f"the answer to {what} is {came}, not what the API documents") from None
        start = one_line(data[:80].decode("utf-8", "replace"), limit=60)
        raise MalformedAnswerError(
            f"the answer to {what} is not what the API documents ({one_line(error, limit=120)}); "
            f"it begins with {start!r}"
        ) from None
    return answer


def read_job(data: bytes, *, what: str) -> JobAnswer:
    """The answer to a submit or a poll.

    Raises
    ------
    MalformedAnswerError
        Where it holds no id or no status that can be read.
    """
    wire = decode(data, _JOB, what=what)
    if not 0 < len(wire.id) <= _LONGEST_ID or not wire.id.isprintable():
        raise MalformedAnswerError(f"the answer to {what} holds no usable job id")
    try:
        usage = _USAGE.decode(wire.usage)
    except _UNREADABLE:
        usage = None
    return JobAnswer(
        id=wire.id,
        status=wire.status or "pending",
        polling_url=wire.polling_url if isinstance(wire.polling_url, str) else None,
        error=wire.error,
        unsigned_urls=_texts(wire.unsigned_urls),
        urls=_texts(wire.urls),
        usage=usage,
    )


def _texts(value: Any) -> list[str] | None:
    """A list of texts as such; one odd entry must not shift the places of the others."""
    return value if isinstance(value, list) and all(isinstance(v, str) for v in value) else None


def error_text(data: bytes) -> str:
    """The message of an error envelope, or the start of whatever came instead."""
    try:
        envelope = _ENVELOPE.decode(data)
    except _UNREADABLE:
        return "a web page" if _is_page(data) else one_line(data[:200].decode("utf-8", "replace"), limit=160)
    text = _text(envelope.error.message)
    raw = envelope.error.metadata.get("raw") if isinstance(envelope.error.metadata, dict) else None
    return f"{text} ({one_line(raw)})" if isinstance(raw, str) and raw else text


def _is_page(data: bytes) -> bool:
    """Whether a web page came instead of JSON; its beginning would tell nobody anything."""
    return data[:200].lstrip().startswith(b"<")


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict) and isinstance(value.get("message"), str):
        value = value["message"]
    return one_line(value, limit=2000)


def payload(
    request: VideoRequest, *, prompt: str, address: Callable[[Reference], str], session_id: str = ""
) -> dict[str, Any]:
    """The body of a submit, as JSON values; what was not asked for is not sent.

    Parameters
    ----------
    request : VideoRequest
    prompt : str
        As compiled for the model.
    address : callable
        Gives the URL (https or data) under which a reference is sent.
    session_id : str
        Our own id of the job, by which it can be found again.
    """
    body: dict[str, Any] = {"model": request.model, "prompt": prompt}
    if request.references:
        body["input_references"] = [_part(r.kind, address(r)) for r in request.references]
    if request.frames:
        body["frame_images"] = [
            {**_part("image", address(f.image)), "frame_type": f"{f.position}_frame"} for f in request.frames
        ]
    settings = {
        "duration": request.duration,
        "resolution": request.resolution,
        "aspect_ratio": request.aspect_ratio,
        "size": f"{request.size[0]}x{request.size[1]}" if request.size else None,
        "seed": request.seed,
        "generate_audio": request.generate_audio,
        "previous_job_id": request.previous_job_id,
    }
    body |= {k: v for k, v in settings.items() if v is not None}
    if request.provider:
        body["provider"] = {"options": {s: {"parameters": dict(o)} for s, o in request.provider.items()}}
    if session_id:
        body["session_id"] = session_id
    return body


def _part(kind: str, url: str) -> dict[str, Any]:
    return {"type": f"{kind}_url", f"{kind}_url": {"url": url}}


def encode_body(body: Mapping[str, Any]) -> bytes:
    """JSON bytes of a submit.

    Raises
    ------
    InvalidRequestError
        Where a value, such as an object among the provider options, cannot be JSON.
    """
    try:
        return msgspec.json.encode(body)
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        raise InvalidRequestError(
            f"the request cannot be written as JSON ({one_line(error, limit=120)}): "
            "give provider options as text, numbers, true, false, lists and dicts",
            field="provider",
        ) from None


def read_models(data: bytes, support: Mapping[str, ReferenceSupport]) -> tuple[Model, ...]:
    """The model list, joined with what is known of references.

    An entry that cannot be read is left out: the others are as good as before.

    Raises
    ------
    MalformedAnswerError
        Where no model is left.
    """
    models = tuple(_model(m, support) for m in _entries(decode(data, _MODEL_LIST, what="the model list").data))
    if not models:
        raise MalformedAnswerError("the answer to the model list holds no model")
    return models


def _entries(raw: list[msgspec.Raw]) -> Iterable[_WireModel]:
    for entry in raw:
        try:
            model = _MODEL.decode(entry)
        except _UNREADABLE:
            continue
        if model.id and model.id.isprintable():
            yield model


def read_support(data: bytes) -> dict[str, ReferenceSupport]:
    """The overlay file: model id to what is known of its references."""
    return _SUPPORT.decode(data).models


def _tuple(values: list[Any] | None) -> tuple[Any, ...] | None:
    return tuple(values) if values else None


def _model(wire: _WireModel, support: Mapping[str, ReferenceSupport]) -> Model:
    sizes = [s for s in map(parse_size, wire.supported_sizes or ()) if s is not None]
    return Model(
        id=wire.id,
        name=wire.name,
        description=wire.description,
        durations=_tuple(wire.supported_durations),
        resolutions=_tuple(wire.supported_resolutions),
        aspect_ratios=_tuple(wire.supported_aspect_ratios),
        sizes=tuple(sizes) or None,
        # An empty list means "no frames", which is not the same as "not said".
        frame_types=None if wire.supported_frame_images is None else tuple(wire.supported_frame_images),
        audio=wire.generate_audio,
        seed=wire.seed,
        passthrough=tuple(wire.allowed_passthrough_parameters or ()),
        prices=wire.pricing_skus and {k: str(v) for k, v in wire.pricing_skus.items()},
        references=support.get(wire.id, UNKNOWN_SUPPORT),
    )
