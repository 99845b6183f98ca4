"""Compiled programs are kept between runs, so that the next one starts sooner."""


def keep_compiled_programs() -> None:
    """Point jax's persistent compilation cache at the user's cache folder, unless it is set."""
    import jax
    import platformdirs

    if jax.config.jax_compilation_cache_dir is None:  # type: ignore[attr-defined]
        folder = platformdirs.user_cache_path("lcrjax", appauthor=False) / "compiled"
        jax.config.update("jax_compilation_cache_dir", str(folder))
