"""Predictors in files of JSON, beside the study that they were fitted to."""

import dataclasses
import json
from pathlib import Path

from lcrjax.study.prediction.predictor import FittedPredictor
from lcrjax.study.prediction.sides import check_measures
from lcrjax.study.run.files import write_whole

PREDICTOR = "predictor.json"
#: Of the file's form.
FORM = 1


def save_predictor(predictor: FittedPredictor, path: str | Path) -> Path:
    """Write a predictor, whole or not at all.

    Args:
        predictor: What `fit_predictor` returned.
        path: The study's folder, or a file to write.

    Returns:
        The file.

    Raises:
        OSError: If it cannot be written.
    """
    file = _file(path)
    values = {"form": FORM, **dataclasses.asdict(predictor)}
    write_whole(file, json.dumps(values, indent=2, ensure_ascii=False).encode())
    return file


def load_predictor(path: str | Path) -> FittedPredictor:
    """Read a predictor that `save_predictor` wrote.

    Args:
        path: The study's folder, or the file.

    Raises:
        ValueError: If there is none, it is of another form, or it needs measures that this version
            does not know.
    """
    file = _file(path)
    if not file.is_file():
        raise ValueError(
            f"{path} holds no predictor: fit one by lcrjax fit-predictor, or name another study"
        )
    try:
        values = json.loads(file.read_bytes())
        form = values.pop("form")
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise ValueError(f"{file} is no predictor ({error}): fit it again") from None
    if form != FORM:
        raise ValueError(
            f"{file} is a predictor of form {form!r}, and this version of lcrjax reads form {FORM}:"
            " fit it again"
        )
    names = {field.name for field in dataclasses.fields(FittedPredictor)}
    if set(values) != names:
        differing = ", ".join(sorted(set(values) ^ names))
        raise ValueError(f"{file} lacks or has too much of {differing}: fit it again")
    for name in ("features", "coefficients", "datasets"):
        values[name] = tuple(values[name])
    values["ranges"] = {name: tuple(ends) for name, ends in values["ranges"].items()}
    check_measures(values["features"])
    return FittedPredictor(**values)


def _file(path: str | Path) -> Path:
    path = Path(path)
    return path if path.suffix == ".json" else path / PREDICTOR
