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
from lcrjax.pairwise.native_product import serve_host
from tests.native.c_compiler import SOURCES, compile_c, compile_library

compiled = pytest.mark.skipif(not native.available(), reason="no compiled kernels for this machine")
capable = pytest.mark.skipif(
    not (x86_instructions() or set()) >= native._CPU_FLAGS, reason="a processor without AVX-512"
)
AVX512 = native._CPU_FLAGS, "AVX-512 VNNI"
LIBRARIES = [native.LIBRARY, native.AVX2_LIBRARY]
# Says whether the processor has what a library needs, and computes Z w of given elements if so.
ASKS = """
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
enum { N = 70, D = 41 };
static float floats[N * D], weights[N], out[N];
static uint8_t bytes[N * D];
int main(int count, char **given) {
  void *library = count > 1 ? dlopen(given[1], RTLD_NOW) : 0;
  int (*capable)(void) = library ? (int (*)(void))dlsym(library, "lcrjax_capable") : 0;
  if (!capable) return 2;
  if (!capable()) return 0;
  int (*sums)(int, const void *, int64_t, const void *, int64_t, int64_t, int64_t, const float *,
              int64_t, int, float, int, float *) = dlsym(library, "lcrjax_sums_now");
  for (int i = 0; i < N; i++) weights[i] = 1;
  for (int i = 0; i < N * D; i++) bytes[i] = i % 7 ? 0 : i * 89 % 251, floats[i] = i * 89 % 251;
  for (int kind = 0; kind < 2; kind++) {
    sums(kind, kind ? (void *)floats : bytes, N, 0, N, 0, D, weights, 1, 0, 0.01f, 1, out);
    for (int i = 0; i < N; i++) printf("%.9g ", (double)out[i]);
  }
  return 1;
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
    found = native.load(tmp_path / "_kernels.so", *AVX512)
    assert found.surprising
    assert "there is no library" in found.why
    (tmp_path / "_kernels.so").write_bytes(b"no library")
    found = native.load(tmp_path / "_kernels.so", *AVX512)
    assert found.surprising
    assert "cannot be loaded" in found.why


@pytest.mark.parametrize("instructions", [{"sse4_2"}, set()], ids=["SSE", "arm64"])
def test_processors_without_the_instructions_have_no_kernels(instructions, monkeypatch):
    """And are not told that it is a surprise."""
    monkeypatch.setattr(native, "x86_instructions", lambda: instructions)
    monkeypatch.setenv("LCRJAX_NATIVE", "1")
    assert native.library.__wrapped__() == native.Absence("the processor has no AVX2", False)


@compiled
@pytest.mark.parametrize(("switch", "has"), [("1", {"avx2", "fma"}), ("avx2", native._CPU_FLAGS)])
def test_the_kernels_for_avx2_compare_and_do_not_train(switch, has, monkeypatch):
    """Chosen by the processor, or asked for."""
    monkeypatch.setattr(native, "x86_instructions", lambda: has)
    monkeypatch.setattr(native, "_register", lambda *given: "of the other library")
    monkeypatch.setenv("LCRJAX_NATIVE", switch)
    library = native.library.__wrapped__()
    monkeypatch.setattr(native, "library", lambda: library)
    assert native.available()
    assert not native.complete()
    assert native.in_words().endswith("those for AVX2")
    vectors = np.eye(3, dtype="f4")
    for similarity in (lcrjax.RMSD(), lcrjax.Cosine()):
        assert serve_host(similarity, vectors)


@pytest.mark.skipif(not native.LIBRARY.is_file(), reason="no compiled kernels")
@pytest.mark.skipif("sanitize" in os.environ.get("CFLAGS", ""), reason="not under sanitizers")
@pytest.mark.parametrize(
    "library", [native.LIBRARY, native.AVX2_LIBRARY], ids=lambda path: path.stem
)
@pytest.mark.parametrize("processor", ["here", "SandyBridge", "Haswell", "EPYC", "Skylake-Server"])
def test_a_library_itself_knows_where_it_runs(processor, library, tmp_path):
    """An emulated processor ends the program at the first instruction that it does not have."""
    own = native._AVX2_FLAGS if library == native.AVX2_LIBRARY else native._CPU_FLAGS
    kernels = processor != "SandyBridge" and library == native.AVX2_LIBRARY
    if processor == "here":
        kernels = (x86_instructions() or set()) >= own
    (tmp_path / "asks.c").write_text(ASKS)
    program = compile_c(tmp_path / "asks", [tmp_path / "asks.c"], "-ldl")
    emulator = [] if processor == "here" else ["qemu-x86_64", "-cpu", processor]
    if emulator and shutil.which(emulator[0]) is None:
        pytest.skip("no qemu-user")
    command = [*emulator, program, library]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert done.returncode == kernels
    if kernels:
        i = np.arange(70 * 41)
        floats = (i * 89 % 251).astype(float)
        both = [np.where(i % 7, 0, floats).reshape(70, 41), floats.reshape(70, 41)]
        z = [np.exp(-0.01 * np.linalg.norm(x[:, None] - x, axis=2)) for x in both]
        wanted = np.concatenate([each.sum(axis=1) for each in z])
        np.testing.assert_allclose(np.array(done.stdout.split(), float), wanted, rtol=1e-5)


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
    found = native.load(library, *AVX512)
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
    with pytest.raises(ValueError, match="LCRJAX_NATIVE is 'off': set 0, 1, require or avx2"):
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
    for library in LIBRARIES:
        assert library.suffixes == [".so"]
        with pytest.raises(AttributeError):
            ctypes.CDLL(str(library)).PyInit__kernels  # noqa: B018
