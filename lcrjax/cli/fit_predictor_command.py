"""`lcrjax fit-predictor`: what a study tells of which of two datasets is better."""

from pathlib import Path
from typing import Annotated

import typer

from lcrjax.cli.completion import TARGETS
from lcrjax.cli.json_output import JSON, print_json
from lcrjax.cli.outcome import NO_DISK, input_checked, leave
from lcrjax.cli.steps import QUIET


def fit_predictor(
    folder: Annotated[Path, typer.Argument(help="The finished study's folder.")],
    features: Annotated[
        str | None,
        typer.Option(
            help="Features to predict from, such as class_signal,A_0[laplacian:0.5median]. By "
            "default size,CB_1. Features of images outside a subset need --target in "
            "`lcrjax compare`."
        ),
    ] = None,
    target: Annotated[
        str, typer.Option(help="What to predict: bacc, acc or auc.", autocompletion=TARGETS)
    ] = "bacc",
    as_json: JSON = False,
    quiet: QUIET = False,
) -> None:
    """Fit a predictor of which of two datasets makes the better model, and keep it with a study.

    The study needs three datasets or more: each is left out in turn, to learn how sure the
    predictor may be. The predictor is written to predictor.json in FOLDER. Use it with
    lcrjax compare A B --study FOLDER.

    Examples:
        lcrjax fit-predictor my-study
        lcrjax fit-predictor my-study --features class_signal,A_0[laplacian:0.5median]
    """
    with input_checked():
        from lcrjax.study.measuring.names import chosen
        from lcrjax.study.prediction.files import save_predictor
        from lcrjax.study.prediction.predictor import USUAL_FEATURES
        from lcrjax.study.prediction.predictor import fit_predictor as fit
        from lcrjax.study.run.folder import read_description
        from lcrjax.study.run.store import read_results

        decides = read_description(folder)["decides"]
        table = read_results(folder)
        wanted = USUAL_FEATURES if features is None else features.split(",")
        names = chosen(table, [word.strip() for word in wanted])
        predictor = fit(table, names, target, similarity=decides.get("similarity", "rmsd"))
    try:
        file = save_predictor(predictor, folder)
    except OSError as error:
        leave(NO_DISK, f"cannot write: {error}.")
    said = predictor.left_out
    if as_json:
        about = {"features": predictor.features, "target": target, "subsets": predictor.rows}
        about |= {"datasets": predictor.datasets, "left_out": said}
        print_json({**about, "files": {"predictor": file}})
        return
    typer.echo(
        f"A predictor by {' + '.join(predictor.features)} was fitted to {predictor.rows} models of "
        f"{len(predictor.datasets)} datasets. With each dataset left out in turn, it names the "
        f"better of two subsets in {100 * said['concordance']:.1f} % of pairs; its Brier score is "
        f"{said['brier']:.3f}, its calibration error {said['error']:.3f}."
    )
    typer.echo(f"Predictor: {file}")
