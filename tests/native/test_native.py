import ctypes
import os
import shutil
import subprocess
import sys
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lcrjax
from lcrjax import native
from lcrjax.numerics.processors import x86_instructions
from tests.native.c_compiler import SOURCES, compile_c, compile_library

compiled = pytest.mark.skipif(not native.available(), reason="no compiled kernels for this machine")
capable = pytest.mark.skipif(
    not (x86_instructions() or set()) >= native._CPU_FLAGS, reason="a processor without AVX-512"
)
ASKS = """
#include <dlfcn.h>
int main(int count, char **given) {
  void *library = count > 1 ? dlopen(given[1], RTLD_NOW) : 0;
  int (*capable)(void) = library ? (int (*)(void))dlsym(library, "lcrjax_capable") : 0;
  return capable ? capable() : 2;
}
"""
HANDLER = """
#include "common/ffi.h"
LCRJAX_EXPORT XLA_FFI_Error *lcrjax_sums_of_bytes(XLA_FFI_CallFrame *frame) {
  LCRJAX_METADATA(frame);
  return lcrjax_error(frame, "never called");
}
"""


@compiled
def test_a_kernel_that_does_not_exist_is_an_error():
    with pytest.raises(AttributeError, match="lcrjax_nothing"):
        native.target("nothing")


@capable
def test_a_library_that_is_missing_or_none(tmp_path):
    found = native.load(tmp_path / "_kernels.so")
    assert found.surprising
    assert "there is no library" in found.why
    (tmp_path / "_kernels.so").write_bytes(b"no library")
    found = native.load(tmp_path / "_kernels.so")
    assert found.surprising
    assert "cannot be loaded" in found.why


@pytest.mark.parametrize("instructions", [{"avx2", "fma"}, set()], ids=["AVX2", "arm64"])
def test_processors_without_the_instructions_have_no_kernels(instructions, monkeypatch):
    """And are not told that it is a surprise."""
    monkeypatch.setattr(native, "x86_instructions", lambda: instructions)
    found = native.load(native.LIBRARY)
    assert found == native.Absence("the processor has no AVX-512 VNNI", False)


@pytest.mark.skipif(not native.LIBRARY.is_file(), reason="no compiled kernels")
@pytest.mark.skipif("sanitize" in os.environ.get("CFLAGS", ""), reason="not under sanitizers")
@pytest.mark.parametrize("processor", ["here", "Haswell", "EPYC", "Skylake-Server"])
def test_the_library_itself_knows_where_it_runs(processor, tmp_path):
    """An emulated processor ends the program at the first instruction that it does not have."""
    kernels = (x86_instructions() or set()) >= native._CPU_FLAGS and processor == "here"
    (tmp_path / "asks.c").write_text(ASKS)
    program = compile_c(tmp_path / "asks", [tmp_path / "asks.c"], "-ldl")
    emulator = [] if processor == "here" else ["qemu-x86_64", "-cpu", processor]
    if emulator and shutil.which(emulator[0]) is None:
        pytest.skip("no qemu-user")
    done = subprocess.run([*emulator, program, native.LIBRARY], stderr=subprocess.DEVNULL)
    assert done.returncode == kernels


@capable
def test_a_library_of_a_newer_interface_is_refused_and_the_backend_lives(tmp_path):
    newer = (SOURCES / "common/ffi.c").read_text().replace("= XLA_FFI_API_MINOR", "= 999")
    assert "999" in newer
    (tmp_path / "newer.c").write_text(newer.replace('"ffi.h"', '"common/ffi.h"') + HANDLER)
    library = tmp_path / "_kernels.so"
    compile_library(
        library,
        [tmp_path / "newer.c", *(SOURCES / f"common/{part}.c" for part in ("cancel", "cpu"))],
    )
    found = native.load(library)
    assert found.surprising
    assert "999" in found.why
    np.testing.assert_array_equal(jax.jit(jnp.sin)(jnp.zeros(3)), 0)


def test_absence_is_an_error_where_kernels_are_required_and_a_warning_where_they_surprise(
    monkeypatch,
):
    missing = native.Absence("there is no library", True)
    monkeypatch.setenv("LCRJAX_NATIVE", "require")
    with pytest.raises(RuntimeError, match="kernels in C cannot be used, there is no library"):
        native.verdict(missing, "kernels in C", "2 to 20")
    assert native.verdict(None, "kernels in C", "2 to 20")
    monkeypatch.setenv("LCRJAX_NATIVE", "1")
    with pytest.warns(RuntimeWarning, match="there is no library"):
        assert not native.verdict(missing, "kernels in C", "2 to 20")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not native.verdict(
            native.Absence("the processor has none", False), "kernels in C", "2 to 20"
        )


def run(code, switch):
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "LCRJAX_NATIVE": switch},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_kernels_can_be_turned_off():
    code = "from lcrjax import native; print(native.available(), native.absence().why)"
    assert run(code, "0") == "False switched off by LCRJAX_NATIVE=0"


def test_other_values_of_the_switch_are_an_error(monkeypatch):
    monkeypatch.setenv("LCRJAX_NATIVE", "off")
    with pytest.raises(ValueError, match="LCRJAX_NATIVE is 'off': set 0, 1 or require"):
        native.switch()


@compiled
def test_a_compiled_program_depends_on_the_switch(rng):
    """Also a program of the user's own, and what it calls."""
    images = jnp.asarray(rng.integers(0, 256, (40, 9), np.uint8))
    weights = jnp.ones((40, 1))
    calls = []

    @jax.jit
    def program(x):
        calls.append(native.available())
        return lcrjax.ordinariness(x, weights)

    kernel = program(images)
    with native.disabled():
        loops = program(images)
        assert "lcrjax_sums_of" not in program.lower(images).as_text()
    assert "lcrjax_sums_of" in program.lower(images).as_text()
    np.testing.assert_array_equal(program(images), kernel)
    assert calls[:2] == [True, False]
    np.testing.assert_allclose(kernel, loops, rtol=1e-5)


@compiled
def test_the_library_is_of_no_python():
    """It asks nothing of Python's own interface: one library serves all."""
    assert native.LIBRARY.name == "_kernels.so"
    with pytest.raises(AttributeError):
        ctypes.CDLL(str(native.LIBRARY)).PyInit__kernels  # noqa: B018
