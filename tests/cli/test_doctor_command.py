import importlib.metadata
import json

import jax
import numpy as np
import pytest

from lcrjax import native
from lcrjax.cli import doctor_command
from lcrjax.cli.doctor_command import slow


def test_the_doctor_tells_what_is_here(run):
    result = run("doctor", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["versions"]["jax"] == jax.__version__
    assert found["devices"]["processors we may use"] == native.threads()
    used = found["devices"]["kernels in C"]
    assert used == native.in_words()
    assert used.startswith("used") == (native.absence() is None)
    text = run("doctor").stdout
    assert f"  jax: {jax.__version__}\n" in text
    for line in found["slow"]:
        assert f"  - {line}" in text


def test_what_is_slow_is_said_with_what_to_do(monkeypatch):
    why = native.Absence("there is no library", True)
    before = slow()
    with jax.debug_nans(True):
        monkeypatch.setattr(native, "absence", lambda: why)
        monkeypatch.setattr(native, "threads", lambda: 1)
        said = "\n".join(slow())
    assert "no kernels in C, there is no library" in said
    assert "unset JAX_DEBUG_NANS" in said
    assert "only one processor" in said
    assert "JAX_DEBUG_NANS" not in "\n".join(before)


def test_versions_are_those_of_the_distributions_requirements(run, monkeypatch):
    wanted = ["numpy>=1", "rich>=1; extra == 'study'", "a-package; extra == 'study'",
              "numpy; extra == 'text'", "x; extra == 'test'"]  # fmt: skip
    monkeypatch.setattr(doctor_command.importlib.metadata, "requires", lambda name: wanted)
    found = json.loads(run("doctor", "--json").stdout)
    assert list(found["versions"]) == ["python", "lcrjax", "jax", "jaxlib", "numpy"]
    rich = importlib.metadata.version("rich")
    assert found["extras"] == {
        "study": {"rich": rich, "a-package": "not installed"},
        "text": {"numpy": np.__version__},
    }
    text = run("doctor").stdout
    assert f"  study: lacks a-package (rich {rich})\n" in text
    assert f"  text: installed (numpy {np.__version__})\n" in text


def test_a_version_faults_with_what_is_installed_is_told(run, monkeypatch):
    monkeypatch.setattr(np, "__version__", f"v{np.version.version}")  # as some packages say it
    assert doctor_command.faults() == []
    monkeypatch.setattr(np, "__version__", "0.1")
    (said,) = doctor_command.faults()
    assert said.startswith(f"numpy is imported as 0.1, but installed as {np.version.version}: ")
    assert f"  - {said}\n" in run("doctor").stdout


def test_sizes_of_all_caches_are_told(monkeypatch, tmp_path):
    compiled = tmp_path / "compiled"
    (tmp_path / "more").mkdir()
    compiled.mkdir()
    for path, size in (("compiled/a", 1), ("b.npz", 2), ("more/c.npz", 3)):
        (tmp_path / path).write_bytes(bytes(size * 10**6))
    monkeypatch.setenv("LCRJAX_CACHE", str(tmp_path))
    monkeypatch.setattr(doctor_command, "_compiled", lambda: compiled)
    assert doctor_command._caches() == {
        "compiled programs": f"{compiled} (1 files, 1.0 MB)",
        "downloads": f"{tmp_path} (2 files, 5.0 MB)",
    }


@pytest.mark.parametrize("colour", [True, False])
def test_no_color_is_heeded(colour, monkeypatch):
    import io

    from rich.console import Console

    from lcrjax.report import print_summary

    monkeypatch.delenv("NO_COLOR", raising=False)
    if not colour:
        monkeypatch.setenv("NO_COLOR", "1")
    console = Console(file=io.StringIO(), force_terminal=True, color_system="standard")
    print_summary(console, {"models": [], "problems": {"auc": "it is constant"}, "notes": []})
    assert ("\x1b[33m" in console.file.getvalue()) == colour
