"""What differs between runs: the words of their prompts, their settings, their references."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

import msgspec

from refvideo_nb.core.references import Naming, compile_prompt
from refvideo_nb.display import words
from refvideo_nb.display.page import clip
from refvideo_nb.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from refvideo_nb.core.job import JobRecord

__all__ = ["Differences", "Phrase", "differences_of"]

_WORD = re.compile(r"\s+|@\w[\w-]*|\w+|[^\w\s]")
_MOST_PROMPT = 6000  # characters
_FEW_WORDS = 40  # characters that are quoted in a line


class Phrase(msgspec.Struct, frozen=True):
    """A stretch of text.

    Attributes
    ----------
    text : str
    marked : bool
        Whether not all runs have it.
    reference : str or None
        The name of the reference that it stands for.
    """

    text: str
    marked: bool = False
    reference: str | None = None


class Differences(msgspec.Struct, frozen=True):
    """What runs share, and what they do not.

    Attributes
    ----------
    same : str
        Such as ``"Same prompt, model and references."``; empty for a single run, or where nothing is.
    different : tuple of str
        What only some runs have, in short: ``("“soft”", "“hard”", "seed 7", "seed 8")``.
    prompt : tuple of Phrase
        The prompt that all share; empty where they differ.
    prompts : tuple of tuple of Phrase
        That of each run, with the words marked that not all have; empty where all share one.
    settings : tuple of tuple of Phrase
        Those of each run.
    """

    same: str
    different: tuple[str, ...]
    prompt: tuple[Phrase, ...]
    prompts: tuple[tuple[Phrase, ...], ...]
    settings: tuple[tuple[Phrase, ...], ...]


def differences_of(records: Sequence[JobRecord]) -> Differences:
    """Compare what was asked for.

    Parameters
    ----------
    records : sequence of JobRecord
        One or more.
    """
    prompts = [_partsof(r) for r in records]
    shared = len({r.request.prompt for r in records}) == 1
    seeded = any(r.request.seed is not None for r in records)
    settings = [_settings(r, seeded=seeded) for r in records]
    everywhere = set(settings[0]).intersection(*settings) if settings else set()
    cast = [_cast(r) for r in records]
    common = set(cast[0]).intersection(*cast) if cast else set()
    lines = tuple(tuple(Phrase(text, marked=text not in everywhere) for text in line) for line in settings)
    marked = () if shared else tuple(_marked(prompts))
    apart = [*_said_apart(marked), *(p.text for line in lines for p in line if p.marked)]
    apart += _unshared(cast, common)
    models = {r.request.model for r in records}
    alike = {
        "prompt": shared,
        "model": len(models) == 1,
        "references": bool(common) and all(set(c) == common for c in cast),
        "settings": all(set(line) - models == set(settings[0]) - models for line in settings),
    }
    return Differences(
        same=_sentence([name for name, so in alike.items() if so]) if len(records) > 1 else "",
        different=tuple(dict.fromkeys(apart)),
        prompt=tuple(Phrase(text, reference=name) for text, name in prompts[0]) if prompts and shared else (),
        prompts=marked,
        settings=lines,
    )


def _sentence(names: list[str]) -> str:
    if not names:
        return ""
    return f"Same {', '.join(names[:-1])} and {names[-1]}." if len(names) > 1 else f"Same {names[0]}."


def _settings(record: JobRecord, *, seeded: bool) -> list[str]:
    """The settings as phrases, so that two runs share one if they say the same; `seeded` if any run has a seed."""
    request = record.request
    more = [f"{slug}.{key}={value}" for slug, given in request.provider.items() for key, value in given.items()]
    if request.previous_job_id:
        more.append(f"extends {request.previous_job_id}")
    seed = ["no seed"] if seeded and request.seed is None else []
    return [*words.settings(record), *seed, *(one_line(w, limit=80) for w in more)]


def _cast(record: JobRecord) -> list[tuple[str, str]]:
    """Name and content of each reference and frame."""
    shown = [(f"@{r.name}", r) for r in record.request.references]
    shown += [(f"{f.position} frame", f.image) for f in record.request.frames]
    return [(name, r.sha256 or r.url or "") for name, r in shown]


def _unshared(cast: Sequence[Sequence[tuple[str, str]]], common: set[tuple[str, str]]) -> list[str]:
    """The references that not all runs have; one that is called the same and is not, says so."""
    found: dict[str, set[str]] = {}
    for one in cast:
        for name, content in one:
            if (name, content) not in common:
                found.setdefault(name, set()).add(content)
    return [f"another {name}" if len(contents) > 1 else name for name, contents in found.items()]


def _partsof(record: JobRecord) -> list[tuple[str, str | None]]:
    """The prompt in words, spaces and signs; a name of a reference is one word."""
    request = record.request
    compiled = compile_prompt(clip(request.prompt, _MOST_PROMPT), request.references, Naming.SPACED)
    found: list[tuple[str, str | None]] = []
    for part in compiled.parts:
        if part.reference:
            found.append((part.text, part.reference))
        else:
            found += [(word, None) for word in _WORD.findall(part.text)]
    return found


def _marked(prompts: Sequence[list[tuple[str, str | None]]]) -> list[tuple[Phrase, ...]]:
    """Each prompt with those words marked that are not in all of them, in the same order."""
    # By the text alone: a name may be a reference of one run, and a mere word of another.
    texts = [[text for text, _ in prompt] for prompt in prompts]
    first = texts[0]
    kept = [True] * len(first)  # of the first prompt: which words all the others have, too
    matches = []
    for other in texts[1:]:
        blocks = SequenceMatcher(None, first, other, autojunk=False).get_matching_blocks()
        pairs = {block.a + n: block.b + n for block in blocks for n in range(block.size)}
        matches.append(pairs)
        kept = [keep and n in pairs for n, keep in enumerate(kept)]
    shared = [{n for n, keep in enumerate(kept) if keep}]
    shared += [{pairs[n] for n, keep in enumerate(kept) if keep} for pairs in matches]
    return [
        tuple(_joined([Phrase(text, marked=n not in own, reference=name) for n, (text, name) in enumerate(prompt)]))
        for prompt, own in zip(prompts, shared, strict=True)
    ]


def _said_apart(prompts: Sequence[tuple[Phrase, ...]]) -> list[str]:
    """The words in which prompts differ, if they are few; else only that they do."""
    if not prompts:
        return []
    parts = ["…".join(p.text.strip() for p in prompt if p.marked) for prompt in prompts]
    if any(len(w) > _FEW_WORDS for w in parts):
        return ["the prompt"]
    return [f"“{one_line(w)}”" for w in parts if w]


def _joined(phrases: Sequence[Phrase]) -> list[Phrase]:
    """Neighbours of one kind as one; a space alone is nothing that differs."""
    made: list[Phrase] = []
    for index, phrase in enumerate(phrases):
        marked = phrase.marked
        if phrase.text.isspace():
            around = (
                phrases[index - 1].marked if index else False,
                index + 1 < len(phrases) and phrases[index + 1].marked,
            )
            marked = all(around)
        now = Phrase(phrase.text, marked, phrase.reference)
        if made and not now.reference and not made[-1].reference and made[-1].marked == marked:
            made[-1] = Phrase(made[-1].text + now.text, marked)
        else:
            made.append(now)
    return made
