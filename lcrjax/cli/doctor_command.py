"""`lcrjax doctor`: what lcrjax finds on this machine, and what makes it slow."""

import importlib.metadata
import itertools
import os
import platform
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import typer

from lcrjax.cli.json_output import JSON, print_json
from lcrjax.cli.steps import QUIET

#: Packages that are told first, and what stands for the version of one that is missing.
_FIRST, _ABSENT = ("lcrjax", "jax", "jaxlib", "numpy"), "not installed"
#: Below this the next large tables do not fit.
_LITTLE_MEMORY = 2 * 1024**3
#: Settings of jax for finding faults, and what they cost.
_SLOW_SETTINGS = {
    "jax_disable_jit": "every operation runs on its own: unset JAX_DISABLE_JIT",
    "jax_debug_nans": "every result is checked for NaN: unset JAX_DEBUG_NANS",
    "jax_check_tracer_leaks": "every call traces its programs: unset JAX_CHECK_TRACER_LEAKS",
    "jax_disable_most_optimizations": "programs are compiled quickly and run slowly: "
    "unset JAX_DISABLE_MOST_OPTIMIZATIONS",
    "jax_enable_x64": "all but uint8 images are computed in 64 bits, about half as fast: "
    "unset JAX_ENABLE_X64",
}


def doctor(as_json: JSON = False, quiet: QUIET = False) -> None:
    """Say what lcrjax finds here: versions, extras, devices, kernels, caches, slowness, faults.

    Put its output into a report of a fault.

    Examples:
        lcrjax doctor
        lcrjax doctor --json
    """
    found = examined()
    if as_json:
        print_json(found)
        return
    for title, about in found.items():
        lines = about.items() if isinstance(about, dict) else (("", line) for line in about)
        typer.echo(f"{title}:")
        for name, value in lines:
            typer.echo(f"  {name}: {_said(value)}" if name else f"  - {value}")
        if not about:
            typer.echo("  nothing")


def examined() -> dict[str, Any]:
    """Look at versions, extras, devices, kernels, caches and settings."""
    import jax

    from lcrjax import native
    from lcrjax.native import gpu
    from lcrjax.numerics.memory import available_bytes

    on_gpu = jax.default_backend() == "gpu"
    required = _required()
    devices = [f"{d.platform}, {d.device_kind}" for d in jax.devices()]
    return {
        "versions": {
            "python": f"{platform.python_version()} ({platform.platform()})",
            **{name: _version(name) for name in dict.fromkeys((*_FIRST, *required.pop("")))},
        },
        "extras": {e: {name: _version(name) for name in own} for e, own in required.items()},
        "devices": {
            "jax computes on": "; ".join(dict.fromkeys(devices)) + f" ({len(devices)})",
            "processors we may use": native.threads(),
            "memory left": f"{available_bytes() / 2**30:.1f} GiB",
            "kernels in C": native.in_words(),
            **({"kernel for GPUs": _used(gpu.absence())} if on_gpu else {}),
        },
        "caches": _caches(),
        "slow": slow(),
        "faults": faults(),
    }


def _used(absence: Any) -> str:
    return "used" if absence is None else f"not used, {absence.why}"


