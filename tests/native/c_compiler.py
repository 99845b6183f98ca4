"""C as setup.py compiles it."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

import lcrjax

SOURCES = Path(lcrjax.__file__).parent / "native" / "src"
COMPILER = shlex.split(os.environ.get("CC", "cc"))


def compile_c(out, sources, *flags):
    """Compile as setup.py does; skip where there is no compiler."""
    if shutil.which(COMPILER[0]) is None:
        pytest.skip("no C compiler")
    given = shlex.split(os.environ.get("CFLAGS", ""))
    command = [*COMPILER, "-std=gnu11", "-pthread", *flags, *given, *map(str, sources), "-o", out]
    subprocess.run([*command, "-lm"], check=True)
    return out


def compile_library(out, sources, *flags):
    return compile_c(
        out, sources, "-shared", "-fPIC", "-fvisibility=hidden", f"-I{SOURCES}", *flags
    )
