"""Templates filled in: one HTML file that needs nothing else."""

import base64
import functools
import hashlib
import math
import shlex
import sys
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from lcrjax import __version__

_FOLDER = "templates"
#: Most characters of an element's name that are shown.
LONGEST_NAME = 32


def render(template: str, **values: Any) -> str:
    """Fill a template in; values are escaped wherever they stand.

    The page forbids itself to load anything and to run any script but its own, by a content
    security policy that names that script's hash. So even a flaw in a template could not run a
    class's name. It tells the day, and the command where one made it.

    Args:
        template: Name of a file in `lcrjax/report/templates`.
        **values: What the template shows.

    Returns:
        A whole HTML document.
    """
    script = _text("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    parts = {"style": Markup(_text("page.css")), "script": Markup(script), "script_hash": digest}
    made = {"version": __version__, "date": f"{datetime.now(UTC):%d %B %Y}", "command": _command()}
    return _environment().get_template(template).render(**made, **parts, **values)


def _command() -> str:
    """The command that this process runs, if it is one of ours."""
    name = Path(sys.argv[0])
    ours = name.stem == "lcrjax" or name.parts[-2:] == ("lcrjax", "__main__.py")
    return shlex.join(["lcrjax", *sys.argv[1:]]) if ours else ""


def data_uri(kind: str, content: bytes) -> str:
    """Write a file's content as an address that a page carries within itself."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def significant(value: float | int | None, digits: int = 4) -> str:
    """Write a number to so many significant digits; a dash for none, the sign for infinity."""
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    exponent = math.floor(math.log10(abs(value))) if value else 0
    if -4 <= exponent < 7:
        text = f"{value:,.{max(0, digits - 1 - exponent)}f}"
    else:
        text = f"{value:.{digits - 1}e}"
    return text.replace("-", "−")


def duration(seconds: float | int) -> str:
    """Write a duration in the unit in which one speaks of it."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds:.2g} s"


def whole(value: float | int) -> str:
    """Write a whole number with thousands set apart."""
    return f"{int(value):,}"


def percent(value: float | int) -> str:
    """Write a share as a percentage."""
    return "–" if math.isnan(value) else f"{100 * value:.3g} %"


def short(name: str) -> str:
    """Write a long name without its middle: folders and numbers stand at the ends."""
    half = (LONGEST_NAME - 1) // 2
    return name if len(name) <= LONGEST_NAME else f"{name[:half]}…{name[-half:]}"


@functools.cache
def _text(name: str) -> str:
    return (resources.files("lcrjax.report") / _FOLDER / name).read_text(encoding="utf-8")


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("lcrjax.report", _FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        significant=significant, whole=whole, percent=percent, duration=duration, short=short
    )
    return environment