def slow() -> list[str]:
    """What makes lcrjax slow here, and what to do: empty where nothing does."""
    import jax

    from lcrjax import native
    from lcrjax.native import gpu
    from lcrjax.numerics.memory import available_bytes

    said = []
    on_cpu = jax.default_backend() == "cpu"
    absence = native.absence()
    if absence is not None and on_cpu:
        said.append(f"Comparing and training, 2 to 20 times: no kernels in C, {absence.why}.")
    elif on_cpu and not native.complete():
        said.append("Training: it has no kernels in C, the processor has no AVX-512 VNNI.")
    if jax.default_backend() == "gpu" and (missing := gpu.absence()) is not None:
        said.append(f"Comparing images, 3 to 4 times: no kernel for the GPU, {missing.why}.")
    if on_cpu and Path("/proc/driver/nvidia").exists():
        said.append(
            "Training and comparing: there is an NVIDIA GPU, which jax does not use: "
            "pip install 'lcrjax[cuda]', and unset JAX_PLATFORMS."
        )
    elif on_cpu:
        said.append("Training on many large subsets: there is no GPU, which would be faster.")
    if native.threads() == 1:
        said.append("Everything: this process may use only one processor.")
    if available_bytes() < _LITTLE_MEMORY:
        said.append("Large tables: less than 2 GiB of memory is left, and they may be refused.")
    said += [
        f"Everything: {why}." for name, why in _SLOW_SETTINGS.items() if jax.config.values[name]
    ]
    folder = _compiled()
    if folder is None:
        said.append(
            "Every start: no compiled programs are kept: unset JAX_ENABLE_COMPILATION_CACHE."
        )
    elif not os.access(_there(folder), os.W_OK):
        said.append(f"Every start: compiled programs cannot be kept in {folder}: set LCRJAX_CACHE.")
    elif not any(path.is_file() for path in folder.glob("*")):
        said.append("The first run of each command: its programs are compiled, and then kept.")
    return said


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return _ABSENT


def _required() -> dict[str, list[str]]:
    """Packages that each extra needs, as the installed distribution says; "" is no extra."""
    wanted: dict[str, list[str]] = {"": []}
    try:
        requirements = importlib.metadata.requires("lcrjax") or []
    except importlib.metadata.PackageNotFoundError:
        return wanted
    for requirement in requirements:
        package, _, condition = requirement.partition(";")
        named = re.search(r"extra == ['\"](\w+)['\"]", condition)
        extra = named[1] if named else ""
        if extra not in ("test", "docs", "dev"):
            wanted.setdefault(extra, []).append(re.split(r"[^\w.-]", package.strip())[0])
    if "cuda" in wanted:
        wanted["cuda"].append("jax-cuda13-plugin")
    return wanted


def _said(packages: Any) -> Any:
    """What an extra lacks and has, in words; anything else stays as it is."""
    if not isinstance(packages, dict):
        return packages
    missing = [name for name, version in packages.items() if version == _ABSENT]
    there = ", ".join(f"{name} {v}" for name, v in packages.items() if v != _ABSENT)
    said = f"lacks {', '.join(missing)}" if missing else "installed"
    return f"{said} ({there})" if there else said


def faults() -> list[str]:
    """Packages that say one version where they are imported and another where they are installed.

    Then files of two versions lie in each other's way. Packages that are not imported yet count as
    sound.
    """
    said = []
    for name in ("lcrjax", "jaxlib", *dict.fromkeys(itertools.chain(*_required().values()))):
        imported = getattr(sys.modules.get(name.replace("-", "_")), "__version__", None)
        installed = _version(name)
        if isinstance(imported, str) and installed not in (imported.removeprefix("v"), _ABSENT):
            said.append(
                f"{name} is imported as {imported}, but installed as {installed}: install it again."
            )
    return said


def _caches() -> dict[str, str]:
    from lcrjax.cli.cache import cache_root

    folder, root = _compiled(), cache_root()
    kept = [] if folder is None else [*folder.rglob("*")]
    return {
        "compiled programs": "none" if folder is None else _sized(folder, kept),
        "downloads": _sized(root, set(root.rglob("*")) - {*kept}),
    }


def _sized(folder: Path, paths: Iterable[Path]) -> str:
    sizes = [path.stat().st_size for path in paths if path.is_file()]
    return f"{folder} ({len(sizes):,} files, {sum(sizes) / 1e6:,.1f} MB)"


def _compiled() -> Path | None:
    import jax

    values = jax.config.values
    folder = values["jax_compilation_cache_dir"]
    return Path(folder) if folder and values["jax_enable_compilation_cache"] else None


def _there(folder: Path) -> Path:
    """The folder, or the nearest above it that exists."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
