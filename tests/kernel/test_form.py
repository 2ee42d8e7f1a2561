"""The form in real kernels, driven as a page drives it: by the messages of its widgets."""

import html
import json
import re
import statistics
import time

import pytest

pytestmark = pytest.mark.kernel

VIEW = "application/vnd.jupyter.widget-view+json"
FORM = (
    "import refvideo_nb, threading, time\n"
    "form = refvideo_nb.form(references={'cat': cat}, duration=4, resolution='480p', generate_audio=False)\n"
    "form"
)
GOAL = 0.2  # seconds, for an answer while twenty jobs are watched; printed, and not asserted


class Page:
    """What a page knows of the widgets, and how it talks to them."""

    def __init__(self, kernel):
        self._kernel, self._client = kernel, kernel._client
        self._read, self.models, self.subshell = 0, {}, None

    def look(self):
        """Take in what came since the last look."""
        for message in self._kernel.heard[self._read :]:
            kind, content = message["msg_type"], message["content"]
            if kind == "comm_open":
                self.models[content["comm_id"]] = dict(content["data"].get("state", {}))
            elif kind == "comm_msg" and content["data"].get("method") in {"update", "echo_update"}:
                self.models.get(content["comm_id"], {}).update(content["data"]["state"])
            elif kind == "comm_close":
                self.models.pop(content["comm_id"], None)
        self._read = len(self._kernel.heard)
        return self.models

    def field(self, label):
        """The widget with this on it."""
        found = [i for i, state in self.look().items() if state.get("description") == label]
        assert found, f"no {label!r} among {[s.get('description') for s in self.models.values()]}"
        return found[-1]

    def send(self, label, data):
        self._to_kernel("comm_msg", {"comm_id": self.field(label), "data": data})

    def _to_kernel(self, kind, content):
        message = self._client.session.msg(kind, content)
        if self.subshell:
            message["header"]["subshell_id"] = self.subshell
        self._client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def run(self, code):
        """Run a cell there, to its end."""
        content = {"code": code, "silent": False, "store_history": False, "allow_stdin": True}
        ran = self._kernel.reply(self._to_kernel("execute_request", content))
        assert ran.status == "ok", ran.reply

    def fill(self, label, value):
        state = self.models[self.field(label)]
        if "index" in state:  # a list is chosen from by its place
            shown = {str(text): n for n, text in enumerate(state["_options_labels"])}
            self.send(label, {"method": "update", "state": {"index": shown[value]}, "buffer_paths": []})
        else:
            self.send(label, {"method": "update", "state": {"value": value}, "buffer_paths": []})

    def click(self, label):
        self.send(label, {"method": "custom", "content": {"event": "click"}})

    def says(self, *texts):
        shown = " ".join(s["value"] for s in self.look().values() if s.get("_model_name") == "HTMLModel")
        text = html.unescape(re.sub(r"<[^>]*>", " ", shown))
        return all(t in " ".join(text.split()) for t in texts)

    def until_it_says(self, *texts):
        self._kernel.until(lambda: self.says(*texts), f"{texts} on the page")

    def ready(self):
        """Wait until the references are read."""
        self._kernel.until(lambda: self.models[self.field("Generate")].get("disabled") is False, "the references")

    def open_subshell(self):
        """Have a thread of the kernel's own for all messages from now on."""
        control = self._client.control_channel
        control.send(self._client.session.msg("create_subshell_request", {}))
        reply = control.get_msg(timeout=30)
        assert reply["content"]["status"] == "ok", reply
        self.subshell = reply["content"]["subshell_id"]


@pytest.fixture
def page(kernel):
    return Page(kernel)


def test_a_request_by_hand_from_the_first_word_to_the_video(kernel, page):
    cell = kernel.start(FORM)
    form, still, place = [m["content"] for m in kernel.reply(cell).messages if m["msg_type"] == "display_data"]
    assert form["data"][VIEW]["model_id"] in page.look()
    assert "needs its kernel: run this cell" in still["data"]["text/html"]
    assert place["transient"]["display_id"]
    page.ready()
    page.fill("Prompt", "@cat runs by hand, keep its fur")
    page.fill("Aspect ratio", "1:1")
    page.fill("Seed", "seven")
    page.until_it_says("seed 'seven' cannot be used: give a whole number")
    page.fill("Seed", "7")
    page.fill("See the request", True)
    page.click("Generate")
    page.click("Generate")
    page.until_it_says("below is this very request: nothing is paid again")
    page.until_it_says("poll", "SIMULATED")

    def shown():
        updates = [m["content"] for m in kernel.heard if m["msg_type"] == "update_display_data"]
        return [u["data"] for u in updates if u["transient"]["display_id"] == place["transient"]["display_id"]]

    (result,) = kernel.until(shown, "the result in its place")
    assert set(result) == {"text/html", "image/png", "text/plain"}
    assert "<video" in result["text/html"]
    page.until_it_says("done")
    assert kernel.value("[len(form.jobs), form.job.status, form.job.record.request.seed]") == [1, "downloaded", 7]
    # What is copied does the same, and attaches to the same job.
    copied = next(s["text"] for s in page.models.values() if s.get("label") == "Copy")
    assert copied
    kernel.ok("form._before._form.value = 'Cell'")
    kernel.until(lambda: page.look() and "%%refvideo" in str([s.get("text") for s in page.models.values()]), "a cell")
    copied = next(s["text"] for s in page.models.values() if s.get("label") == "Copy")
    ran = kernel.ok(copied)
    assert f"reused job {kernel.value('form.job.id')}" in ran.out
    # Handlers print nothing, wherever a front end would put it.
    assert not [m["content"] for m in kernel.heard if m["msg_type"] == "error"]


