"""Jobs outlive the process, and the command says the little that others need to find it."""

import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time

import httpx
import pytest

from refvideo_nb.simulator import Simulator
from refvideo_nb.simulator.cli import main
from refvideo_nb.simulator.faults.catalogue import explain

START = "import sys; from refvideo_nb.simulator.cli import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture
def start():
    """Start the command as a process of its own; its announcement and the process."""
    running = []

    def begin(*arguments, env=None):
        process = subprocess.Popen(
            [sys.executable, "-c", START, *map(str, arguments)], stdout=subprocess.PIPE, env=os.environ | (env or {})
        )
        running.append(process)
        return json.loads(process.stdout.readline()), process

    yield begin
    for process in running:
        process.kill()
        process.wait()
        process.stdout.close()


def _client(told):
    return httpx.Client(base_url=told["base_url"], headers={"Authorization": f"Bearer {told['api_key']}"})


def _finish(client, job_id):
    deadline = time.monotonic() + 30
    while (told := client.get(f"/videos/{job_id}").json())["status"] not in {"completed", "failed"}:
        assert time.monotonic() < deadline, told
        time.sleep(0.05)
    return told


def test_the_line_and_the_end(start, tmp_path):
    announcement = tmp_path / "announcement.json"
    told, process = start("--announce", announcement, "--seconds", "0")
    assert set(told) == {"base_url", "api_key", "pid"}
    assert told["pid"] == process.pid
    assert told["api_key"].startswith("sk-sim-")
    assert json.loads(announcement.read_text()) == told
    assert stat.S_IMODE(announcement.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["announcement.json"]
    host = told["base_url"].removesuffix("/api/v1")
    assert httpx.get(f"{host}/__sim__/health").json() == {"ok": True}
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == 0
    assert process.stdout.read() == b""  # one line, and nothing after it


def test_the_key_can_be_given(start):
    told, process = start(env={"REFVIDEO_SIMULATOR_KEY": "sk-sim-mine"})
    assert told["api_key"] == "sk-sim-mine"
    process.send_signal(signal.SIGINT)
    assert process.wait(5) == 0


def test_killed_and_started_again_it_knows_every_job(start, tmp_path, small, image):
    told, process = start("--state", tmp_path, "--seconds", "0")
    with _client(told) as client:
        done = client.post("/videos", json=small | {"input_references": [image()]}).json()["id"]
        _finish(client, done)
        film = client.get(f"/videos/{done}/content").content
        truth = client.get(f"/videos/{done}/truth").json()
        lost = client.post(
            "/videos", json=small | {"input_references": [{"type": "image_url", "image_url": {"url": "x"}}]}
        )
        failed = _finish(client, lost.json()["id"])
        waiting = [client.post("/videos", json=small | {"prompt": f"forest {n}"}).json()["id"] for n in range(2)]
    process.send_signal(signal.SIGKILL)
    process.wait()

    again, _ = start("--state", tmp_path, "--seconds", "0")
    assert again["base_url"] != told["base_url"]
    with _client(again) as client:
        assert client.get(f"/videos/{done}").json()["unsigned_urls"][0].startswith(again["base_url"])
        assert client.get(f"/videos/{done}/content").content == film
        assert client.get(f"/videos/{done}/truth").json() == truth
        assert client.get(f"/videos/{failed['id']}").json() == failed
        for job_id in waiting:
            assert _finish(client, job_id)["status"] == "completed"
            assert client.get(f"/videos/{job_id}/content").content[4:8] == b"ftyp"
        host = again["base_url"].removesuffix("/api/v1")
        assert client.get(f"{host}/__sim__/stats").json()["paid_jobs"] == 4
    assert not list(tmp_path.rglob("*.half"))


def test_a_job_without_its_last_file_was_never_accepted(tmp_path):
    with Simulator(state=tmp_path):
        (tmp_path / "jobs" / "gen-vid-1-half").mkdir()
        (tmp_path / "jobs" / "gen-vid-1-half" / "request.json").write_text("{")
    with Simulator(state=tmp_path) as simulator:
        assert simulator.stats()["paid_jobs"] == 0


def test_it_leaves_when_nobody_comes_but_not_before_a_job_is_done(start, small):
    told, process = start("--idle-timeout", "0.3", "--seconds", "0.9")
    with _client(told) as client:
        client.post("/videos", json=small)
    began = time.monotonic()
    assert process.wait(20) == 0
    assert time.monotonic() - began > 0.8


def test_it_stays_without_an_idle_timeout(start):
    _, process = start()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.6)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--fault", "poll:odd"],
        ["--signed-urls", "x"],
        ["--seconds", "-1"],
        ["--seconds", "soon"],
        ["--polling-url", "odd"],
    ],
)
def test_bad_options(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_a_state_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    command = [sys.executable, "-c", START, "--state", str(tmp_path / "file" / "state")]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(b"the simulator cannot run: ")
    assert b"Traceback" not in done.stderr


def test_closing_leaves_nothing(small, call, tmp_path):
    before = set(threading.enumerate())
    simulator = Simulator(seconds=0, state=tmp_path)
    with simulator:
        call(simulator).submit(**small)
    assert set(threading.enumerate()) == before
    assert simulator.api_key not in repr(simulator.settings)
    assert not [path for path in tmp_path.rglob("*") if simulator.api_key in path.name]


def test_a_taken_port_is_an_error_and_leaves_nothing():
    before = set(threading.enumerate())
    with Simulator() as simulator:
        port = int(simulator.base_url.split(":")[2].split("/")[0])
        with pytest.raises(OSError, match="in use"), Simulator(port=port):
            pass
    assert set(threading.enumerate()) == before


def test_two_simulators_do_not_share_a_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("refvideo_nb.simulator.lock._PATIENCE", 0.1)
    with (
        Simulator(state=tmp_path / "state"),
        pytest.raises(OSError, match="state is in use by another simulator; end that one"),
        Simulator(state=tmp_path / "state"),
    ):
        pass
    with Simulator(state=tmp_path / "state"):
        pass


def test_the_folder_of_a_killed_one_is_free(start, tmp_path):
    _, process = start("--state", tmp_path)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with Simulator(state=tmp_path):
        pass


def test_faults_and_signed_addresses_by_the_command(start, small):
    told, _ = start("--seconds", "0", "--signed-urls", "60", "--fault", "submit:503=1*2", "--fault", "poll:500")
    with _client(told) as client:
        assert [client.post("/videos", json=small).status_code for _ in range(3)] == [503, 503, 202]
        (job,) = client.get(told["base_url"].replace("/api/v1", "/__sim__/stats")).json()["accepted"]
        assert client.get(f"/videos/{job['id']}").status_code == 500
        assert len(_finish(client, job["id"])["urls"]) == 1


def test_the_list_of_faults_is_a_command_away(capsys):
    assert main(["--fault", "help"]) == 0
    assert capsys.readouterr().out == explain()
