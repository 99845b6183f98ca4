"""Cache of compiled programs between runs, so that the next one starts sooner."""

import os
from pathlib import Path


def cache_root() -> Path:
    """Folder of what is kept between runs: `LCRJAX_CACHE`, or the operating system's place."""
    import platformdirs

    default = platformdirs.user_cache_path("lcrjax", appauthor=False)
    return Path(os.environ.get("LCRJAX_CACHE") or default)


def keep_compiled_programs() -> None:
    """Point jax's persistent compilation cache at `compiled` in that folder, unless it is set."""
    import jax

    if jax.config.jax_compilation_cache_dir is None:  # type: ignore[attr-defined]
        jax.config.update("jax_compilation_cache_dir", str(cache_root() / "compiled"))