def test_what_config_allows_counts_for_a_form_that_is_there_already(kernel, page):
    kernel.ok(FORM)
    page.ready()
    page.fill("Prompt", "@cat runs above a limit, keep its fur")
    kernel.ok("%config RefVideoMagics.confirm_above = 0.01")
    page.click("Generate")
    page.until_it_says("above USD 0.01")
    kernel.ok("%config RefVideoMagics.confirm_above = 99")
    kernel.ok("%config RefVideoMagics.session_budget = 0.02")
    page.click("Generate")
    page.until_it_says("is more than its budget of USD 0.02", "nothing was sent")
    assert kernel.value("len(form.jobs)") == 0


def test_handlers_run_in_a_subshell_while_a_cell_computes(kernel, page, kernel_name):
    if kernel_name == "older":
        pytest.skip("ipykernel 6 has no subshells")
    page.open_subshell()
    # What is made in a subshell is asked there: so it is in every version, whatever a page says.
    page.run(
        f"{FORM}\n"
        "threads = set()\n"
        "note = lambda *_: threads.add(threading.current_thread() is threading.main_thread())\n"
        "form._prompt._text.observe(note, 'value')\n"
        "form._sending._generate.on_click(note)"
    )
    page.ready()
    busy = kernel.start(
        "while form.job is None or form.job.status != 'downloaded':\n"
        "    form.refresh()\n"
        "    time.sleep(0.001)\n"
        "print('it was watched')"
    )
    page.fill("Prompt", "@cat runs in a subshell, keep its fur")
    page.fill("Seed", "8")
    page.click("Compare models")
    page.until_it_says("References documented")
    page.click("Generate")
    page.until_it_says("poll", "done")
    assert kernel.reply(busy).stream("stdout") == "it was watched\n"
    assert kernel.value("list(threads)") == [False], "only in the subshell's thread"
    assert kernel.value("[len(form.jobs), form.job.record.request.seed]") == [1, 8]


def answers(kernel, times, during=lambda: True):
    """Seconds that the kernel took for 1 + 1, so many times or as long as something goes on."""
    took = []
    while len(took) < times and during():
        started = time.perf_counter()
        kernel.reply(kernel._client.execute("1 + 1", store_history=False))
        took.append(time.perf_counter() - started)
        kernel._listen(0.05)
    return took


def p95(seconds):
    return statistics.quantiles(seconds, n=20, method="inclusive")[-1]


def test_twenty_cards_leave_the_kernel_to_other_cells(start_kernel, workplace, held_api, tmp_path):
    with workplace(tmp_path / "place", **held_api.env) as place, start_kernel(place) as kernel:
        kernel.ok("%load_ext refvideo_nb\nimport refvideo_nb")
        kernel.ok("refvideo_nb.generate('warm up', model='x-ai/grok-imagine-video', duration=1, resolution='480p')")
        idle = answers(kernel, 60)
        kernel.ok(
            "from refvideo_nb.notebook.current import current_session\n"
            "from refvideo_nb.notebook.jobcard import JobCard\n"
            "from IPython.display import display\n"
            "made = [refvideo_nb.generate(f'ball {n}', model='x-ai/grok-imagine-video', duration=1,\n"
            "        resolution='480p', aspect_ratio='1:1') for n in range(20)]\n"
            "cards = [JobCard(current_session(), job.id) for job in made]\n"
            "for card in cards:\n"
            "    display(card.box)\n"
            "    card.start()\n"
        )
        lines = json.loads(kernel.ok("import json; print(json.dumps([c._line.model_id for c in cards]))").out)
        page = Page(kernel)
        polled = lambda: all("poll" in str(page.look().get(i, {}).get("value")) for i in lines)  # noqa: E731 - used once
        kernel.until(polled, "the first poll of each")
        heard = len(kernel.heard)
        busy = answers(kernel, 80)
        updates = [m for m in kernel.heard[heard:] if m["msg_type"] == "comm_msg"]
        assert {m["content"]["comm_id"] for m in updates} >= set(lines), "each card was updated meanwhile"
        held_api.finish()
        done = lambda: all("done" in str(page.look()[i]["value"]) for i in lines)  # noqa: E731 - used once
        ending = answers(kernel, 1000, during=lambda: not done())
        said = ", ".join(
            f"{name} {statistics.median(s) * 1e3:.0f}/{p95(s) * 1e3:.0f}/{max(s) * 1e3:.0f} ms"
            for name, s in (("idle", idle), ("20 cards", busy), ("20 at their end", ending))
        )
        print(f"\n1 + 1, median/p95/longest: {said}; the goal is {GOAL * 1e3:.0f} ms", end="")
        # As a ratio: how fast this machine is just now is nobody's business.
        assert p95(busy) < 20 * p95(idle), said
