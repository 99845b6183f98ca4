import runpy
import sys

import jax
import pytest

import lcrjax
from lcrjax.cli.cache import keep_compiled_programs


@pytest.fixture
def place(monkeypatch, tmp_path):
    """Make a place for programs that LCRJAX_CACHE names, and give jax back its own in the end."""
    before = jax.config.jax_compilation_cache_dir
    monkeypatch.setenv("LCRJAX_CACHE", str(tmp_path))
    jax.config.update("jax_compilation_cache_dir", None)
    yield str(tmp_path / "compiled")
    jax.config.update("jax_compilation_cache_dir", before)


def test_the_package_run_as_the_command_keeps_compiled_programs(place, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["lcrjax", "--version"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("lcrjax", run_name="__main__")
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"lcrjax {lcrjax.__version__}\n")
    assert jax.config.jax_compilation_cache_dir == place


def test_a_place_that_the_user_chose_stays(place):
    jax.config.update("jax_compilation_cache_dir", "elsewhere")
    keep_compiled_programs()
    assert jax.config.jax_compilation_cache_dir == "elsewhere"
