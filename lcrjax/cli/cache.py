"""Cache of compiled programs between runs, so that the next one starts sooner."""

import os
from pathlib import Path


def keep_compiled_programs() -> None:
    """Point jax's persistent compilation cache at a folder of the user's, unless it is set.

    The folder is `compiled` under `LCRJAX_CACHE`, or under the operating system's place for caches.
    """
    import jax
    import platformdirs

    if jax.config.jax_compilation_cache_dir is None:  # type: ignore[attr-defined]
        default = platformdirs.user_cache_path("lcrjax", appauthor=False)
        folder = Path(os.environ.get("LCRJAX_CACHE") or default) / "compiled"
        jax.config.update("jax_compilation_cache_dir", str(folder))
