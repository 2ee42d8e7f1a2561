"""Completion after ``%%refvideo``: options, model ids, and the values that the model takes."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from refvideo_nb.notebook.commands import COMMANDS
from refvideo_nb.notebook.current import known_models
from refvideo_nb.notebook.job import Job
from refvideo_nb.notebook.options import parser, words
from refvideo_nb.notebook.sweep_options import NAME, sweep_parser

if TYPE_CHECKING:
    from refvideo_nb.core.catalogue import Model

__all__ = ["complete"]


def complete(shell: Any, event: Any) -> list[str]:
    """IPython's hook: what may follow in this line."""
    line: str = event.line
    # IPython cuts at colons and slashes, a shell word does not end there: complete the whole word,
    # and give back what follows IPython's cut.
    word = line.rpartition(" ")[2]
    cut = len(word) - len(event.symbol)
    before = _so_far(line.removesuffix(word))
    if before[:1] == ["%refvideo"]:
        found = list(COMMANDS) if len(before) == 1 else _of_score(before, word, shell) if before[1] == "score" else []
    elif word.startswith("-"):
        made = sweep_parser() if before[0].lstrip("%") == NAME.lstrip("%") else parser()
        found = [s for a in made._actions for s in a.option_strings]  # noqa: SLF001 - argparse has no public list
    else:
        found = _values(before, shell)
    return [f[cut:] for f in found if f.startswith(word)]


def _of_score(before: list[str], word: str, shell: Any) -> list[str]:
    """What may follow ``%refvideo score``: what can be measured, options, and the networks."""
    from refvideo_nb.notebook.scoring import score_parser  # noqa: PLC0415 - loaded when it is asked for

    if word.startswith("-"):
        return [s for a in score_parser()._actions for s in a.option_strings]  # noqa: SLF001 - as above
    if before[-1] in {"-e", "--embedder"}:
        from refvideo_nb.measure.embedders import EMBEDDERS  # noqa: PLC0415 - loads numpy

        return list(EMBEDDERS)
    if before[-1] == "--frames":
        return ["all"]
    if before[-1] in {"-r", "--ref", "--negative"}:
        return _variables(shell)
    return [n for n in _variables(shell) if isinstance(shell.user_ns[n], Job)] if len(before) == 2 else []  # noqa: PLR2004 - %refvideo score


def _variables(shell: Any) -> list[str]:
    return [n for n in shell.user_ns if not n.startswith("_")]


def _so_far(line: str) -> list[str]:
    try:
        return words(line)
    except UsageError:  # a quotation mark that is still open
        return line.split()


def _values(words: list[str], shell: Any) -> list[str]:
    """What an option takes, by the model that the line names."""
    last = words[-1] if words else ""
    if last in {"-r", "--ref"}:
        return _variables(shell)
    models = _models()
    if last in {"-m", "--model"}:
        return [m.id for m in models]
    named = next((w for k, w in itertools.pairwise(words) if k in {"-m", "--model"}), None)
    named = named or getattr(shell.meta.get("refvideo_nb"), "model", "")
    model = next((m for m in models if m.id == named), None)
    if model is None:
        return []
    return {
        "-d": [str(d) for d in model.durations or ()],
        "--duration": [str(d) for d in model.durations or ()],
        "--resolution": list(model.resolutions or ()),
        "--aspect-ratio": list(model.aspect_ratios or ()),
        "--size": [f"{w}x{h}" for w, h in model.sizes or ()],
        "--frame": [f"{t.removesuffix('_frame')}=" for t in model.frame_types or ()],
    }.get(last, [])


def _models() -> tuple[Model, ...]:
    """The list that is at hand: completion must never wait for a network."""
    from refvideo_nb.client.models import captured  # noqa: PLC0415 - loaded at the first completion

    return known_models() or captured().models
