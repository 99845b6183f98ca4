"""Compile the kernels in lcrjax/native/src where there is a C compiler (metadata: pyproject.toml).

They are optional: without a compiler, or on another processor, lcrjax computes with XLA alone.
"""

import platform
from pathlib import Path

from setuptools import Extension, setup

SOURCES = Path("lcrjax/native/src")


def kernels() -> list[Extension]:
    """The one extension, loaded with ctypes: it has no module of Python inside."""
    if platform.machine().lower() not in ("x86_64", "amd64") or platform.system() == "Windows":
        return []
    try:
        import jaxlib
    except ImportError:
        return []
    return [
        Extension(
            "lcrjax.native._kernels",
            sources=sorted(map(str, SOURCES.glob("*.c"))),
            depends=sorted(map(str, SOURCES.glob("*.h"))),
            include_dirs=[str(Path(jaxlib.__file__).parent / "include")],
            extra_compile_args=["-O3", "-std=gnu11", "-fvisibility=hidden", "-pthread"],
            extra_link_args=["-pthread"],
            libraries=["m"],
            optional=True,
        )
    ]


setup(ext_modules=kernels())
