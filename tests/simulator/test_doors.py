"""Who is let in, and how the API says no."""

import httpx
import pytest

MARK = "x-refvideo-simulator"


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/videos"), ("GET", "/videos/x"), ("GET", "/videos/x/content"), ("GET", "/videos/x/truth")],
)
def test_everything_but_the_model_list_needs_the_key(simulator, method, path):
    with httpx.Client(base_url=simulator.base_url) as client:
        missing = client.request(method, path)
        wrong = client.request(method, path, headers={"Authorization": "Bearer sk-or-v1-somebody"})
    assert missing.status_code == wrong.status_code == 401
    assert missing.json() == {"error": {"code": 401, "message": "Missing Authentication header"}}
    assert wrong.json() == {"error": {"code": 401, "message": "User not found."}}


def test_the_model_list_is_open_and_complete(simulator):
    listed = httpx.get(f"{simulator.base_url}/videos/models")
    assert set(listed.json()) == {"data"}
    assert len(listed.json()["data"]) == 15
    assert listed.headers[MARK] == "1"


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/api/v1/nothing", 404, "Resource not found"),
        ("DELETE", "/api/v1/videos", 405, "Method not allowed"),
        ("GET", "/api/v1/videos", 405, "Method not allowed"),
        ("GET", "/api/v1/videos/gen-vid-1-x", 404, "Video job gen-vid-1-x not found"),
        ("GET", "/api/v1/videos/gen-vid-1-x/content", 404, "Video job gen-vid-1-x not found"),
        ("GET", "/api/v1/videos/..%2f..%2fetc/content", 404, None),
    ],
)
def test_every_no_has_the_envelope_and_the_mark(api, method, path, status, message):
    answer = api.client.request(method, f"http://{api.client.base_url.netloc.decode()}{path}")
    assert answer.status_code == status
    assert answer.headers[MARK] == "1"
    error = answer.json()["error"]
    assert error["code"] == status
    assert message in {None, error["message"]}


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"model": NaN', b"[", b"[" * 100_000])
def test_malformed_json_is_a_400(api, body):
    answer = api.client.post("/videos", content=body)
    assert answer.status_code == 400
    assert answer.json() == {"error": {"code": 400, "message": "Invalid JSON in the request body"}}


def test_a_body_that_is_no_object_is_a_400(api):
    assert "must be a JSON object" in api.client.post("/videos", json=[1]).json()["error"]["message"]


def test_halves_of_characters_are_answered_too(api):
    answer = api.client.post("/videos", content=b'{"model": "\\ud800", "prompt": "p"}')
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "Model ? does not exist"


def test_a_crash_of_ours_is_an_envelope(simulator, api, monkeypatch):
    def broken(_self, _job_id):
        raise RuntimeError("inner secret")

    monkeypatch.setattr("refvideo_nb.simulator.studio.Studio.find", broken)
    answer = api.client.get("/videos/x")
    assert answer.status_code == 500
    assert answer.json() == {"error": {"code": 500, "message": "Internal Server Error"}}
    assert answer.headers[MARK] == "1"


def test_too_large_a_body_is_a_413(api):
    answer = api.client.post("/videos", content=b" " * (64 * 1024 * 1024 + 1))
    assert answer.status_code == 413
    assert answer.json()["error"]["message"] == "Request body too large. Maximum is 64 MB"


def test_stats_count_by_route_and_remember_where_a_key_was_seen(simulator, api):
    before = simulator.stats()
    api.client.get("/videos/gen-vid-7-unknown")
    httpx.get(f"{simulator.base_url}/videos/models")
    after = api.client.get(f"http://{api.client.base_url.netloc.decode()}/__sim__/stats").json()
    route = "GET /api/v1/videos/{id}"
    assert after["requests"][route] == before["requests"].get(route, 0) + 1
    assert {
        "method": "GET",
        "path": "/api/v1/videos/gen-vid-7-unknown",
        "host": api.client.base_url.netloc.decode(),
    } in after["authorization_seen"]
    assert all(seen["path"] != "/api/v1/videos/models" for seen in after["authorization_seen"])
    assert simulator.api_key not in str(after)
