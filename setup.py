"""The build of the kernels in lcrjax/native/src (metadata: pyproject.toml).

They become two libraries, of which ctypes loads the one for the processor: `_kernels.so` in
`lcrjax/native` for AVX-512 VNNI, and `_kernels_avx2.so` of those that compare, for AVX2. They have
no module of Python inside and declare what they use of XLA themselves, so that they serve every
Python and every jax.

Without a C compiler, or for another processor, there are none, and lcrjax computes with XLA alone.
`LCRJAX_NATIVE=require` makes that an error, `LCRJAX_NATIVE=0` builds none.
"""

import os
import platform
import shutil
from pathlib import Path
from typing import Any

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError, LinkError

SOURCES = Path("lcrjax/native/src")
SWITCH = os.environ.get("LCRJAX_NATIVE", "1")


def missing(why: str) -> None:
    """Go on without kernels, unless they are required."""
    if SWITCH == "require":
        raise SystemExit(f"LCRJAX_NATIVE=require, but the kernels cannot be compiled: {why}")
    print(f"lcrjax is built without its kernels in C: {why}")


class BuildKernels(build_ext):
    """Compiles the library under a name without a Python in it."""

    def get_ext_filename(self, fullname: str) -> str:
        """Name the library, whatever Python builds it."""
        return os.path.join(*fullname.split(".")) + ".so"

    def build_extensions(self) -> None:
        """Compile where there is a compiler; what it cannot compile is an error."""
        compiler = self.compiler.compiler_so[0]
        if shutil.which(compiler) is None:
            missing(f"there is no C compiler {compiler!r}")
            self.extensions = []
        try:
            super().build_extensions()
        except (CompileError, LinkError) as error:
            raise SystemExit(
                f"the kernels in C cannot be compiled by {compiler!r} ({error}): name a newer "
                "compiler (CC=...), or install without kernels (LCRJAX_NATIVE=0)"
            ) from error


class PlatformWheel(bdist_wheel):
    """Names a wheel after its platform alone: no Python decides what is in it."""

    def get_tag(self) -> tuple[str, str, str]:
        """Return Python, ABI and platform."""
        return "py3", "none", super().get_tag()[2]


def kernels() -> list[Extension]:
    """The two libraries, for x86-64 on Linux."""
    if SWITCH == "0":
        return []
    if platform.machine().lower() not in ("x86_64", "amd64") or platform.system() != "Linux":
        missing(f"there are none for {platform.machine()} on {platform.system()}")
        return []
    comparing = [*SOURCES.glob("common/*.c"), *SOURCES.glob("pairwise/*.c")]
    return [
        library("_kernels", [*SOURCES.rglob("*.c")]),
        library("_kernels_avx2", comparing, define_macros=[("LCRJAX_AVX2", None)]),
    ]


def library(name: str, sources: list[Path], **more: Any) -> Extension:
    """One of them."""
    return Extension(
        f"lcrjax.native.{name}",
        sources=sorted(map(str, sources)),
        depends=sorted(map(str, SOURCES.rglob("*.h"))),
        include_dirs=[str(SOURCES)],
        extra_compile_args=["-O3", "-std=gnu11", "-fvisibility=hidden", "-pthread"],
        extra_link_args=["-pthread"],
        libraries=["m", "dl"],
        **more,
    )


setup(ext_modules=kernels(), cmdclass={"build_ext": BuildKernels, "bdist_wheel": PlatformWheel})
