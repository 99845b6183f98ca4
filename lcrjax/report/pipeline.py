"""The whole pipeline in one call: load, design, measure, train, analyse, draw and report."""

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lcrjax.data import Dataset, load
from lcrjax.report.figures.study_figures import write_figures
from lcrjax.report.page.study import study_page
from lcrjax.report.summary import ranking_frame, summarize_study
from lcrjax.study.design.config import StudyConfig
from lcrjax.study.design.presets import choose_study
from lcrjax.study.run.files import write_whole
from lcrjax.study.run.progress import StudyCallback, StudyProgress
from lcrjax.study.run.ray_blocks import reached
from lcrjax.study.run.runner import run_study
from lcrjax.study.run.store import check_folder

#: Names within a study's folder.
FIGURES = "figures"
PAGE = "report.html"
RANKING = "ranking.csv"
SUMMARY = "summary.json"


@dataclasses.dataclass(frozen=True, eq=False)
class StudyReport:
    """What a whole study leaves behind.

    Attributes:
        table: One row per subset, as `run_study` returns it.
        figures: Files of its figures.
        page: File of its page.
        summary: Its answer in short, as `summarize_study` returns it, which `summary.json` holds;
            `ranking.csv` beside it holds the rankings.
    """

    table: pd.DataFrame
    figures: list[Path]
    page: Path
    summary: dict[str, Any]


def conduct_study(
    sources: Sequence[str | Path | Dataset] = (),
    out: str | Path = "lcrjax-study",
    config: StudyConfig | str = "quick",
    *,
    resize: int | None = None,
    reading: Mapping[str, Any] | None = None,
    progress: StudyCallback | None = None,
    draw: Callable[[pd.DataFrame, Path], list[Path]] = write_figures,
    **parts: Any,
) -> StudyReport:
    """Do a whole study: load datasets, run it, draw its figures and write its page.

    If an earlier call was cut off, the same call resumes it.

    Args:
        sources: Datasets, or what `lcrjax.data.load` takes; none means those of the preset.
        out: The study's folder; see `run_study`.
        config: A configuration, or the name of a preset (a key of `lcrjax.study.PRESETS`).
        resize: Side in pixels to which the images of sources are resized.
        reading: Other keywords of `lcrjax.data.load`, for every source.
        progress: Called often with a `StudyProgress`; what it raises ends the study, with
            everything finished kept.
        draw: Draws a table's figures into a folder and returns their files.
        **parts: Other arguments of `run_study`: `measure`, `train`, `block_size`, `ray`,
            `allow_mixed`.

    Returns:
        The study's table, figures, page and summary.

    Raises:
        ValueError: If a preset, source or size cannot be used, or the folder holds something else;
            nothing was started then.
        FolderInUseError: If another process is at work in the folder.
        MachineError: As `run_study` does.
        OSError: If the disk is full or not writable; finished blocks are safe.
    """
    tell = progress or (lambda _: None)
    folder = Path(out)
    check_folder(folder)
    if isinstance(config, str):
        chosen, config = choose_study(sources, preset=config)
    else:
        chosen = list(sources)
    datasets = []
    with reached(parts.get("ray")):
        for source in chosen:
            if not isinstance(source, Dataset):
                tell(StudyProgress("loading", str(source)))
                source = load(source, resize=resize, **(reading or {}))
            datasets.append(source)
        table = run_study(datasets, folder, config, progress=progress, **parts)
    tell(StudyProgress("reporting", rows=len(table), total=len(table), share=1.0))
    summary = summarize_study(table)
    write_whole(folder / RANKING, ranking_frame(table).to_csv(index=False).encode())
    text = json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False)
    write_whole(folder / SUMMARY, f"{text}\n".encode())
    figures = draw(table, folder / FIGURES)
    page = folder / PAGE
    write_whole(page, study_page(folder, figures=figures).encode())
    return StudyReport(table, figures, page, summary)
