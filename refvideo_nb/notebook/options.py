"""The options of ``%%refvideo``, and how their text becomes a wish.

One declaration serves parsing, help and completion.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec
from IPython.core.error import UsageError

from refvideo_nb.core.checks import holds_key
from refvideo_nb.core.fields import fill
from refvideo_nb.engine.naming import Named
from refvideo_nb.engine.wish import Wish, provider_options
from refvideo_nb.errors import InvalidRequestError, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping


__all__ = [
    "Options",
    "fill_in",
    "filled_words",
    "line_parser",
    "named_reference",
    "named_role",
    "parse",
    "parser",
    "refuse_keys",
    "split",
    "value_of",
    "wish_of",
    "words",
]

_HELD = re.compile("\ue000([0-9]+)\ue001")  # of Unicode's private area, which nobody types
_NAMED = re.compile(r"([^\W\d][\w-]*)=(.+)\Z", re.DOTALL)
_ESCAPE = "" if os.name == "nt" else "\\"  # there it stands between the folders of a path


class _Parser(argparse.ArgumentParser):
    """An ArgumentParser whose complaint is one line in the notebook, not the end of the kernel."""

    def error(self, message: str) -> NoReturn:
        import difflib  # noqa: PLC0415 - only for an option that is not known

        typed = re.search(r"unrecognized arguments: (--[\w-]+)", message)
        known = [o for action in self._actions for o in action.option_strings]
        near = difflib.get_close_matches(typed[1], known, n=1) if typed else []
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise UsageError(f"{self.prog}: {one_line(message)}{hint}; {self.prog.partition(' ')[0]}? shows all options")


def line_parser(prog: str) -> argparse.ArgumentParser:
    """An empty parser whose messages begin with the magic's name."""
    return _Parser(prog=prog, add_help=False, allow_abbrev=False, formatter_class=argparse.RawTextHelpFormatter)


class Options(msgspec.Struct, frozen=True):
    """What a cell asked for beside its wish."""

    wish: Wish
    out: str | None
    wait: bool | None
    dry_run: bool
    fresh: bool = False


def parser(name: str = "%%refvideo") -> argparse.ArgumentParser:
    """The options, as `argparse` knows them."""
    made = line_parser(name)
    add = made.add_argument
    add("-m", "--model", metavar="ID", help="model id (default: %%config RefVideoMagics.model)")
    add(
        *("-r", "--ref"),
        action="append",
        default=[],
        metavar="[NAME=]SOURCE",
        help="a reference: https address, path or Python variable; repeatable; @NAME in the prompt",
    )
    add(
        *("--role",),
        action="append",
        default=[],
        metavar="NAME=ROLE",
        help="what a reference is there for: subject, style or scene; repeatable",
    )
    add("-d", "--duration", metavar="S", help="seconds")
    add("--resolution", metavar="R", help="such as 720p")
    add("--aspect-ratio", metavar="W:H", help="such as 16:9")
    add("--size", metavar="WxH", help="pixels, instead of resolution and aspect ratio")
    add("--seed", metavar="N", help="repeats a result as far as the model honours it")
    add("--audio", action=argparse.BooleanOptionalAction, default=None, help="with or without sound")
    add(
        *("--provider",),
        action="append",
        default=[],
        metavar="SLUG.KEY=VALUE",
        help="passed through to the provider; repeatable",
    )
    add(
        *("--frame",),
        action="append",
        default=[],
        metavar="first=SOURCE|last=SOURCE",
        help="fixes a frame; not together with --ref",
    )
    add("--extend", metavar="ID", help="the job that this one extends")
    add("-o", "--out", metavar="NAME", help="the variable that holds the job")
    add(
        "--wait",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="wait in the cell (default: only where a notebook runs by itself)",
    )
    add("--dry-run", action="store_true", help="show the exact request and its cost; send nothing")
    add("--fresh", action="store_true", help="pay for a new job even where the same request was made before")
    add("--max-cost", metavar="USD", help="refuse above this estimate, and where there is none")
    return made


def parse(line: str, cell: str, *, namespace: Mapping[str, Any], model: str, max_cost: float | None) -> Options:
    """A cell as a wish.

    Parameters
    ----------
    line, cell : str
        The magic's line and the cell's text.
    namespace : mapping
        The notebook's variables, for references and ``{{name}}``.
    model : str
        Used where the line names none.
    max_cost : float or None
        USD, used where the line names none.

    Raises
    ------
    UsageError
        In one line, naming what is wrong and what is allowed.
    """
    line, cell = split(line, cell)
    prompt, said = fill_in(cell, namespace), filled_words(line, namespace)
    refuse_keys(prompt, *said)
    given = parser().parse_args(said)
    wish = wish_of(given, prompt, namespace=namespace, model=model, max_cost=max_cost)
    return Options(wish=wish, out=given.out, wait=given.wait, dry_run=given.dry_run, fresh=given.fresh)


