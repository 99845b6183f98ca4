"""The page of a study: one HTML file with the ranking, the figures and where they come from."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from lcrjax.numerics.progress import each, part
from lcrjax.report.figures.study_figures import DPI, STUDY_FIGURES, write_figures
from lcrjax.report.figures.style import FAMILY_COLOURS
from lcrjax.report.page.explained import claimed, explained, headline
from lcrjax.report.page.provenance import datasets_studied, failed, unfinished
from lcrjax.report.page.rendering import data_uri, render
from lcrjax.report.tables import FEW_ROWS
from lcrjax.study.columns import TARGETS
from lcrjax.study.run.folder import read_description
from lcrjax.study.run.store import read_results

#: Dots to the inch of a figure on a page.
_PAGE_DPI = 112
#: Shares of the time after which the paper's claims and the figures begin, as in the panel.
_CLAIMS, _FIGURES = 0.15, 0.4


def study_page(
    folder: str | Path, *, figures: Sequence[str | Path] | None = None, resamples: int = 1000
) -> str:
    """Write a study's page: what explains performance, how surely, and where all that comes from.

    Whoever listens to `lcrjax.numerics.progress` is told the share that is done.

    Args:
        folder: A study's folder; of an unfinished study the finished rows are reported.
        figures: PNG files of its figures, such as `write_figures` wrote; None draws them.
        resamples: Bootstrap resamples of every interval.

    Returns:
        An HTML document without references to anything outside itself.

    Raises:
        ValueError: If the folder holds no study, or one without finished rows.
    """
    description = read_description(folder)
    decides, about = description["decides"], description.get("about", {})
    if "blocks" not in decides:
        raise ValueError(f"{folder} holds no study: name the folder of one.")
    table = read_results(folder)
    targets = sorted((t for t in TARGETS if t in table), key=lambda t: t != "bacc")
    with part(0, _CLAIMS):
        rankings = [explained(table, target, resamples) for target in each(targets)]
    with part(_CLAIMS, _FIGURES):
        claims = claimed(table, resamples)
    intervals = any(kind["intervals"] for found in rankings[:1] for kind in found["kinds"])
    with part(_FIGURES, 1):
        drawn = _drawn(table, intervals) if figures is None else _pictures(figures, intervals)
    planned = sum(sum(sum(k) for k in sizes.values()) for sizes in decides["blocks"].values())
    settings = {k: v for k, v in decides.items() if k != "blocks"}
    return render(
        "study.html",
        title=", ".join(sorted(decides["datasets"])),
        folder=Path(folder).resolve().name,
        rows=len(table),
        planned=planned,
        sizes=sorted(int(n) for n in table["n"].unique()),
        seconds=float(table["seconds"].sum()),
        headline=headline(rankings[0]) if rankings else "",
        rankings=rankings,
        intervals=intervals,
        figures=drawn,
        claims=claims,
        datasets=datasets_studied(table, decides["datasets"], about),
        failed=failed(table),
        n_failed=int(table["failure"].notna().sum()),
        unfinished=unfinished(table),
        config=json.dumps(settings, indent=2, ensure_ascii=False),
        versions=decides.get("versions", {}),
        device=decides.get("device", {}),
        colours=FAMILY_COLOURS,
        few_rows=FEW_ROWS,
    )


def _drawn(table: pd.DataFrame, intervals: bool) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as place:
        return _pictures(write_figures(table, place, suffixes=(".png",)), intervals)


def _pictures(files: Sequence[str | Path], intervals: bool) -> list[dict[str, Any]]:
    captions = {figure.name: figure.told(intervals) for figure in STUDY_FIGURES}
    found = []
    for file in map(Path, files):
        if file.suffix == ".png":
            with Image.open(file) as picture:
                width, height = (round(side * _PAGE_DPI / DPI) for side in picture.size)
            found.append(
                {
                    "uri": data_uri("image/png", file.read_bytes()),
                    "caption": captions.get(file.stem, file.stem),
                    "width": width,
                    "height": height,
                }
            )
    return found
