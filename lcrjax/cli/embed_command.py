"""`lcrjax embed`: a dataset's images as a trained network sees them."""

from pathlib import Path
from typing import Annotated, Any

import typer

from lcrjax.cli.data_options import notes_of, read, reads_data
from lcrjax.cli.help_texts import DATA_HELP, RESIZE_HELP
from lcrjax.cli.json_output import JSON, print_json
from lcrjax.cli.outcome import check_writable, work_in
from lcrjax.cli.steps import QUIET, say


@reads_data
def embed(
    data: Annotated[str, typer.Argument(help=DATA_HELP)],
    model: Annotated[
        Path, typer.Option(help="Folder of a model that lcrjax train has trained.")
    ] = Path("lcrjax-train"),
    out: Annotated[
        Path,
        typer.Option(help="The file: .npz with labels and names, or .npy with a .csv beside it."),
    ] = Path("embeddings.npz"),
    resize: Annotated[int | None, typer.Option(help=RESIZE_HELP, min=1)] = None,
    as_json: JSON = False,
    quiet: QUIET = False,
    *,
    reading: dict[str, Any],
) -> None:
    """Write the layer before the last of a trained ResNet-18 for every image of a dataset.

    The file is DATA for lcrjax measure and lcrjax report, which compare embeddings by their cosine.
    A network that was trained on these labels pulls their classes apart: what it says of a
    dataset's diversity is in part what it was taught.

    Run the same command to resume, whatever stopped it.

    Examples:
        lcrjax embed digits --model lcrjax-train --out digits.npz
        lcrjax measure digits.npz
    """
    ending = f"interrupted; {out} was not written. Run the same command to go on from the last part"
    with work_in(out.parent, f"{ending} of some thousand images that was finished.") as work:
        import logging

        from rich.console import Console

        from lcrjax.cli.steps import choose_steps
        from lcrjax.study.run.embedding import embed_dataset

        check_writable(out)
        logging.getLogger("absl").setLevel(logging.ERROR)  # orbax warns of what is no concern here
        with choose_steps(Console(stderr=True), quiet=quiet) as show:
            dataset = read(data, quiet=quiet, show=show, resize=resize, test_fraction=0, **reading)
            work.ready = True
            show("embedding", 0.0)

            def tell(share: float) -> None:
                work.begin()
                show("embedding", share)

            written = embed_dataset(dataset, model, out, progress=tell)
        work.end()
    for path in written:
        say(f"Written: {path}", quiet=quiet)
    if as_json:
        files = dict(zip(("embeddings", "labels"), written, strict=False))
        print_json({"dataset": dataset.name, "notes": notes_of(dataset), "files": files})
