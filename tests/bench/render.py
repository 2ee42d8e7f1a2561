"""A simulator whose jobs take no time of their own: what is left is the rendering."""

import base64
import io
import json
import time
import urllib.request

from client import most_memory
from skimage import data

from refvideo_nb.simulator import Simulator


def ask(simulator, path, body=None):
    request = urllib.request.Request(f"{simulator.base_url}{path}", data=body)
    request.add_header("Authorization", f"Bearer {simulator.api_key}")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read()


def main():
    from PIL import Image

    png = io.BytesIO()
    Image.fromarray(data.chelsea()).save(png, "png")
    url = "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
    body = {
        "model": "bytedance/seedance-2.0-fast",
        "prompt": "[Image1] walks across a table",
        "duration": 4,
        "resolution": "720p",
        "aspect_ratio": "16:9",
        "generate_audio": False,
        "input_references": [{"type": "image_url", "image_url": {"url": url}}],
    }
    with Simulator(seconds=0) as simulator:
        start = time.perf_counter()
        job = json.loads(ask(simulator, "/videos", json.dumps(body).encode()))["id"]
        while json.loads(ask(simulator, f"/videos/{job}"))["status"] != "completed":
            time.sleep(0.02)
        film = ask(simulator, f"/videos/{job}/content?index=0")
        seconds = time.perf_counter() - start
        assert len(film) > 10_000
        print(json.dumps({"seconds": seconds, "memory": most_memory()}))


main()
