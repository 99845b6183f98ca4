"""The pages in a real browser: nothing fails or leaves the page, and pictures are there."""

import html
import json
import os
import re
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from lcrjax.report import selection_page
from lcrjax.selection import select
from tests.report.page.conftest import HOSTILE

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium to open pages in")

#: Reports what a reader would see, and uses what moves; it is not part of a page.
_PROBE = (Path(__file__).parent / "probe.js").read_text()


@pytest.fixture
def server():
    """A server of one page that notes whatever is asked of it."""
    asked, pages = [], {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            content = pages.get(self.path)
            self.send_response(200 if content else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write((content or "").encode())

        def log_message(self, *arguments):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{http.server_port}", pages, asked
    http.shutdown()


def opened(server, tmp_path, page):
    """Open a page on a wide screen, and with the probe on a narrow one.

    Returns:
        What the browser logged, what it asked for, and what the probe saw.
    """
    address, pages, asked = server
    allowed = re.sub("script-src '[^']*'", "script-src 'unsafe-inline'", page, count=1)
    allowed = allowed.replace('loading="lazy"', "")  # to be there when the probe looks
    pages["/page.html"] = page
    pages["/probed.html"] = allowed.replace("</body>", f"<script>{_PROBE}</script></body>")
    outputs = []
    for name, width in (("page", 1280), ("probed", 500)):
        done = subprocess.run(
            [
                CHROMIUM,
                "--headless",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                # Chromium keeps no sandbox as root, as in most containers.
                *(["--no-sandbox"] if os.name == "posix" and os.geteuid() == 0 else []),
                f"--user-data-dir={tmp_path / name}",
                f"--window-size={width},1600",
                "--enable-logging=stderr",
                "--dump-dom",
                f"{address}/{name}.html",
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        outputs.append(done)
    console = [line for line in outputs[0].stderr.splitlines() if ":CONSOLE" in line]
    seen = re.search(r"<title>seen (\{.*?\})</title>", outputs[1].stdout)
    assert seen, outputs[1].stderr[-2000:]
    return console, asked, json.loads(html.unescape(seen.group(1)))


def test_a_dataset_page(server, tmp_path, hostile_page):
    console, asked, seen = opened(server, tmp_path, hostile_page)
    assert console == []
    assert asked == ["/page.html", "/probed.html"]
    assert seen["decoded"] == seen["images"] > 30
    assert not seen["wider"], "the page is wider than the screen"
    assert seen["shown"] * 4 == seen["cells"]
    assert not seen["html"], "a name has become an element"
    assert HOSTILE[0] in seen["readout"]
    assert seen["readout"].startswith("A at q = ")
    assert "Similarity 0." in seen["pair"]
    assert seen["pressed"].startswith("A at q = 0.")  # one step from zero
    assert seen["enlarged"] == int(seen["enlarged"]) > 1  # its pixels stay squares
    assert HOSTILE[0] in seen["caption"]
    assert seen["sorted"] == ["9", "8", "7", "6"]


def test_a_selection_page(server, tmp_path, hostile):
    found = select(hostile.train_images, 12, np.array(hostile.class_names)[hostile.train_labels])
    console, asked, seen = opened(server, tmp_path, selection_page(hostile, found))
    assert console == []
    assert asked == ["/page.html", "/probed.html"]
    assert seen["decoded"] == seen["images"] > 20
    assert not seen["wider"]
    assert not seen["html"], "a name has become an element"


def test_a_study_page(server, tmp_path, study_text):
    console, asked, seen = opened(server, tmp_path, study_text)
    assert console == []
    assert asked == ["/page.html", "/probed.html"]
    assert seen["decoded"] == seen["images"] > 2
    assert not seen["wider"]
    values = [float(value) for value in seen["sorted"]]
    assert values == sorted(values, reverse=True)
