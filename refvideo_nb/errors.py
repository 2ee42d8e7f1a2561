"""Every exception of the package, in one tree.

::

    RefVideoError                      whatever goes wrong here
    ├── SettingsError                  environment or configuration cannot be used
    ├── InvalidRequestError            the request is refused before it is sent: nothing is paid
    │   ├── BadReferenceError          a reference cannot be read, or the model would not take it
    │   └── BudgetError                the estimate is above the limit, or there is none to compare
    │       └── PlanError              a sweep's plan is not covered by what was allowed
    ├── UnknownJobError                no such job in this ledger
    ├── MissingDependencyError         an optional package is not installed
    ├── LedgerError                    the home folder or its database cannot be used
    │   └── TakenOverError             another process looks after this job now
    ├── SimulatorError                 the embedded simulator did not start
    ├── NetworkError                   no answer came from the API
    ├── MalformedAnswerError           an answer came that is not what the API documents
    ├── APIError                       the API said no (status_code says which)
    │   ├── AuthenticationError        401
    │   ├── PaymentRequiredError       402
    │   ├── PermissionDeniedError      403
    │   ├── NotFoundError              404
    │   ├── NotReadyError              409
    │   ├── GoneError                  410
    │   ├── RateLimitError             429
    │   └── ServerError                5xx
    ├── SweepStoppedError              a sweep stopped before its end; it can be taken up again
    ├── DownloadError                  the file could not be fetched whole, or is no video
    └── JobError                       a job did not end in a video
        ├── JobFailedError             the API ended it: failed, cancelled or expired
        ├── OutcomeUnknownError        the submit was sent, its answer lost: it may have been paid
        └── WaitTimeoutError           a wait of ours ended; the job goes on

Errors carry data, not only text: what was wrong, what is allowed, which job.
Whatever a message quotes from outside has control characters removed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "APIError",
    "AuthenticationError",
    "BadReferenceError",
    "BudgetError",
    "DownloadError",
    "GoneError",
    "InvalidRequestError",
    "JobError",
    "JobFailedError",
    "LedgerError",
    "MalformedAnswerError",
    "MissingDependencyError",
    "NetworkError",
    "NotFoundError",
    "NotReadyError",
    "OutcomeUnknownError",
    "PaymentRequiredError",
    "PermissionDeniedError",
    "PlanError",
    "RateLimitError",
    "RefVideoError",
    "ServerError",
    "SettingsError",
    "SimulatorError",
    "SweepStoppedError",
    "TakenOverError",
    "UnknownJobError",
    "WaitTimeoutError",
    "one_line",
    "without_keys",
]

# A file's name may have got it with other dashes; a desk-or-bedside lamp is none.
KEY = re.compile(r"sk[-_]or[-_]v\d[\w-]{8,}|(?<![^\W_])sk-(?:or-[\w-]{8,}|[\w-]{32,})")
"""What an API key looks like."""


def without_keys(text: str) -> str:
    """A text in which no key stands.

    Examples
    --------
    >>> without_keys("model sk-or-v1-0123456789abcdef is not in the list")
    'model *** is not in the list'
    """
    return KEY.sub("***", text)


def one_line(text: object, *, limit: int = 300) -> str:
    """Text from outside as one printable line of at most `limit` characters.

    Control characters, terminal escapes among them, become spaces, so that a
    hostile message can neither forge a line nor colour a terminal.
    """
    clean = "".join(c if c.isprintable() else " " for c in str(text)[: limit * 4])
    clean = " ".join(clean.split())
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


class RefVideoError(Exception):
    """The root: ``except refvideo_nb.RefVideoError`` catches all that this package raises."""

    def __init__(self, *args: object, **more: Any) -> None:
        # It is shown, and saved with the notebook: a key that was given in a wrong place is not repeated.
        super().__init__(*(without_keys(arg) if isinstance(arg, str) else arg for arg in args), **more)

    def __reduce__(self) -> tuple[Any, ...]:
        # Workers of another process send errors home; the constructors' keywords would not arrive.
        return _made_again, (type(self), self.args, self.__dict__)


def _made_again(kind: type[RefVideoError], args: tuple[object, ...], state: dict[str, object]) -> RefVideoError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class SettingsError(RefVideoError):
    """The environment or the configuration cannot be used."""


class InvalidRequestError(RefVideoError):
    """The request is refused before it is sent; nothing was paid.

    Attributes
    ----------
    field : str
        The argument that is wrong, as Python names it (``"duration"``).
    value : object
        What was given.
    allowed : tuple
        The values that would be taken, empty where they are no list.
    """

    def __init__(self, message: str, *, field: str = "", value: object = None, allowed: Iterable[object] = ()) -> None:
        super().__init__(message)
        self.field = field
        self.value = value
        self.allowed = tuple(allowed)


class BadReferenceError(InvalidRequestError):
    """A reference cannot be read, or the model would not take it."""


class BudgetError(InvalidRequestError):
    """The estimate is above the limit that was set, or there is no estimate to compare with it."""


class PlanError(BudgetError):
    """The plan of a sweep is not covered by what was allowed; nothing was sent.

    Attributes
    ----------
    plan : Plan
        With its cells, their estimates, and why some are refused.
    """

    def __init__(self, message: str, *, plan: Any, field: str = "max_cost", value: object = None) -> None:
        super().__init__(message, field=field, value=value)
        self.plan = plan


class UnknownJobError(RefVideoError):
    """No job of this name in this ledger."""


class MissingDependencyError(RefVideoError, ImportError):
    """An optional package is not installed; the message holds the command that installs it."""


class LedgerError(RefVideoError):
    """The home folder or the database in it cannot be used."""


class TakenOverError(LedgerError):
    """Another process looks after this job now; it is in good hands."""


class SimulatorError(RefVideoError):
    """The embedded simulator did not start or went away."""


class NetworkError(RefVideoError):
    """No answer came from the API.

    Attributes
    ----------
    sent : bool
        False only where the request provably never left: connection refused,
        name not resolved, TLS not established.
    """

    def __init__(self, message: str, *, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent


class MalformedAnswerError(RefVideoError):
    """An answer came that is not what the API documents."""


class APIError(RefVideoError):
    """The API said no.

    Attributes
    ----------
    status_code : int
        The HTTP status.
    retry_after : float or None
        Seconds that the API asked to wait, already clamped.
    """

    def __init__(self, message: str, *, status_code: int, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.retry_after = retry_after


class AuthenticationError(APIError):
    """401: the key is missing, wrong or disabled."""


class PaymentRequiredError(APIError):
    """402: the account has not enough credits."""


class PermissionDeniedError(APIError):
    """403: the key may not do this, or moderation refused it."""


class NotFoundError(APIError):
    """404: no such job or model."""


class NotReadyError(APIError):
    """409: the content is not ready yet."""


class GoneError(APIError):
    """410: the content has expired."""


class RateLimitError(APIError):
    """429: too many requests."""


class ServerError(APIError):
    """5xx: the API failed."""


class DownloadError(RefVideoError):
    """The file could not be fetched whole, or it is no playable video.

    Attributes
    ----------
    passing : bool
        Whether fetching it again may help; not where the disk is full.
    """

    def __init__(self, message: str, *, passing: bool = True) -> None:
        super().__init__(message)
        self.passing = passing


class SweepStoppedError(RefVideoError):
    """A sweep stopped before its end: everything so far is kept, and it can be taken up again.

    Attributes
    ----------
    sweep_id : str
        Our id of the sweep, as ``%refvideo sweeps`` lists it.
    """

    def __init__(self, message: str, *, sweep_id: str) -> None:
        super().__init__(message)
        self.sweep_id = sweep_id


class JobError(RefVideoError):
    """A job did not end in a video.

    Attributes
    ----------
    job_id : str
        Our id of the job, as ``%refvideo jobs`` lists it.
    status : str
        The state that the job is in.
    """

    def __init__(self, message: str, *, job_id: str, status: str) -> None:
        super().__init__(message)
        self.job_id = job_id
        self.status = status


class JobFailedError(JobError):
    """The API refused the job, or ended it: rejected, failed, cancelled or expired."""


class OutcomeUnknownError(JobError):
    """The submit was sent and its answer lost: the job may exist and may be paid."""


class WaitTimeoutError(JobError, TimeoutError):
    """A wait of ours ended; the job itself goes on and is not lost."""