def split(line: str, cell: str) -> tuple[str, str]:
    """The options and the prompt of a cell.

    Raises
    ------
    UsageError
        Where it holds a key, or options stand in the prompt.
    """
    refuse_keys(line, cell)
    while line.endswith("\\"):  # as a shell goes on in the next line
        more, _, cell = cell.partition("\n")
        line = f"{line[:-1]} {more.rstrip()}"
    line, ended = re.subn(r"(?:^|(?<=\s))--\s*\Z", "", line)
    if not ended and re.match(r"\s*--?[a-z]", cell):
        start = one_line(cell.strip().partition("\n")[0], limit=60)
        raise UsageError(
            f"%%refvideo: {start!r} stands in the prompt: options belong on the line of %%refvideo "
            "(a \\ at its end goes on in the next line, -- at its end says that only the prompt follows)"
        )
    return line, cell


def wish_of(given: argparse.Namespace, prompt: str, *, namespace: Mapping[str, Any], model: str, max_cost: Any) -> Wish:
    """The wish that the options say.

    Raises
    ------
    UsageError
    """
    if given.out is not None and not given.out.isidentifier():
        raise UsageError(f"%%refvideo: --out {one_line(given.out, limit=40)!r} is no name for a variable")
    try:
        provider = provider_options(given.provider)
    except InvalidRequestError as error:
        raise UsageError(f"%%refvideo: --provider: {error}") from None
    return Wish(
        prompt=prompt,
        references=[named_reference(text, namespace) for text in given.ref] or None,
        frames=dict(_frame(text, namespace) for text in given.frame) or None,
        model=given.model or model,
        duration=given.duration,
        resolution=given.resolution,
        aspect_ratio=given.aspect_ratio,
        size=given.size,
        seed=given.seed,
        generate_audio=given.audio,
        provider=provider,
        previous_job_id=given.extend,
        max_cost=max_cost if given.max_cost is None else given.max_cost,
        roles=dict(named_role(text) for text in given.role) or None,
    )


def refuse_keys(*texts: str) -> None:
    """Raise where one of the texts holds an API key.

    Raises
    ------
    UsageError
    """
    if any(map(holds_key, texts)):
        # The key itself is not repeated: this message is saved with the notebook.
        raise UsageError(
            "%%refvideo: this cell holds an API key, which would be saved in the notebook: remove it, and set "
            "OPENROUTER_API_KEY in the environment instead; where the notebook was saved or shared, make a new key"
        )


def words(line: str) -> list[str]:
    """The words of a line, as a shell reads them.

    Raises
    ------
    UsageError
    """
    lexer = shlex.shlex(line, posix=True)
    lexer.whitespace_split, lexer.commenters, lexer.escape = True, "", _ESCAPE
    try:
        return list(lexer)
    except ValueError as error:
        raise UsageError(f"%%refvideo: {error}: a quotation mark is missing in {one_line(line, limit=80)!r}") from None


def filled_words(line: str, namespace: Mapping[str, Any]) -> list[str]:
    """The words of a line, with values in them; a value stays within its word, whatever it holds.

    A path may hold spaces, and text from elsewhere must not become an option, such as ``--fresh``.

    Raises
    ------
    UsageError
    """
    held: list[str] = []

    def hold(name: str) -> str:
        held.append(value_of(name, namespace))
        return f"\ue000{len(held) - 1}\ue001"

    return [_HELD.sub(lambda match: held[int(match[1])], word) for word in words(fill(line, hold))]


def fill_in(text: str, namespace: Mapping[str, Any]) -> str:
    r"""Put Python values where ``{{name}}`` stands; single braces pass untouched, and so does ``\{{name}}``.

    Examples
    --------
    >>> fill_in("a {{colour}} cat {x}", {"colour": "red"})
    'a red cat {x}'
    """
    return fill(text, lambda name: value_of(name, namespace))


def value_of(name: str, namespace: Mapping[str, Any]) -> str:
    """The text that stands for a variable.

    Raises
    ------
    UsageError
    """
    if name not in namespace:
        raise UsageError(f"%%refvideo: {{{{{name}}}}} names a variable that does not exist: define {name} first")
    return str(namespace[name])


def named_reference(text: str, namespace: Mapping[str, Any]) -> Named:
    """``[NAME=]SOURCE`` as it was typed; a source that names a variable is that variable."""
    if not text.strip():
        raise UsageError("%%refvideo: --ref is empty: give [NAME=]SOURCE")
    match = _NAMED.match(text)
    name, source = (match[1], match[2]) if match else ("", text)
    if source.isidentifier() and source in namespace:
        label = f"variable {source}" if name and name != source else ""
        return Named(name or source, namespace[source], given=bool(match), label=label)
    return Named(name, source, given=bool(match))


def named_role(text: str) -> tuple[str, str]:
    """``NAME=ROLE`` as it was typed."""
    name, equals, role = text.partition("=")
    if not (equals and name and role):
        raise UsageError(f"%%refvideo: --role {one_line(text, limit=60)!r} cannot be used: give NAME=ROLE")
    return name, role


def _frame(text: str, namespace: Mapping[str, Any]) -> tuple[str, Any]:
    position, equals, source = text.partition("=")
    if not equals or position not in {"first", "last"} or not source:
        raise UsageError(
            f"%%refvideo: --frame {one_line(text, limit=60)!r} cannot be used; allowed: first=SOURCE, last=SOURCE"
        )
    return position, namespace[source] if source.isidentifier() and source in namespace else source
