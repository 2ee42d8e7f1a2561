"""``%%refvideo`` and ``%refvideo``: they parse, and hand over."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from math import inf
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from traitlets import Float, TraitError, Unicode, validate

from refvideo_nb.core.checks import holds_key
from refvideo_nb.core.request import DEFAULT_MODEL
from refvideo_nb.errors import RefVideoError
from refvideo_nb.notebook import cell, commands
from refvideo_nb.notebook.completion import complete
from refvideo_nb.notebook.current import current_session, unfinished
from refvideo_nb.notebook.history import forget_keys
from refvideo_nb.notebook.options import parse, parser, refuse_keys
from refvideo_nb.notebook.scoring import score_parser
from refvideo_nb.notebook.sweep_options import parse_sweep, sweep_parser

__all__ = ["RefVideoMagics", "load", "unload"]


@magics_class
class RefVideoMagics(Magics):
    """``%config RefVideoMagics`` shows what can be set."""

    model = Unicode(DEFAULT_MODEL, help="The model where a cell names none.").tag(config=True)
    max_cost = Float(
        None, allow_none=True, help="USD; a cell that is estimated above it, or cannot be estimated, is refused."
    ).tag(config=True)
    session_budget = Float(
        None, allow_none=True, help="USD; what all jobs of this session may cost: as billed, else as estimated."
    ).tag(config=True)

    confirm_above = Float(
        None, allow_none=True, help="USD; the form asks once more before it sends what is estimated above it."
    ).tag(config=True)

    @validate("max_cost", "session_budget", "confirm_above")
    def _an_amount(self, proposal: Any) -> float | None:
        value: float | None = proposal["value"]
        if value is not None and not 0 <= value < inf:  # nothing is ever above a NaN
            raise TraitError(
                f"{proposal['trait'].name} {value!r} is no amount: give USD, such as 0.5, or None for no limit"
            )
        return value

    def _limit(self) -> None:
        """Let the session know what `%config` allows it to spend."""
        session = current_session()
        own = self.session_budget
        session.budget = session.settings.session_budget if own is None else Decimal(str(own))
        own = self.confirm_above
        session.confirm_above = session.settings.confirm_above if own is None else Decimal(str(own))

    @no_var_expand
    @line_cell_magic
    def refvideo(self, line: str, text: str | None = None) -> None:
        """Stand-in; the real text is put in below, from the options themselves."""
        shell: Any = self.shell
        if holds_key(f"{line}\n{text}"):
            forget_keys(shell)
        try:
            if text is None:
                refuse_keys(line)
                if line.split() != ["doctor"]:  # which tells what it is that a session cannot be made of
                    self._limit()
                commands.run(line, shell)
                return
            options = parse(line, text, namespace=shell.user_ns, model=self.model, max_cost=self.max_cost)
            self._limit()
            cell.run(options, shell, current_session())
        except RefVideoError as error:
            raise UsageError(str(error)) from None

    @no_var_expand
    @line_cell_magic
    def refvideo_sweep(self, line: str, text: str | None = None) -> None:
        """Stand-in, as above."""
        shell: Any = self.shell
        if holds_key(f"{line}\n{text}"):
            forget_keys(shell)
        try:
            options = parse_sweep(line, text, namespace=shell.user_ns, model=self.model, max_cost=self.max_cost)
            self._limit()
            cell.run_sweep(options, shell, current_session())
        except RefVideoError as error:
            raise UsageError(str(error)) from None


RefVideoMagics.refvideo.__doc__ = f"""Reference-to-video: references guide a clip, and the clip stands beside them.

%%refvideo [options]
prompt, with @name for a reference, @@ for a literal @, {{{{name}}}} for a Python value

{parser().format_help()}
{commands.HELP}
{score_parser().format_help()}"""

RefVideoMagics.refvideo_sweep.__doc__ = f"""A sweep: settings that are compared, one job for each combination of them.

%%refvideo_sweep --grid NAME=VALUES [options]
prompt, with {{{{name}}}} for a field that --grid or --zip varies

First comes the plan; nothing is sent before it is started, or --max-cost covers it.

{sweep_parser().format_help()}"""

_NAME = "refvideo_nb"
_MAGICS = ("refvideo", "refvideo_sweep")
_COMPLETED = ("%%refvideo", "%refvideo", "%%refvideo_sweep", "%refvideo_sweep")


def load(shell: Any) -> None:
    """Register the magic; a second time it replaces the first."""
    unload(shell)
    shell.register_magics(magics := RefVideoMagics(shell=shell))
    shell.meta[_NAME] = magics
    for key in _COMPLETED:
        shell.set_hook("complete_command", complete, str_key=key)
    with contextlib.suppress(RefVideoError):  # whatever is wrong is told when something is asked for
        waiting, unknown, left = unfinished()
        said = [f"{_count(waiting)} unfinished: %refvideo resume goes on, without paying again"] if waiting else []
        said += [f"{_count(unknown)} of unknown outcome since a crash: %refvideo jobs"] if unknown else []
        if left:
            said.append(f"a sweep is interrupted: %refvideo resume {left[0]} goes on with it")
        if said:
            print("; ".join(said))  # noqa: T201 - told once, when the extension is loaded


def _count(jobs: int) -> str:
    return "1 job is" if jobs == 1 else f"{jobs} jobs are"


def unload(shell: Any) -> None:
    """Take the magic away again; jobs go on."""
    magics = shell.meta.pop(_NAME, None)
    if magics is None:
        return
    if magics in shell.configurables:
        shell.configurables.remove(magics)
    for kind in ("cell", "line"):
        for name in _MAGICS:
            shell.magics_manager.magics[kind].pop(name, None)
    hooks = shell.strdispatchers.get("complete_command")
    for key in _COMPLETED:
        if hooks is not None:
            hooks.strs.pop(key, None)  # IPython can add a completer but not take one away
