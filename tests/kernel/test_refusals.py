"""What is wrong is told in one line, before anything is sent."""

from pathlib import Path

import pytest

from refvideo_nb.simulator import Simulator

pytestmark = pytest.mark.kernel

KEY = "sk-or-v1-" + "0123456789abcdef" * 2

# options, prompt, and what the line must say
WRONG = {
    "option": ("--dration 4", "a cat", ["--dration"]),
    "no value": ("--seed", "a cat", ["--seed", "expected one argument"]),
    "quotation mark": ("--ref 'cat", "a cat", ["quotation"]),
    "duration": ("--duration 99", "a cat", ["99", "allowed: 4, 5, 6"]),
    "duration in words": ("--duration four", "a cat", ["'four'", "whole number"]),
    "resolution": ("--resolution 99p", "a cat", ["'99p'", "allowed: ", "480p, 720p"]),
    "aspect ratio": ("--aspect-ratio 5:1", "a cat", ["'5:1'", "allowed: ", "16:9"]),
    "size": ("--size large", "a cat", ["'large'", "1280x720"]),
    "seed": ("--seed x", "a cat", ["'x'", "whole number"]),
    "model": ("--model bytedance/seedance-2.0-fats", "a cat", ["seedance-2.0-fats", "bytedance/seedance-2.0-fast"]),
    "provider": ("--provider a=b", "a cat", ["'a=b'", "SLUG.KEY=VALUE"]),
    "provider's key": ("--provider seed.no_such_key=1", "a cat", ["'no_such_key'", "allowed: "]),
    "out": ("--out 'my clip'", "a cat", ["'my clip'"]),
    "frame": ("--frame middle=cat", "a cat", ["middle=cat", "first=SOURCE, last=SOURCE"]),
    "frame with ref": ("--frame first=cat --ref cup=cup", "@cup", ["frames and references exclude each other"]),
    "unknown variable": ("", "a {{colour}} cat", ["{{colour}}", "define colour first"]),
    "missing file": ("--ref cat=no/such/cat.jpg", "@cat", ["'cat'", "no/such/cat.jpg", "No such file"]),
    "not a picture": ("--ref cat=text", "@cat", ["'cat'"]),
    "http": ("--ref cat=http://example.org/cat.png", "@cat", ["https"]),
    "twice": ("--ref a=cat --ref a=cup", "@a", ["'a'", "two references"]),
    "no prompt": ("--duration 4", "   ", ["prompt is empty"]),
    "max cost": ("--duration 4 --resolution 480p --max-cost 0.0001", "a cat", ["USD 0.0001", "nothing was sent"]),
    "max cost in words": ("--duration 4 --resolution 480p --max-cost cheap", "a cat", ["'cheap'", "USD"]),
    "key on the line": (f"--ref {KEY}", "a cat", ["API key", "OPENROUTER_API_KEY"]),
    "key in the prompt": ("", f"a cat {KEY}", ["API key", "OPENROUTER_API_KEY"]),
}


LINES = {
    "%refvideo jbos": ["'jbos'", "jobs, models, resume, retry"],
    "%refvideo show rv-20200101-aaaaaa": ["rv-20200101-aaaaaa"],
    "%refvideo show": ["give one id"],
    "%refvideo models all": ["'all'"],
}


def complaints(ran, said, *, beside=()):
    """What is wrong with a refusal; nothing, where it is one line that says what it must."""
    line = ran.stream("stderr")
    # Widgets of earlier cells, which are still being drawn or are collected just now, may speak here too.
    kinds = {m["msg_type"] for m in ran.messages} - {"status", "execute_input", "comm_msg", "comm_close", *beside}
    found = {
        "its reply": (ran.status, getattr(ran, "ename", "")) != ("error", "UsageError"),
        # A traceback shows itself as an error message; a UsageError is one line on stderr.
        f"a traceback, or one of {kinds}": kinds != {"stream"} or getattr(ran, "traceback", []) or "Traceback" in line,
        "more than the line": ran.out,
        "not one line": not line.startswith("UsageError: ") or line.count("\n") != 1 or not line.endswith("\n"),
        "the key": KEY in line or KEY[-16:] in line,
        "a Python address": " at 0x" in line,
        "what is missing": [words for words in said if words not in line],
    }
    return [f"{what}: {line.strip() or ran.reply['content']}" for what, wrong in found.items() if wrong]


def test_every_mistake_is_one_line_that_says_what_is_allowed(kernel, place):
    kernel.ok("text = 'cat.txt'\nopen(text, 'w').write('no picture')")
    kernel.run("1 / 0")  # an earlier traceback must not show again
    known = kernel.ok("%refvideo jobs").bundles[-1]["text/plain"]
    before = place.submits, place.paid_jobs
    cells = {what: (f"%%refvideo {options}\n{prompt}", said) for what, (options, prompt, said) in WRONG.items()}
    cells |= {line: (line, said) for line, said in LINES.items()}
    wrong = {what: complaints(kernel.run(cell), said) for what, (cell, said) in cells.items()}
    assert {what: found for what, found in wrong.items() if found} == {}
    assert kernel.ok("%refvideo jobs").bundles[-1]["text/plain"] == known
    assert (place.submits, place.paid_jobs) == before


def test_a_key_in_a_cell_is_not_kept_in_the_history(kernel):
    for cell in (f"%%refvideo --seed 7\na cat {KEY}", f"%refvideo show {KEY}"):
        ran = kernel.run(cell)
        assert complaints(ran, ["API key", "OPENROUTER_API_KEY"]) == []
    kernel.ok("history = get_ipython().history_manager\nhistory.writeout_cache()")
    assert not kernel.value(f"any({KEY[4:]!r} in text for text in history.input_hist_raw[:-1])")
    file = Path(kernel.value("str(history.hist_file)"))
    kept = b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))
    assert b"--seed 7\na cat ***" in kept
    assert KEY.encode() not in kept


def test_a_dead_key_is_an_error_and_never_the_simulator(start_kernel, workplace, tmp_path):
    with (
        Simulator(seconds=0.1) as api,
        workplace(tmp_path / "place", OPENROUTER_API_KEY=KEY, OPENROUTER_BASE_URL=api.base_url) as place,
        start_kernel(place) as kernel,
    ):
        kernel.ok("%load_ext refvideo_nb")
        ran = kernel.run("%%refvideo --duration 4 --resolution 480p --wait\na cat")
        assert complaints(ran, ["401"], beside=["display_data"]) == []
        cell = kernel.start("%%refvideo --duration 4 --resolution 480p --out clip\na cat")
        kernel.reply(cell)
        assert "401" in kernel.result(cell)["data"]["text/plain"]
        ran = kernel.run("clip.wait()")
        assert (ran.status, ran.ename) == ("error", "JobFailedError")
        assert "401" in ran.evalue
        assert kernel.value("[clip.status, clip.cost, clip.video]") == ["rejected", None, None]
        assert api.stats()["paid_jobs"] == 0
        assert not (place.home / "simulator").exists()
        # The key is neither shown nor kept.
        assert not any(KEY in str(message) for message in kernel.heard)
        files = [path for path in place.folder.rglob("*") if path.is_file()]
        assert files
        assert not any(KEY.encode() in path.read_bytes() for path in files)
