"""Whether there is a kernel for GPUs, and why not."""

import ctypes
import types

import jax
import pytest

from lcrjax import native
from lcrjax.native import gpu


@pytest.fixture
def afresh():
    """What is known of the GPU is forgotten, before and after."""
    for known in (gpu._loaded, gpu._usable):
        known.cache_clear()
    yield
    for known in (gpu._loaded, gpu._usable):
        known.cache_clear()


def absence(monkeypatch, *capabilities):
    """Where jax has such GPUs."""
    devices = [types.SimpleNamespace(compute_capability=c) for c in capabilities]
    monkeypatch.setattr(jax, "local_devices", lambda backend: devices)
    monkeypatch.setenv("LCRJAX_NATIVE", "1")
    return gpu.absence()


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="there is a GPU")
def test_none_without_a_gpu(afresh, monkeypatch):
    assert not gpu.available()
    monkeypatch.setenv("LCRJAX_NATIVE", "1")
    assert gpu.absence() == native.Absence("jax has no NVIDIA GPU", False)


def test_none_where_kernels_are_switched_off(afresh, monkeypatch):
    monkeypatch.setenv("LCRJAX_NATIVE", "0")
    assert gpu.absence() == native.Absence("switched off by LCRJAX_NATIVE=0", False)


@pytest.mark.parametrize("capabilities", [["7.5"], ["8.0", "9.0"]])
def test_none_for_old_gpus_and_several_kinds(afresh, monkeypatch, capabilities):
    found = absence(monkeypatch, *capabilities)
    assert capabilities[0] in found.why
    assert not found.surprising


@pytest.mark.skipif(not native.LIBRARY.is_file(), reason="no compiled kernels")
def test_what_is_missing_surprises(afresh, monkeypatch):
    def missing(name):
        raise OSError(name)

    library = ctypes.CDLL(str(native.LIBRARY))
    monkeypatch.setattr(
        ctypes, "CDLL", lambda name: library if name == str(native.LIBRARY) else missing(name)
    )
    found = absence(monkeypatch, "9.0")
    assert found == native.Absence("NVRTC is missing: pip install nvidia-cuda-nvrtc", True)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    with pytest.warns(RuntimeWarning, match="computing without the kernel for GPUs"):
        assert not gpu.available()


def test_is_compiled_where_there_is_a_compiler():
    """For every kind of GPU; needs no GPU."""
    try:
        gpu._nvrtc()
    except RuntimeError:
        pytest.skip("NVRTC is not installed")
    for capability in ("8.0", "8.9", "9.0", "10.0"):
        assert gpu.compiled(capability).startswith(b"\x7fELF")
