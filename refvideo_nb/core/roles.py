"""What a reference is there for, and whether the prompt says so.

The API has no roles: a reference becomes a subject or a style only by what the prompt
says of it. So a role is a reminder for the person who writes, and a hint is never more
than a hint: it looks for English words, and stays silent where it cannot tell.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from refvideo_nb.core.references import Naming, Reference, compile_prompt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Part", "Role", "hints"]


class Role(StrEnum):
    """What a reference is there for."""

    SUBJECT = "subject"
    STYLE = "style"
    SCENE = "scene"

    @property
    def meaning(self) -> str:
        """What it means, in one line.

        Examples
        --------
        >>> Role.SUBJECT.meaning
        'a thing, an animal or a person that the clip shows'
        """
        return _MEANINGS[self]

    @property
    def advice(self) -> str:
        """What the prompt should say of such a reference.

        Examples
        --------
        >>> Role.STYLE.advice
        'say that it is the style: in the style of @name, its palette, its brushwork'
        """
        return _ADVICE[self]


_MEANINGS = {
    Role.SUBJECT: "a thing, an animal or a person that the clip shows",
    Role.STYLE: "a picture whose look the clip takes on, not what is in it",
    Role.SCENE: "the place in which the clip happens",
}
_ADVICE = {
    Role.SUBJECT: "say what must stay consistent: its shape, colours, logo",
    Role.STYLE: "say that it is the style: in the style of @name, its palette, its brushwork",
    Role.SCENE: "say that it is the place: in the room of @name, its light, its layout",
}


class Part(msgspec.Struct, frozen=True):
    """A reference and its role.

    Attributes
    ----------
    name : str
        What the prompt calls it, without the ``@``.
    role : Role or None
        None where nobody said.
    content : str
        What two references share only if they are the same, such as the hash of the bytes
        or the address; empty where that is not known.
    """

    name: str
    role: Role | None = None
    content: str = ""


# Each of these says that something stays as it is. The list is generous: a hint that is
# missing costs less than one that is wrong.
_STAYS = re.compile(
    r"\b(?:keep(?:s|ing)?|kept|same|consisten(?:t|tly|cy)|preserv(?:e|es|ed|ing)|identical(?:ly)?|unchanged|"
    r"match(?:es|ed|ing)?|exact(?:ly)?|retain(?:s|ed|ing)?|maintain(?:s|ed|ing)?|stay(?:s|ing)?|remain(?:s|ing)?|"
    r"faithful(?:ly)?|true to|just like|as in|(?:do not|don't|don’t|never|without) (?:chang|alter)\w*)\b",
    re.IGNORECASE,
)
_STYLE = re.compile(
    r"\b(?:styl(?:e|es|ed|istic|ized|ised)|look(?:s| and feel)?|manner|aesthetics?|palette|mood|tone|texture|"
    r"brush(?:work|strokes?)|colou?r grad(?:e|ing)|(?:painted|drawn|rendered|animated|illustrated) (?:like|as|in))\b",
    re.IGNORECASE,
)
_OTHER_SCRIPT = re.compile(r"[^\W\d_\u0000-\u024f]")  # a letter beyond the Latin alphabets


def hints(prompt: str, cast: Sequence[Part]) -> tuple[str, ...]:
    """What the prompt leaves unsaid of its references; nothing of it forbids sending.

    Parameters
    ----------
    prompt : str
        As written, with ``@names``.
    cast : sequence of Part
        The references, in the order in which they are sent.

    Returns
    -------
    tuple of str
        One line each, empty where there is nothing to say.

    Examples
    --------
    >>> hints("@pack on a wet street", [Part("pack", Role.SUBJECT)])
    ('no word such as keep, same or consistent says what must stay of @pack: its shape, colours, logo',)
    >>> hints("@pack on a wet street, keep its shape and colours", [Part("pack", Role.SUBJECT)])
    ()
    """
    references = [Reference(name=p.name, kind="image", sha256="", media_type="", nbytes=0) for p in cast]
    unused = set(compile_prompt(prompt, references, Naming.WORDS).unused)
    return (*_never_named([p for p in cast if p.name in unused]), *_unsaid(prompt, cast, unused), *_twice(cast))


def _never_named(cast: Sequence[Part]) -> Iterable[str]:
    for role in dict.fromkeys(p.role for p in cast):
        advice = "saying what must stay consistent helps the model" if role is None else role.advice
        yield f"the prompt never names {_names(p for p in cast if p.role is role)}: {advice}"


def _unsaid(prompt: str, cast: Sequence[Part], unused: set[str]) -> Iterable[str]:
    if _OTHER_SCRIPT.search(prompt):
        return
    named = {role: [p for p in cast if p.role is role and p.name not in unused] for role in Role}
    # A reference may be called "style" or "same": its name says nothing of what stays.
    said = re.sub(r"@[\w-]+", " ", prompt)
    if named[Role.SUBJECT] and not _STAYS.search(said):
        names = _names(named[Role.SUBJECT])
        yield f"no word such as keep, same or consistent says what must stay of {names}: its shape, colours, logo"
    if named[Role.STYLE] and not _STYLE.search(said):
        names = _names(named[Role.STYLE])
        yield f"no word such as style, look or palette says that {names} is the style: in the style of {names}"


def _twice(cast: Sequence[Part]) -> Iterable[str]:
    contents = dict.fromkeys(p.content for p in cast if p.content)
    for content in contents:
        same = [p for p in cast if p.content == content]
        if len(same) > 1:
            yield f"{_names(same, word=' and ')} are the same reference: one of them is enough"


def _names(cast: Iterable[Part], *, word: str = ", ") -> str:
    return word.join(f"@{p.name}" for p in cast)
