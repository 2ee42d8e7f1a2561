"""The magic as a person uses it: what it understands, looks up, completes and forgets."""

import json
import re

import pytest

pytestmark = pytest.mark.kernel

MAGICS = "[m for m in get_ipython().configurables if type(m).__name__ == 'RefVideoMagics']"


def dry_run(kernel, options, prompt="a cat"):
    """The body that a cell would send."""
    ran = kernel.ok(f"%%refvideo --dry-run {options}\n{prompt}")
    text = ran.bundles[-1]["text/plain"]
    return json.loads(text[text.index("{\n") :])


def test_a_dry_run_shows_the_request_and_sends_nothing(kernel, place):
    before = place.submits
    ran = kernel.ok(
        "%%refvideo --dry-run --ref cat=cat --duration 4 --resolution 480p --aspect-ratio 16:9 --no-audio --seed 7\n"
        "@cat runs for $5, mail me@@home"
    )
    bundle = ran.bundles[-1]
    text = bundle["text/plain"]
    assert "nothing was sent" in text
    assert re.search(r"about USD 0\.\d+", text)
    assert "[Image1] runs for $5, mail me@home" in bundle["text/html"]
    body = json.loads(text[text.index("{\n") :])
    reference = body.pop("input_references")[0]
    assert body == {
        "model": "bytedance/seedance-2.0-fast",
        "prompt": "[Image1] runs for $5, mail me@home",
        "duration": 4,
        "resolution": "480p",
        "aspect_ratio": "16:9",
        "seed": 7,
        "generate_audio": False,
    }
    assert reference["image_url"]["url"].startswith("data:image/")
    assert (place.submits, place.paid_jobs) == (before, place.paid_jobs)


def test_double_braces_take_values_and_single_braces_and_dollars_pass(kernel):
    kernel.ok("colour, seconds, price = 'red', 5, 9")
    body = dry_run(kernel, "--duration {{seconds}}", "a {{colour}} cat, {{ colour }}, {colour}, {x: 1}, $price, %s {0}")
    assert body["prompt"] == "a red cat, red, {colour}, {x: 1}, $price, %s {0}"
    assert body["duration"] == 5


def test_quotes_around_values_are_quotes(kernel):
    kernel.ok("from PIL import Image\nImage.fromarray(cat).save('my cat.png')")
    body = dry_run(
        kernel, "--resolution '480p' --aspect-ratio \"16:9\" --ref pet='my cat.png' --ref \"cup=cup\"", "@pet @cup"
    )
    assert (body["resolution"], body["aspect_ratio"], body["prompt"]) == ("480p", "16:9", "[Image1] [Image2]")
    assert len(body["input_references"]) == 2


def test_references_are_python_variables_of_every_kind(kernel):
    kernel.ok(
        "import io, pathlib\nfrom PIL import Image\n"
        "image = Image.fromarray(cat)\n"
        "image.save('cat.png')\n"
        "text, path = 'cat.png', pathlib.Path('cat.png').absolute()\n"
        "raw = path.read_bytes()\n"
    )
    names = ["image", "cat", "raw", "text", "path"]
    body = dry_run(kernel, " ".join(f"--ref {name}" for name in names), " ".join(f"@{name}" for name in names))
    assert [part["type"] for part in body["input_references"]] == ["image_url"] * 5
    assert all(part["image_url"]["url"].startswith("data:image/") for part in body["input_references"])
    assert body["prompt"] == "[Image1] [Image2] [Image3] [Image4] [Image5]"


def test_lines_look_up_and_show(kernel):
    cell = kernel.start("%%refvideo --duration 4 --resolution 480p --no-audio --fresh --out clip\na <b>cat</b> for $5")
    kernel.reply(cell)
    kernel.ok("%refvideo resume")
    kernel.ok("clip.wait()")
    job = kernel.value("clip.id")
    jobs = kernel.ok("%refvideo jobs").bundles[-1]
    assert job in jobs["text/plain"]
    assert job in jobs["text/html"]
    assert "<b>cat" not in jobs["text/html"]
    models = kernel.ok("%refvideo models").bundles[-1]
    assert "bytedance/seedance-2.0-fast" in models["text/plain"]
    for command in (
        f"%refvideo show {job}",
        f"%refvideo show {job[:-1]}",
        "%refvideo show clip",
        "clip.show()",
        "clip",
    ):
        bundle = kernel.ok(command).bundles[-1]
        assert {"text/html", "image/png", "text/plain"} <= set(bundle), command
        assert "<video" in bundle["text/html"]
        assert "<b>cat" not in bundle["text/html"]
    # A player, and what stays of it.
    live, _still = kernel.ok("clip.show()").bundles
    assert "application/vnd.jupyter.widget-view+json" in live
    assert kernel.ok("%refvideo resume").out == "no job is unfinished\n"
    report = kernel.ok("%refvideo doctor").bundles[-1]
    assert "the simulator answers, nothing is paid" in report["text/plain"]
    help_page = kernel.ok("%refvideo?").payload[0]["data"]["text/plain"]
    assert all(words in help_page for words in ("--aspect-ratio", "--max-cost", "%refvideo jobs", "{{name}}"))


