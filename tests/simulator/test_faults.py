"""Everything that can go wrong on request, as a caller meets it."""

import email.utils
import json
import socket
import threading
import time
from urllib.parse import urlsplit

import httpx
import pytest

from refvideo_nb.simulator import Simulator
from refvideo_nb.simulator.faults import Fault, FaultBox
from refvideo_nb.simulator.faults.catalogue import KINDS, explain

REQUEST = {"model": "x-ai/grok-imagine-video", "prompt": "a quiet studio", "duration": 1, "resolution": "480p"}
LOST = (httpx.RemoteProtocolError, httpx.ReadError)


@pytest.fixture(scope="module")
def sim():
    with Simulator(seconds=0) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def client(sim):
    with httpx.Client(base_url=sim.base_url, headers={"Authorization": f"Bearer {sim.api_key}"}) as client:
        yield client


@pytest.fixture(scope="module")
def done(sim, client):
    """A finished job: its id and its film."""
    job_id = client.post("/videos", json=REQUEST).json()["id"]
    until = time.monotonic() + 60
    while client.get(f"/videos/{job_id}").json()["status"] != "completed":
        assert time.monotonic() < until
        time.sleep(0.02)
    return job_id, client.get(f"/videos/{job_id}/content").content


@pytest.fixture(autouse=True)
def clean(sim):
    yield
    sim.clear_faults()


@pytest.fixture
def ask(client, done):
    """Ask a route of the finished job."""
    paths = {"poll": f"/videos/{done[0]}", "content": f"/videos/{done[0]}/content", "models": "/videos/models"}

    def make(where, **more):
        if where == "submit":
            return client.post("/videos", json=REQUEST | {"previous_job_id": None}, **more)
        return client.get(paths[where], **more)

    return make


ROUTES = ("models", "submit", "poll", "content")


@pytest.mark.parametrize("where", ROUTES)
@pytest.mark.parametrize("what", ["drop-before", "drop-after", "reset-before", "reset-after", "reset", "truncate"])
def test_connections_end_before_or_after_the_request_is_carried_out(sim, ask, where, what):
    paid = sim.stats()["paid_jobs"]
    sim.inject(f"{where}:{what}", "job:endless*")
    with pytest.raises(LOST) as caught:
        ask(where)
    if what.startswith("reset"):
        assert isinstance(caught.value, httpx.ReadError)  # a real reset, not an orderly end
    accepted = where == "submit" and "before" not in what
    assert sim.stats()["paid_jobs"] == paid + accepted
    assert ask(where).is_success  # once, and no more


