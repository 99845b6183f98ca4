import json

import jax
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
    assert (used == "used") == (native.absence() is None)
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
    assert "one processor only" in said
    assert "JAX_DEBUG_NANS" not in "\n".join(before)


def test_an_extra_says_what_it_lacks(monkeypatch):
    wanted = ["a-package>=1; extra == 'study'", "numpy; extra == 'text'", "x; extra == 'test'"]
    monkeypatch.setattr(doctor_command.importlib.metadata, "requires", lambda name: wanted)
    assert doctor_command._extras() == {"study": "lacks a-package", "text": "installed"}


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
