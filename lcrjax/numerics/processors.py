"""The processor at hand: which instructions it has."""

import platform
from pathlib import Path


def x86_instructions() -> set[str] | None:
    """What Linux says that an x86-64 has, in its words: `avx2`, `avx512_vnni`.

    Returns:
        Nothing for a processor of another kind; None where another system does not say it.
    """
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return set()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((set(line.split()) for line in lines if line.startswith("flags")), None)
