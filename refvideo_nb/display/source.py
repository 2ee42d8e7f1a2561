"""The same request as it would be written: a ``%%refvideo`` cell, a Python call, the JSON that is sent.

Each text says exactly what was asked for, or nothing: where a form of writing cannot
say it, there is a reason in its place. A request that holds an API key is never written.
"""

from __future__ import annotations

import json
import re
import shlex
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from refvideo_nb.core.checks import holds_key
from refvideo_nb.display.asked import Asked, Given, check_asked, options_of, texts_in, unsayable
from refvideo_nb.display.exact import exact_json
from refvideo_nb.errors import InvalidRequestError, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["Asked", "Given", "Source", "as_cell", "as_json", "as_python"]


class Source(msgspec.Struct, frozen=True):
    """A text to copy, or the reason why there is none.

    Attributes
    ----------
    text : str or None
    reason : str
        Empty where there is a text.
    """

    text: str | None
    reason: str = ""


def as_cell(asked: Asked) -> Source:
    r"""The request as a ``%%refvideo`` cell.

    Examples
    --------
    >>> asked = Asked(prompt="@pack on a wet street", model="a/b", references=(Given("pack", "my pack.jpg"),), seed=-1)
    >>> print(as_cell(asked).text)
    %%refvideo --model a/b --seed=-1 --ref 'pack=my pack.jpg'
    @pack on a wet street
    >>> as_cell(Asked(prompt=">>> x", model="a/b")).reason
    'IPython strips the >>> with which a line of the prompt begins: copy the Python instead'
    """
    return _written(asked, _cell)


def as_python(asked: Asked) -> Source:
    """The request as a call of ``refvideo_nb.generate``.

    Examples
    --------
    >>> asked = Asked(prompt="@pack, @hat", model="a/b", references=(Given("pack", "x.jpg"), Given("hat", "hat", True)))
    >>> print(as_python(asked).text)
    import refvideo_nb
    <BLANKLINE>
    job = refvideo_nb.generate(
        "@pack, @hat",
        references={
            "pack": "x.jpg",
            "hat": hat,
        },
        model="a/b",
    )
    """
    return _written(asked, _python)


def as_json(body: Mapping[str, Any]) -> Source:
    """What ``POST /videos`` carries, for reading; see `exact_json`.

    Parameters
    ----------
    body : mapping
        The exact body.
    """
    text = exact_json(body)
    return Source(None, _KEY) if holds_key(text) else Source(text)


_KEY = "it holds an API key, which would be saved in the notebook: remove it from the request"
_WIDTH = 100  # characters of a cell's first line
_INSTEAD = "copy the Python instead"
# As the cell's parser has them; a test writes and reads back whatever it can think of.
_OPTION = re.compile(r"\s*--?[a-z]")
_FIELD = re.compile(r"\{\{\s*[A-Za-z_]\w*\s*\}\}")
_PASTED = re.compile(r"\s*(?:>>>|\.{3}|(?:\[\w+\] ?)?In \[)")  # IPython strips these from what it takes for a paste
_BARE = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*\Z")
_LITERALS = frozenset({"true", "false", "null", "NaN", "Infinity"})


def _written(asked: Asked, write: Callable[[Asked], str]) -> Source:
    # First of all: no reason may quote what holds a key.
    try:
        if any(holds_key(text) for text in texts_in(asked)):
            return Source(None, _KEY)
        check_asked(asked)
        text = write(asked)
    except InvalidRequestError as error:
        return Source(None, str(error))
    except RecursionError:
        return Source(None, "a provider option is too deep to be written, or holds itself")
    return Source(None, _KEY) if holds_key(text) else Source(text)


def _cell(asked: Asked) -> str:
    if any(line.lstrip().startswith(">>>") for line in asked.prompt.splitlines()):
        raise unsayable("prompt", f"IPython strips the >>> with which a line of the prompt begins: {_INSTEAD}")
    if _untypeable(asked.prompt.replace("\n", "")):
        raise unsayable("prompt", f"the prompt holds a control character, which a cell does not keep: {_INSTEAD}")
    groups = [" ".join(_settings(asked)), *_cell_references(asked), *_cell_provider(asked)]
    if _OPTION.match(asked.prompt):
        groups.append("--")  # what follows is the prompt, whatever it looks like
    line = " ".join(["%%refvideo", *groups])
    if len(line) > _WIDTH:
        line = " \\\n    ".join([f"%%refvideo {groups[0]}", *groups[1:]])
    if _PASTED.match(asked.prompt) and "\n" not in line:
        line += " \\\n"  # the prompt must not be the second line: there IPython looks for a pasted prompt
    # A backslash keeps {{name}} from being taken for a Python value.
    return f"{line}\n{_FIELD.sub(lambda found: chr(92) + found[0], asked.prompt)}"


