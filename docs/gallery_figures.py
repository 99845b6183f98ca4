"""Figures of lcrjax for the gallery, which finds those of pyplot by itself."""

from typing import Any

from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst


def scrape(block: Any, variables: dict[str, Any], settings: dict[str, Any]) -> str:
    """Save the figures that an example's block has made, and return what shows them.

    Args:
        block: Not looked at.
        variables: What sphinx-gallery knows of the example, its globals among them.
        settings: Of sphinx-gallery.
    """
    paths = []
    for value in variables["example_globals"].values():
        pyplots = getattr(value, "number", None) is not None
        if isinstance(value, Figure) and not pyplots and not hasattr(value, "kept"):
            value.kept = True  # type: ignore[attr-defined]
            paths.append(next(variables["image_path_iterator"]))
            value.savefig(paths[-1], dpi=110)
    return figure_rst(paths, settings["src_dir"])
