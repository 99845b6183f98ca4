"""Times of competing programs, taken in turn in one run, and their ratios."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import jax
from rich.console import Console
from rich.table import Table

REPEATS = 3
#: Source of a function that a process of its own calls.
PEAK = """
from pathlib import Path

def peak():
    "Largest resident set so far, MiB; Linux."
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
"""
TURN = 1.5  # seconds of a quick program's turn: cores may change their speed from one to the next


def seconds(program: Callable[[], Any], repeats: int = REPEATS) -> float:
    """Median wall time of a program after one call that compiles and warms caches."""
    jax.block_until_ready(program())
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(program())
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def in_turn(programs: dict[str, Callable[[], Any]], rounds: int = REPEATS) -> dict[str, float]:
    """Median wall times of programs that take turns, so that a busy minute meets them all.

    Each is called once to compile; a turn is one call, or `TURN` seconds of them, and programs of
    more than half a minute have one turn, which no warming up precedes.
    """
    times: dict[str, list[float]] = {}
    for name, program in programs.items():
        times[name] = [once(program)]
        if times[name][0] < TURN:  # compiled now, and quick to ask again
            times[name] = [once(program)]
    for _ in range(rounds):
        for name, program in programs.items():
            first = times[name][0]
            if first < 30:
                times[name] += [once(program) for _ in range(max(1, min(100, round(TURN / first))))]
    return {name: statistics.median(found[1:] or found) for name, found in times.items()}


def once(program: Callable[[], Any]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    jax.block_until_ready(program())
    return time.perf_counter() - start


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
