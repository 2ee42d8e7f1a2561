"""Front ends that cannot be run here, by a stand-in: a real kernel in their environment, and what they would keep.

They show that our code takes the way that is meant for them, and what reaches them. Nothing here shows what they draw.
"""

from tests.kernel.conftest import front_end, with_kernelspecs
from tests.matrix.trial import CLIP, JOBS, cards, cells, formats, sent_and_finished, whole

COLAB = """
import sys, types
colab = types.ModuleType("google.colab")
colab.output = types.SimpleNamespace(enable_custom_widget_manager=lambda: None)
sys.modules["google.colab"] = colab
"""


def vs_code(place, kernel):
    """Its environment variables; results replace the line of their cell, as in any front end."""
    place.env |= {"VSCODE_PID": "1", "VSCODE_CWD": str(place.folder)}
    with _kernel(place, kernel) as opened:
        ran = [opened.start(cell) for cell in cells()]
        for cell in ran:
            assert opened.reply(cell).status == "ok"
        assert "no AAC sound" in opened.ok("%refvideo doctor").bundles[-1]["text/plain"]
        (clip,) = [cell for cell, source in zip(ran, cells(), strict=True) if CLIP in source and "dry" not in source]
        replaced = opened.result(clip)["data"]
        yield from _shown(place, [replaced, *_own(opened, ran[-2])])


def colab(place, kernel):
    """Its module; what comes after a cell has ended is dropped, so the cell waits, as %refvideo doctor advises."""
    with _kernel(place, kernel) as opened:
        opened.ok(COLAB)
        ran = [opened.start(f"{cell}" if CLIP not in cell else _waiting(cell)) for cell in cells()]
        for cell in ran:
            assert opened.reply(cell).status == "ok"
        assert "use --wait" in opened.ok("%refvideo doctor").bundles[-1]["text/plain"]
        yield from _shown(place, [data for cell in ran for data in _own(opened, cell)])


def _waiting(cell):
    first, _, rest = cell.partition("\n")
    return f"{first} --wait\n{rest}"


def _kernel(place, kernel):
    return front_end(place, kernel, with_kernelspecs(place.folder / "kernelspecs"))


def _own(opened, cell):
    """What a cell displayed before it ended."""
    messages = opened.of(cell)
    end = next(n for n, m in enumerate(messages) if m["content"].get("execution_state") == "idle")
    return [m["content"]["data"] for m in messages[:end] if m["msg_type"] in {"display_data", "execute_result"}]


def _shown(place, bundles):
    yield from sent_and_finished(place)
    shown = cards(bundles)
    assert len(shown) == JOBS, f"{len(shown)} of {JOBS} results are shown"
    yield "shown", f"sent: {formats(shown)}"
    yield "saved", whole("".join(data["text/html"] for data in shown), place)