def _untypeable(text: str) -> bool:
    """Whether it holds a character at which a line ends, or which no editor keeps."""
    return any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} and c != "\t" for c in text)


def _settings(asked: Asked) -> Iterator[str]:
    size = None if asked.size is None else f"{asked.size[0]}x{asked.size[1]}"
    for flag, value in (
        ("--model", asked.model),
        ("--duration", asked.duration),
        ("--resolution", asked.resolution),
        ("--aspect-ratio", asked.aspect_ratio),
        ("--size", size),
        ("--seed", asked.seed),
        ("--extend", asked.previous_job_id),
        ("--max-cost", asked.max_cost),
        ("--out", asked.out),
    ):
        if value is not None:
            yield _option(flag, str(value))
    if asked.generate_audio is not None:
        yield "--audio" if asked.generate_audio else "--no-audio"
    if asked.fresh:
        yield "--fresh"


def _option(flag: str, value: str) -> str:
    """An option and its value, in the shell's quotes."""
    if _untypeable(value):
        shown = one_line(value, limit=40)
        raise unsayable(
            flag, f"{flag} {shown!r} holds a line break or control character, which a cell's line cannot: {_INSTEAD}"
        )
    if value == "--":  # which argparse drops, even here
        raise unsayable(flag, f"a cell cannot say {flag} '--': {_INSTEAD}")
    # Two braces are parted by quotes, which the shell's rules drop again: {{name}} stays as it is.
    quoted = re.sub(r"\{(?=\{)", "{''", shlex.quote(value))
    return f"{flag}={quoted}" if value.startswith("-") else f"{flag} {quoted}"


def _cell_references(asked: Asked) -> Iterator[str]:
    for flag, given in (*(("--ref", r) for r in asked.references), *(("--frame", f) for f in asked.frames)):
        # A path that could be the name of a variable is written so that it cannot.
        path = given.source.isidentifier() and not given.variable
        yield _option(flag, f"{given.name}={'./' if path else ''}{given.source}")
    for given in asked.references:
        if given.role:
            yield _option("--role", f"{given.name}={given.role}")


def _cell_provider(asked: Asked) -> Iterator[str]:
    for slug, key, value in options_of(asked):
        if not slug or not key or "." in slug or "=" in slug or "=" in key:
            shown = one_line(f"{slug}.{key}", limit=60)
            raise unsayable("provider", f"a cell cannot say the provider option {shown!r}: {_INSTEAD}")
        bare = isinstance(value, str) and _BARE.match(value) and value not in _LITERALS
        yield _option("--provider", f"{slug}.{key}={value if bare else json.dumps(value)}")


def _python(asked: Asked) -> str:
    arguments = [_text(asked.prompt)]
    for name, given in (("references", asked.references), ("frames", asked.frames)):
        if given:
            lines = [f"        {_literal(g.name)}: {g.source if g.variable else _literal(g.source)}," for g in given]
            arguments.append("\n".join([f"    {name}={{", *lines, "    },"]))
    roles = {g.name: g.role for g in asked.references if g.role}
    provider = {slug: dict(options) for slug, options in asked.provider.items() if options}
    cost = str(asked.max_cost) if isinstance(asked.max_cost, Decimal) else asked.max_cost
    for name, value in (
        ("roles", roles or None),
        ("model", asked.model),
        ("duration", asked.duration),
        ("resolution", asked.resolution),
        ("aspect_ratio", asked.aspect_ratio),
        ("size", asked.size),
        ("seed", asked.seed),
        ("generate_audio", asked.generate_audio),
        ("provider", provider or None),
        ("previous_job_id", asked.previous_job_id),
        ("max_cost", cost),
        ("fresh", asked.fresh or None),
    ):
        if value is not None:
            arguments.append(f"    {name}={_literal(value)},")
    call = "\n".join([f"{asked.out or 'job'} = refvideo_nb.generate(", *arguments, ")"])
    return f"import refvideo_nb\n\n{call}"


def _text(prompt: str) -> str:
    """The prompt as an argument, a line of the source for each of its own."""
    lines = prompt.split("\n")
    parts = [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] or len(lines) == 1 else [])
    return "\n".join(f"    {_literal(part)}" for part in parts) + ","


def _literal(value: Any) -> str:
    """A value as Python writes it, in double quotes where that needs no escape."""
    if isinstance(value, str):
        shown = repr(value)
        return f'"{shown[1:-1]}"' if '"' not in value else shown
    if isinstance(value, Mapping):
        return f"{{{_listed(f'{_literal(k)}: {_literal(v)}' for k, v in value.items())}}}"
    if isinstance(value, list):
        return f"[{_listed(map(_literal, value))}]"
    return repr(value)


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(texts)