VIEW = "application/vnd.jupyter.widget-view+json"
STILL = {"text/plain": "still", "text/html": "still"}
SHOW = """
from refvideo_nb.notebook.comparing import compare
def drawn():
    print("drawing")
    {does}
compare(shown).show(still=drawn)
"""


def told(kernel, does):
    return kernel.run(SHOW.format(does=does)).messages


def test_the_player_is_there_before_what_the_notebook_keeps_is_drawn(kernel):
    kernel.ok("%%refvideo --duration 4 --resolution 480p --out shown\na slow cat")
    kernel.ok("shown.wait()")
    messages = told(kernel, f"return {STILL}")
    kinds = ["widget-view" if VIEW in m["content"].get("data", {}) else m["msg_type"] for m in messages]
    assert kinds.index("widget-view") < kinds.index("stream"), kinds
    # Where nothing can be drawn, nothing stays that would need its kernel.
    *_, last = (m for m in told(kernel, "1 / 0") if m["msg_type"] in {"display_data", "update_display_data"})
    assert VIEW not in last["content"]["data"]
    assert last["msg_type"] == "update_display_data"


def test_config_sets_the_model_and_the_limit(kernel, place):
    before = place.submits
    kernel.ok("%config RefVideoMagics.model = 'google/veo-3.1'")
    assert dry_run(kernel, "")["model"] == "google/veo-3.1"
    assert dry_run(kernel, "--model bytedance/seedance-2.0")["model"] == "bytedance/seedance-2.0"
    kernel.ok("%config RefVideoMagics.max_cost = 0.0001")
    ran = kernel.run("%%refvideo --model bytedance/seedance-2.0 --duration 4 --resolution 480p\na cat")
    assert (ran.status, ran.ename) == ("error", "UsageError")
    assert "USD 0.0001" in ran.evalue
    assert place.submits == before


def test_loading_again_leaves_one_magic_and_unloading_none(kernel):
    kernel.ok("%config RefVideoMagics.model = 'google/veo-3.1'")
    kernel.ok("%load_ext refvideo_nb\n%reload_ext refvideo_nb\nimport refvideo_nb")
    kernel.ok("refvideo_nb.load_ipython_extension(get_ipython())")
    assert kernel.value(f"len({MAGICS})") == 1
    kernel.ok("%config RefVideoMagics.model = 'bytedance/seedance-2.0'")
    assert dry_run(kernel, "")["model"] == "bytedance/seedance-2.0"
    kernel.ok("%unload_ext refvideo_nb")
    assert kernel.value(f"len({MAGICS})") == 0
    ran = kernel.run("%%refvideo\na cat")
    assert (ran.status, ran.ename) == ("error", "UsageError")
    kernel.ok("%load_ext refvideo_nb")
    assert dry_run(kernel, "")["prompt"] == "a cat"


def test_completion_goes_with_the_magic(kernel):
    assert kernel.complete("%%refvideo --dura") == ["%%refvideo --duration"]
    kernel.ok("%reload_ext refvideo_nb")
    assert kernel.complete("%%refvideo --dura") == ["%%refvideo --duration"]
    kernel.ok("%unload_ext refvideo_nb")
    assert kernel.complete("%%refvideo --dura") == []


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("%%refvideo --dur", "%%refvideo --duration"),
        ("%%refvideo --no-", "%%refvideo --no-audio"),
        ("%%refvideo -m bytedance/seedance-2.0-f", "%%refvideo -m bytedance/seedance-2.0-fast"),
        ("%%refvideo --model google/", "%%refvideo --model google/veo-3.1"),
        ("%%refvideo --resolution 4", "%%refvideo --resolution 480p"),
        ("%%refvideo --aspect-ratio 1", "%%refvideo --aspect-ratio 16:9"),
        ("%%refvideo --aspect-ratio 16:", "%%refvideo --aspect-ratio 16:9"),
        ("%%refvideo --duration 1", "%%refvideo --duration 12"),
        ("%%refvideo --seed 7 --ref ca", "%%refvideo --seed 7 --ref cat"),
        ("%%refvideo --ref pet=ca", "%%refvideo --ref pet=cat"),
        ("%refvideo sh", "%refvideo show"),
        ("%refvideo sc", "%refvideo score"),
        ("%refvideo score clip --emb", "%refvideo score clip --embedder"),
        ("%refvideo score clip --embedder dino", "%refvideo score clip --embedder dinov2-small"),
        ("%refvideo score clip --ref pet=ca", "%refvideo score clip --ref pet=cat"),
    ],
)
def test_what_is_typed_can_be_completed(completing, typed, offered):
    assert offered in completing.complete(typed)


@pytest.fixture(scope="module")
def completing_kernels():
    """One kernel of each version serves all completions: they change nothing."""
    found = {}
    yield found
    for kernel in found.values():
        kernel.__exit__(None, None, None)


@pytest.fixture
def completing(completing_kernels, start_kernel, kernel_name, place):
    if kernel_name not in completing_kernels:
        kernel = completing_kernels[kernel_name] = start_kernel(place).__enter__()
        kernel.ok("%load_ext refvideo_nb\ncat = 'cat.png'")
    return completing_kernels[kernel_name]