def test_a_reset_is_one_on_the_wire_too_and_comes_after_half_the_body(sim, done):
    job_id, film = done
    sim.inject("content:reset")
    with socket.create_connection(("127.0.0.1", sim.doors.api)) as line:
        line.sendall(
            f"GET /api/v1/videos/{job_id}/content HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Bearer {sim.api_key}\r\n\r\n".encode()
        )
        came = b""
        try:
            while chunk := line.recv(65536):
                came += chunk
        except ConnectionResetError:
            pass
        else:
            pytest.fail("an orderly end")
    body = came.partition(b"\r\n\r\n")[2]
    assert body == film[: len(film) // 2]


@pytest.mark.parametrize("where", ROUTES)
@pytest.mark.parametrize("status", [402, 429, 500, 503])
def test_statuses_with_the_envelope(sim, ask, where, status):
    paid = sim.stats()["paid_jobs"]
    sim.inject(f"{where}:{status}=7")
    answer = ask(where)
    assert answer.status_code == answer.json()["error"]["code"] == status
    assert answer.headers["retry-after"] == "7"
    assert answer.headers["x-refvideo-simulator"] == "1"
    assert sim.stats()["paid_jobs"] == paid


def test_a_bad_gateway_is_a_page(sim, ask):
    sim.inject("poll:502")
    answer = ask("poll")
    assert answer.status_code == 502
    assert answer.text.startswith("<!DOCTYPE html>")


def test_a_status_after_acceptance_is_a_paid_job(sim, ask):
    paid = sim.stats()["paid_jobs"]
    sim.inject("submit:500-after", "job:endless")
    assert ask("submit").status_code == 500
    assert sim.stats()["paid_jobs"] == paid + 1


def test_retry_after_as_a_date(sim, ask):
    sim.inject("poll:429=date:30")
    told = email.utils.parsedate_to_datetime(ask("poll").headers["retry-after"])
    assert 0 < told.timestamp() - time.time() < 31


@pytest.mark.parametrize(("where", "what"), [("content", "409*2"), ("content", "410*2"), ("poll", "500*2")])
def test_so_often_and_no_more(sim, ask, where, what):
    sim.inject(f"{where}:{what}")
    assert [ask(where).is_success for _ in range(4)] == [False, False, True, True]
    assert sim.faults() == [{"fault": f"{where}:{what}", "met": 2, "left": False}]


def test_any_route_and_for_ever(sim, ask):
    sim.inject("any:500*")
    assert {ask(where).status_code for where in (*ROUTES, *ROUTES)} == {500}
    sim.clear_faults()
    assert ask("poll").is_success


def test_slow_answers(sim, ask):
    sim.inject("poll:delay=0.3", "models:trickle=0.3")
    for where in ("poll", "models"):
        began = time.monotonic()
        assert ask(where).is_success
        assert time.monotonic() - began > 0.28
    sim.inject("poll:delay=600")
    with pytest.raises(httpx.ReadTimeout):
        ask("poll", timeout=0.1)


def test_waiting_ends_with_the_simulator(capsys):
    with Simulator(seconds=0, faults=["models:delay=600"]) as sim:
        failed = []

        def ask():
            try:
                httpx.get(f"{sim.base_url}/videos/models", timeout=60)
            except httpx.HTTPError as error:
                failed.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        while not sim.stats()["requests"]:
            time.sleep(0.01)
        began = time.monotonic()
    thread.join()
    assert time.monotonic() - began < 60  # and not ten minutes
    assert capsys.readouterr().err == ""


def test_spoilt_json(sim, ask, done):
    sim.inject("poll:malformed")
    with pytest.raises(json.JSONDecodeError):
        ask("poll").json()
    sim.inject("poll:wrong-types")
    assert ask("poll").json() == {
        "id": 17,
        "polling_url": 17,
        "status": 17,
        "generation_id": 17,
        "unsigned_urls": {"seventeen": 17},
        "usage": [17],
    }
    sim.inject("poll:wrong-types=usage,status")
    told = ask("poll").json()
    assert (told["id"], told["status"], told["usage"]) == (done[0], 17, [17])
    sim.inject("poll:empty", "poll:html", "content:html")
    assert ask("poll").content == b""
    for where in ("poll", "content"):
        page = ask(where)
        assert page.status_code == 200
        assert page.headers["content-type"].startswith("text/html")
        assert page.text.startswith("<!DOCTYPE html>")


def test_words_of_status(sim, ask):
    sim.inject("poll:status=dreaming", "submit:status=queued", "job:endless")
    assert ask("poll").json()["status"] == "dreaming"
    assert ask("submit").json()["status"] == "queued"


def test_addresses_that_lead_elsewhere(sim, ask, done):
    port, other = sim.doors.api, sim.doors.other
    expected = {
        "foreign": f"http://localhost:{other}",
        "port": f"http://127.0.0.1:{other}",
        "userinfo": f"http://127.0.0.1:{port}@localhost:{other}",
    }
    for place, origin in expected.items():
        sim.inject(f"poll:polling-url={place}")
        assert ask("poll").json()["polling_url"] == f"{origin}/api/v1/videos/{done[0]}"
        sim.inject(f"poll:unsigned-urls={place}", f"content:redirect={place}")
        for url in (ask("poll").json()["unsigned_urls"][0], ask("content").headers["location"]):
            assert url.startswith(f"{origin}/api/v1/videos/{done[0]}/content?")
            assert urlsplit(url).port == other
            assert httpx.get(url).content == done[1]  # no key needed there
    sim.inject("poll:polling-url=https://evil.invalid/x", "poll:unsigned-urls=none")
    assert ask("poll").json()["polling_url"] == "https://evil.invalid/x"
    assert "unsigned_urls" not in ask("poll").json()


def test_the_other_port_remembers_a_key_and_knows_no_faults(sim, done):
    url = f"http://localhost:{sim.doors.other}"
    sim.inject("any:500*")
    told = httpx.get(f"{url}/api/v1/videos/{done[0]}", headers={"Authorization": "Bearer stray"})
    assert told.status_code == 401
    assert sim.stats()["authorization_seen"][-1] == {
        "method": "GET",
        "path": f"/api/v1/videos/{done[0]}",
        "host": f"localhost:{sim.doors.other}",
    }


def test_a_fault_of_unsigned_urls_waits_for_them(sim, client, ask):
    sim.inject("poll:unsigned-urls=none", "job:endless")
    waiting = ask("submit").json()["id"]
    assert client.get(f"/videos/{waiting}").json()["status"] == "in_progress"
    assert sim.faults()[0]["met"] == 0
    assert "unsigned_urls" not in ask("poll").json()


def test_spoilt_files(sim, ask, done):
    film = done[1]
    sim.inject("content:cut")
    cut = ask("content")
    assert cut.content == film[: len(film) // 2]
    assert "content-length" not in cut.headers
    sim.inject("content:garbage")
    garbage = ask("content").content
    assert garbage[:32] == film[:32]
    assert len(garbage) == len(film)
    assert garbage != film
    assert ask("content", headers={"Range": "bytes=10-19"}).status_code == 206
    sim.inject("content:no-range")
    assert ask("content", headers={"Range": "bytes=10-19"}).content == film


@pytest.mark.parametrize(
    ("spec", "status", "error"),
    [
        ("job:failed", "failed", "The provider failed to generate the video"),
        ("job:failed=Reference 2 was refused * by all", "failed", "Reference 2 was refused * by all"),
        ("job:cancelled", "cancelled", None),
        ("job:expired=Too late", "expired", "Too late"),
        ("job:endless", "in_progress", None),
    ],
)
def test_how_jobs_end(sim, client, spec, status, error):
    sim.inject(spec)
    job_id = client.post("/videos", json=REQUEST).json()["id"]
    told = client.get(f"/videos/{job_id}").json()
    assert (told["status"], told.get("error")) == (status, error)
    content = client.get(f"/videos/{job_id}/content").status_code
    assert content == {"in_progress": 409, "expired": 410}.get(status, 404)


def test_an_ending_outlives_the_process_and_does_not_keep_it(tmp_path):
    def statuses(sim):
        with httpx.Client(base_url=sim.base_url, headers={"Authorization": f"Bearer {sim.api_key}"}) as client:
            return [client.get(f"/videos/{job['id']}").json()["status"] for job in sim.stats()["accepted"]]

    with Simulator(seconds=0, state=tmp_path, faults=["job:expired", "job:endless"]) as sim:
        with httpx.Client(base_url=sim.base_url, headers={"Authorization": f"Bearer {sim.api_key}"}) as client:
            for name in ("one", "two"):
                client.post("/videos", json=REQUEST | {"session_id": name})
        assert [job["session_id"] for job in sim.stats()["accepted"]] == ["one", "two"]
        assert statuses(sim) == ["expired", "in_progress"]
    with Simulator(seconds=0, state=tmp_path) as sim:
        assert statuses(sim) == ["expired", "in_progress"]
        time.sleep(0.05)
        assert sim.idle > 0


def test_the_clock_jumps():
    with Simulator(seconds=3600, faults=["job:failed", "poll:clock=7200", "poll:clock=-7200"]) as slow:
        headers = {"Authorization": f"Bearer {slow.api_key}"}
        with httpx.Client(base_url=slow.base_url, headers=headers) as client:
            job_id = client.post("/videos", json=REQUEST).json()["id"]
            told = [client.get(f"/videos/{job_id}").json()["status"] for _ in range(2)]
    assert told == ["failed", "pending"]


def test_faults_of_polls_need_a_job_that_exists(sim, client, ask):
    sim.inject("poll:500", "content:500")
    assert client.get("/videos/none").status_code == 404
    assert client.get("/videos/none/content").status_code == 404
    assert client.get("/videos/models").is_success
    assert ask("poll").status_code == ask("content").status_code == 500


def test_the_control_endpoint(sim, client, ask):
    url = sim.base_url.replace("/api/v1", "/__sim__/faults")
    assert httpx.get(url).status_code == httpx.post(url, json={"faults": []}).status_code == 401
    assert client.post(url, json={"faults": ["poll:500", "content:410*"]}).json() == {
        "faults": [
            {"fault": "poll:500", "met": 0, "left": True},
            {"fault": "content:410*", "met": 0, "left": True},
        ]
    }
    assert ask("poll").status_code == 500
    assert client.get(url).json() == {"faults": sim.faults()}
    assert client.delete(url).json() == {"faults": []}
    for body in ("{", "[]", "{}", '{"faults": 1}', '{"faults": ["poll:odd"]}', '{"faults": [["poll:500"]]}'):
        assert client.post(url, content=body).status_code == 400
    assert sim.faults() == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("odd", "not of the form"),
        ("odd:500", "'odd' is no place; allowed: models, submit"),
        ("poll:odd", "'odd' cannot happen to 'poll'; allowed: drop-before"),
        ("poll:NNN", "not of the form"),
        ("poll:300", "cannot happen"),
        ("poll:failed", "cannot happen"),
        ("job:500", "allowed: failed, cancelled, expired, endless"),
        ("poll:delay", "write it as poll:delay=S"),
        ("poll:delay=-1", "write it as"),
        ("poll:clock=nan", "write it as"),
        ("poll:429=soon", "write it as"),
        ("content:redirect=foriegn", "write it as content:redirect=PLACE"),
        ("poll:malformed=1", "write it as poll:malformed"),
        ("poll:500*0", "once or more"),
    ],
)
def test_misspelt_faults_are_refused_and_say_what_would_do(text, words):
    with pytest.raises(ValueError, match=words):
        Fault.parse(text)
    box = FaultBox()
    with pytest.raises(ValueError, match=words):
        box.inject(["poll:500", text])
    assert box.tell() == []  # all or none


def test_every_fault_is_explained_and_can_be_written_and_read_again():
    told = explain()
    values = {"": "", "=S": "=1.5", "[=S or =date:S]": "=date:2", "=PLACE": "=port", "=PLACE or =none": "=none"}
    for kind in KINDS:
        assert f"\n{kind.name}{kind.value}   (" in told
        name = kind.name.replace("NNN", "503")
        for times in ("", "*3", "*"):
            text = f"{kind.where[0]}:{name}{values.get(kind.value, '=word')}{times}"
            assert str(Fault.parse(text)) == text
