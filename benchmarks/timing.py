"""Times of competing programs, taken in turn in one run, and their ratios."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import jax
from rich.console import Console
from rich.table import Table

REPEATS = 3


def seconds(program: Callable[[], Any], repeats: int = REPEATS) -> float:
    """Median wall time of a program after one call that compiles and warms caches."""
    jax.block_until_ready(program())
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(program())
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def optional(name: str, load: Callable[[], Any]) -> Any:
    """What `load` returns, or None with a word about the package that is missing."""
    try:
        return load()
    except ImportError:
        Console().print(f"{name} is not installed and is left out.")
        return None


def show(title: str, rows: list[tuple[str, ...]], columns: tuple[str, ...]) -> None:
    """Print a table."""
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, justify="left" if column == columns[0] else "right")
    for row in rows:
        table.add_row(*row)
    Console(width=110).print(table)
