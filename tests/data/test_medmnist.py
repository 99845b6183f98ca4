"""MedMNIST by name: a registry on disk, a server on loopback."""

import hashlib
import http.server
import importlib.util
import sys
import threading

import numpy as np
import pytest

from lcrjax.data import DataError, load
from lcrjax.data.medmnist_index import index

pytest.importorskip("pooch")

INFO = """
import this_module_must_never_be_imported
INFO = {{
    "blobmnist": {{
        "python_class": "BlobMNIST",
        "url": "{base}/blobmnist.npz?download=1",
        "MD5": "{md5}",
        "url_64": "{base}/blobmnist_64.npz?download=1",
        "MD5_64": "{md5}",
        "task": "multi-class",
        "label": {{"10": "late", "2": "two", "0": "zero", "1": "one"}},
        "license": "CC BY 4.0",
    }},
    "chestmnist": {{"python_class": "ChestMNIST", "task": "multi-label, binary-class"}},
    "organmnist3d": {{"python_class": "OrganMNIST3D", "task": "multi-class"}},
}}
"""


class Server:
    """Serves one file, whole or cut off, and remembers what was asked for."""

    def __init__(self, content):
        self.content, self.cut, self.asked = content, None, []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append(self.path)
                self.send_response(200)
                self.send_header("Content-Length", str(len(outer.content)))
                self.end_headers()
                self.wfile.write(outer.content[: outer.cut])

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,))
        self.thread.start()

    def stop(self):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


@pytest.fixture
def server(save, arrays, tmp_path, monkeypatch):
    labels = {k: np.resize([0, 1, 2, 3], (len(arrays[k]), 1)) for k in arrays if "labels" in k}
    content = save(**labels).read_bytes()
    server = Server(content)
    package = tmp_path / "site" / "medmnist"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("import this_module_must_never_be_imported")
    md5 = hashlib.md5(content).hexdigest()
    (package / "info.py").write_text(INFO.format(base=server.base, md5=md5))
    monkeypatch.syspath_prepend(package.parent)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("LCRJAX_CACHE", str(tmp_path / "cache"))
    yield server
    server.stop()


def test_a_download_is_verified_kept_and_not_repeated(server, tmp_path):
    data = load("blobmnist")
    assert data.train_images.shape == (12, 5, 4)
    assert data.class_names == ("zero", "one", "two", "late")
    assert (data.name, data.licence) == ("blobmnist", "CC BY 4.0")
    assert "BlobMNIST" in data.source
    assert server.asked == ["/blobmnist.npz?download=1"]
    assert (tmp_path / "cache/blobmnist.npz").read_bytes() == server.content
    assert load("BlobMNIST").content_hash() == data.content_hash()
    assert len(server.asked) == 1
    assert "medmnist" not in sys.modules


def test_sizes_are_chosen_by_name_or_by_argument(server, tmp_path):
    assert load("blobmnist_64", cache=tmp_path / "here").name == "blobmnist_64"
    assert load("blobmnist", size=64, cache=tmp_path / "here").name == "blobmnist_64"
    assert server.asked == ["/blobmnist_64.npz?download=1"]
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["blobmnist_64.npz"]
    with pytest.raises(DataError, match="no size 224: it has 28, 64"):
        load("blobmnist", size=224)
    with pytest.raises(DataError, match="contradicts"):
        load("blobmnist_64", size=28)


def test_a_file_put_there_by_hand_is_taken(server, tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/blobmnist.npz").write_bytes(server.content)
    assert load("blobmnist").n_classes == 4
    assert server.asked == []


def test_a_damaged_file_in_the_cache_is_fetched_again(server, tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/blobmnist.npz").write_bytes(b"damaged")
    assert load("blobmnist").n_classes == 4
    assert len(server.asked) == 1


def fails(match, tmp_path, server):
    with pytest.raises(DataError, match=match) as caught:
        load("blobmnist")
    text = str(caught.value)
    assert f"{server.base}/blobmnist.npz" in text
    assert str(tmp_path / "cache" / "blobmnist.npz") in text
    assert "\n" not in text
    assert not list((tmp_path / "cache").iterdir()), "something was left behind"


def test_a_wrong_sum_leaves_nothing_behind(server, tmp_path):
    server.content = server.content[:-1] + b"?"
    fails("has not the expected MD5 sum", tmp_path, server)


def test_a_connection_cut_off_in_the_middle_leaves_nothing_behind(server, tmp_path):
    server.cut = len(server.content) // 2
    fails("cannot download", tmp_path, server)


def test_offline_the_error_says_what_to_fetch_and_where_to_put_it(server, tmp_path):
    server.stop()
    fails("cannot download .*by hand, put it at", tmp_path, server)
    server.stop = lambda: None


def test_a_folder_that_cannot_be_made_is_said(server, tmp_path):
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(DataError, match="cannot download"):
        load("blobmnist")


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("chestmnist", "several labels per image"),
        ("organmnist3d", "volumes"),
        ("blodmnist", "did you mean 'blobmnist'"),
        (
            "nothing",
            "give 'digits', a MedMNIST name .*, 'tfds:NAME'.* an .npz",
        ),
    ],
)
def test_names_that_do_not_serve(server, name, match):
    with pytest.raises(DataError, match=match):
        load(name)
    assert server.asked == []


def test_a_registry_that_is_none_is_refused(server, tmp_path):
    (tmp_path / "site/medmnist/info.py").write_text("INFO = make()")
    with pytest.raises(DataError, match="reinstall"):
        index()
    (tmp_path / "site/medmnist/info.py").write_text("OTHER = 1")
    with pytest.raises(DataError, match="no table INFO"):
        index()


def test_without_medmnist_names_are_known_and_the_way_to_install_it_is_said(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ImportError, match="pip install --no-deps medmnist"):
        index()
    with pytest.raises(DataError, match="pip install --no-deps medmnist"):
        load("bloodmnist")
    with pytest.raises(DataError, match="did you mean 'bloodmnist'"):
        load("bludmnist")


def test_the_progress_bar_runs_to_the_end_on_a_terminal(server, monkeypatch, capsys):
    pytest.importorskip("tqdm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    load("blobmnist")
    printed = capsys.readouterr()
    assert "100%" in printed.err
    assert printed.out == ""


def test_the_real_registry_is_read():
    if importlib.util.find_spec("medmnist") is None:
        pytest.skip("the medmnist package is not installed")
    blood = index()["bloodmnist"]
    assert blood["n_samples"]["train"] == 11_959
    assert blood["url"].startswith("https://")
    assert len(blood["label"]) == 8
    assert "medmnist" not in sys.modules
