"""Progress of long loops over pairs, told to whoever listens.

Functions that take long have an argument `progress`. Products with Z lie below many of them, and
below what jax transforms: these tell their shares here, and so need no argument on the way.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from importlib.util import find_spec
from typing import TypeVar

Item = TypeVar("Item")
#: Told the share of the work that is done, from 0 to 1.
Tell = Callable[[float], None]
_listener: ContextVar[Tell | None] = ContextVar("listener", default=None)


def listener() -> Tell | None:
    """Whoever is to be told in this thread, or None."""
    return _listener.get()


@contextlib.contextmanager
def telling(tell: Tell | None) -> Iterator[None]:
    """Tell somebody of the work in a `with` block, which may raise to end it; None for nobody."""
    token = _listener.set(tell)
    try:
        yield
    finally:
        _listener.reset(token)


@contextlib.contextmanager
def part(start: float | int, end: float | int) -> Iterator[None]:
    """Let the work in a `with` block be what lies between two shares of all that is told of."""
    tell = _listener.get()
    if tell is None:
        yield
        return
    tell(float(start))
    with telling(lambda share: tell(start + (end - start) * share)):
        yield
    tell(float(end))


def each(items: Sequence[Item]) -> Iterator[Item]:
    """Iterate, and tell the share of the items that is done; work on one tells nothing itself."""
    tell = _listener.get() or (lambda share: None)
    for place, item in enumerate(items):
        tell(place / len(items))
        yield item
    tell(1.0)


@contextlib.contextmanager
def bar(title: str, *, shown: bool = True) -> Iterator[None]:
    """Show the share that is told in a `with` block as a bar, on a terminal or in a notebook.

    Args:
        title: What is done.
        shown: Whether to show it. Where somebody listens already, there is no second bar.

    Raises:
        ValueError: If rich is not installed.
    """
    if not shown or _listener.get() is not None:
        yield
        return
    try:
        from rich.console import Console
        from rich.progress import Progress
    except ImportError as error:
        raise ValueError('progress=True needs rich: pip install "lcrjax[study]"') from error
    console = Console()
    if console.is_jupyter and find_spec("ipywidgets") is None:  # without which rich shows nothing
        console = Console(force_jupyter=False, force_terminal=True, width=80)
    with Progress(console=console) as drawn:
        task = drawn.add_task(title, total=1.0)
        with telling(lambda share: drawn.update(task, completed=share)):
            yield
        drawn.update(task, completed=1.0)
