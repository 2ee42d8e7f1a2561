"""References, and how a prompt names them.

A person writes ``@pack``; each model family understands something else:
``[Image1]``, ``Image 1``, ``character1``, ``@image_1`` or plain words. The
numbers count within one kind, in the order in which the references are sent.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

import msgspec

from refvideo_nb.errors import BadReferenceError, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["CompiledPrompt", "Kind", "Naming", "Part", "Reference", "check_name", "compile_prompt"]

Kind = Literal["image", "video", "audio"]


class Naming(StrEnum):
    """How a model family wants its references called in the prompt."""

    BRACKETS = "brackets"  # [Image1]
    SPACED = "spaced"  # Image 1
    CHARACTER = "character"  # character1
    AT = "at"  # @image_1
    PICTURE = "picture"  # <Picture 1>
    WORDS = "words"  # the pack


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """One reference, resolved: its bytes are in the media store.

    Attributes
    ----------
    name : str
        What the prompt calls it, without the ``@``.
    kind : {"image", "video", "audio"}
        What it is.
    sha256 : str
        Hash of the bytes in the media store, hexadecimal.
    media_type : str
        MIME type, such as ``"image/jpeg"``.
    nbytes : int
        Size in bytes.
    width, height : int or None
        Pixels; None for audio.
    seconds : float or None
        Length; None for images.
    url : str or None
        The https address that is sent to the API; None sends the bytes as a data URL.
    source : str
        Where it came from, for people ("photos/pack.jpg", "variable cat").
    note : str
        What was done to it on the way in ("turned upright", "1.2 MB instead of 14 MB"), or "".
    named : bool
        Whether a person gave the name; False for ``image1`` and so on.
    role : str
        What it is there for (see `refvideo_nb.core.roles.Role`), or "" where nobody said. The
        API has no roles: it steers hints and the measurement, and is not sent.
    """

    name: str
    kind: Kind
    sha256: str
    media_type: str
    nbytes: int
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    url: str | None = None
    source: str = ""
    note: str = ""
    named: bool = True
    role: str = ""


class Part(msgspec.Struct, frozen=True):
    """A stretch of the prompt as written; `reference` is set where it names one."""

    text: str
    reference: str | None = None


class CompiledPrompt(msgspec.Struct, frozen=True):
    """A prompt in the model's own words.

    Attributes
    ----------
    text : str
        What is sent.
    parts : tuple of Part
        The prompt as written, cut at the reference names, for display.
    unknown : tuple of str
        ``@names`` that no reference has; they were left as they are.
    unused : tuple of str
        References that the prompt never names.
    """

    text: str
    parts: tuple[Part, ...]
    unknown: tuple[str, ...]
    unused: tuple[str, ...]


_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
# An @ inside a word (an e-mail address) is no name; a name may end before a full stop.
_MENTION = re.compile(r"@@|(?<!\w)@(?P<name>[A-Za-z_](?:[\w-]*\w)?)", re.ASCII)
_ARTICLE = re.compile(r"(?:^|\W)(?:the|a|an|this|that|my|your|his|her|its|our|their|one|each)\s+\Z", re.IGNORECASE)
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def check_name(name: str) -> str:
    """The name, if a prompt can say it.

    Raises
    ------
    BadReferenceError
        Unless it is a letter of a to z or underscore followed by those, digits, ``_`` or ``-``. Others
        are left out, since ``@cat`` must end somewhere where a language writes without spaces.

    Examples
    --------
    >>> check_name("pack")
    'pack'
    """
    if not _NAME.match(name) or len(name) > 64 or name.endswith("-"):  # noqa: PLR2004 - a name is a word
        raise BadReferenceError(
            f"reference name {one_line(repr(name), limit=60)} cannot be written as @name: "
            "use a to z, digits, _ and -, starting with a letter",
            field="references",
            value=name,
        )
    return name


def compile_prompt(prompt: str, references: Sequence[Reference], naming: Naming) -> CompiledPrompt:
    """Put a prompt into the words of a model.

    Parameters
    ----------
    prompt : str
        As written: ``@name`` stands for a reference, ``@@`` for a literal ``@``.
    references : sequence of Reference
        In the order in which they will be sent.
    naming : Naming
        What the model understands.

    Returns
    -------
    CompiledPrompt

    Examples
    --------
    >>> pack = Reference(name="pack", kind="image", sha256="", media_type="image/png", nbytes=1)
    >>> compile_prompt("Show @pack, write to me@@home.", [pack], Naming.BRACKETS).text
    'Show [Image1], write to me@home.'
    >>> compile_prompt("Show @pack and @hat.", [pack], Naming.WORDS).unknown
    ('hat',)
    """
    said = _sayings(references, naming)
    parts: list[Part] = []
    sent: list[str] = []
    unknown: list[str] = []
    used: set[str] = set()
    at = 0
    for match in _MENTION.finditer(prompt):
        before = prompt[at : match.start()]
        if before:
            parts.append(Part(before))
            sent.append(before)
        at = match.end()
        name = match["name"]
        if name is None:
            parts.append(Part("@"))
            sent.append("@")
        elif name not in said:
            parts.append(Part(match[0]))
            sent.append(match[0])
            if name not in unknown:
                unknown.append(name)
        else:
            used.add(name)
            parts.append(Part(match[0], reference=name))
            words = said[name]
            if naming is Naming.WORDS and not _ARTICLE.search(sent[-1][-24:] if sent else ""):
                words = "the " + words
            sent.append(words)
    if at < len(prompt):
        parts.append(Part(prompt[at:]))
        sent.append(prompt[at:])
    return CompiledPrompt(
        text="".join(sent),
        parts=tuple(parts),
        unknown=tuple(unknown),
        unused=tuple(r.name for r in references if r.name not in used),
    )


def _sayings(references: Sequence[Reference], naming: Naming) -> dict[str, str]:
    """What to write for each name; numbers count within a kind."""
    counts: dict[Kind, int] = {}
    said: dict[str, str] = {}
    for reference in references:
        counts[reference.kind] = number = counts.get(reference.kind, 0) + 1
        said[reference.name] = _say(reference, number, naming)
    return said


def _say(reference: Reference, number: int, naming: Naming) -> str:
    kind = reference.kind
    match naming:
        case Naming.BRACKETS:
            return f"[{kind.capitalize()}{number}]"
        case Naming.SPACED:
            return f"{kind.capitalize()} {number}"
        case Naming.CHARACTER:
            return f"character{number}"
        case Naming.AT:
            return f"@{kind}_{number}"
        case Naming.PICTURE:
            return f"<Picture {number}>" if kind == "image" else f"<{kind.capitalize()} {number}>"
        case Naming.WORDS:
            if reference.named:
                return reference.name.replace("_", " ")
            ordinal = _ORDINALS[number - 1] if number <= len(_ORDINALS) else f"{number}th"
            return f"{ordinal} reference {kind}"
