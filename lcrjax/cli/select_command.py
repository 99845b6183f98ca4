"""`lcrjax select`: the elements of a dataset that are worth most together."""

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lcrjax.cli.chosen_files import CHOSEN_HELP, check_chosen, refuse_existing, write_chosen
from lcrjax.cli.completion import SIMILARITIES, words_of
from lcrjax.cli.data_options import notes_of, read, reads_data
from lcrjax.cli.help_texts import DATA_HELP, RESIZE_HELP, SIMILARITY_TO_CHOOSE_HELP
from lcrjax.cli.json_output import JSON, print_json
from lcrjax.cli.outcome import NO_DISK, check_writable, input_checked, interruptible, leave
from lcrjax.cli.steps import QUIET, say
from lcrjax.selection.objectives.words import WORDS, as_objective
from lcrjax.selection.quotas import BALANCES

if TYPE_CHECKING:
    from lcrjax.cli.steps import Show
    from lcrjax.data import Dataset
    from lcrjax.selection import Selection

_LETTERS = {"A": "alpha", "R": "normalized_rho", "G": "gamma"}


@reads_data
def select(
    data: Annotated[str, typer.Argument(help=DATA_HELP)],
    size: Annotated[
        int | None, typer.Option(help="How many to choose. Not needed if --balance gives counts.")
    ] = None,
    given: Annotated[
        str | None,
        typer.Option(
            metavar="DATA", help="Elements that you have and keep. The chosen ones add to them."
        ),
    ] = None,
    balance: Annotated[
        str | None,
        typer.Option(
            help=f"{', '.join(BALANCES)}, or how many of each class, such as cat=10,dog=20. "
            "By default balanced.",
            autocompletion=words_of("lcrjax.selection.quotas", "BALANCES"),
        ),
    ] = None,
    objective: Annotated[
        str,
        typer.Option(
            help=f"What to be good at: {', '.join(WORDS)}.",
            autocompletion=words_of("lcrjax.selection.objectives.words", "WORDS"),
        ),
    ] = "auto",
    similarity: Annotated[
        str | None, typer.Option(help=SIMILARITY_TO_CHOOSE_HELP, autocompletion=SIMILARITIES)
    ] = None,
    unlabelled: Annotated[
        bool,
        typer.Option(
            "--unlabelled",
            help="Choose without labels. DATA needs none: an .npy or .npz file alone, a table "
            "without their column, or pictures in one folder.",
        ),
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of a random choice.")] = 0,
    resize: Annotated[int | None, typer.Option(help=RESIZE_HELP, min=1)] = None,
    out: Annotated[Path | None, typer.Option(help=CHOSEN_HELP)] = None,
    link: Annotated[
        bool, typer.Option("--link", help="Fill a folder with links in place of copies.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="Also write a page, .html, about what was chosen and left.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace existing files, but no folder.")
    ] = False,
    as_json: JSON = False,
    quiet: QUIET = False,
    *,
    reading: dict[str, Any],
) -> None:
    """Choose the elements of a dataset that are worth most together: to label, to keep or to add.

    They are chosen from the training set. Their order counts: the first k are a selection too, as
    balanced as k allows. If DATA has a test set, .npz files and folders get it as well.

    Examples:
        lcrjax select digits --size 100 --out chosen.npz
        lcrjax select photos/ --resize 32 --size 500 --out chosen/ --link --report chosen.html
        lcrjax select embeddings.npy --unlabelled --size 200 --out chosen.csv
        lcrjax select new/ --given owned/ --resize 32 --balance cat=10,dog=40 --out to-add.csv
    """
    with interruptible("interrupted; nothing was written.") as work:
        from rich.console import Console

        from lcrjax.cli.steps import choose_steps
        from lcrjax.study.run.files import write_whole

        with input_checked():
            from lcrjax.numerics.progress import telling
            from lcrjax.similarity.spec import check_similarity

            as_objective(objective, seed)
            if similarity is not None:
                check_similarity(similarity)
            if unlabelled and balance is not None:
                raise ValueError("--unlabelled knows no classes: leave --balance out")
            shares, size = _shares(balance or BALANCES[0], size)
            if link and (out is None or out.suffix):
                raise ValueError("--link fills a folder: give --out a folder")
            if out is not None:
                check_chosen(out, overwrite=overwrite)
            if report is not None:
                if report.suffix != ".html":
                    raise ValueError(f"--report is {str(report)!r}: give a name that ends in .html")
                check_writable(report)
                refuse_existing(report, overwrite=overwrite)
        with choose_steps(Console(stderr=True), quiet=quiet) as show, input_checked():

            def tell(stage: str, share: float) -> None:
                work.check()
                show(stage, share)

            options = {
                "quiet": quiet,
                "resize": resize,
                "test_fraction": 0,
                "labelled": not unlabelled,
                **reading,
            }
            dataset = read(data, show=tell, **options)
            options.pop("labels", None)  # which are DATA's
            owned = None if given is None else read(given, show=tell, **options)
            base = _base(Path(data))
            if out is not None:
                check_chosen(out, dataset, base, link=link)
            found, said, in_blocks = _chosen(
                dataset, owned, size, shares, objective, similarity, unlabelled, seed, tell
            )
            stage = "measuring what was chosen"
            tell(stage, 0.0)
            with telling(functools.partial(tell, stage)):
                about = _summary(dataset, owned, found, (objective, said))
            page = ""
            if report is not None:
                from lcrjax.report import selection_page

                page = selection_page(dataset, found, alike=said, progress=tell)
    if as_json:
        print_json(about)
    else:
        _print(Console(), dataset, about, in_blocks)
    for path in (report, out):
        if path is None:
            continue
        try:
            if path is report:
                write_whole(path, page.encode())
            else:
                write_chosen(path, dataset, found, base, link=link)
        except OSError as error:
            leave(NO_DISK, f"cannot write {path}: {error}.")
        say(f"Written: {path}", quiet=quiet)


def _base(data: Path) -> Path | None:
    """Folder in which the files lie that elements' names say."""
    from lcrjax.data.delimited import SUFFIXES

    if data.is_dir():
        return data
    return data.parent if data.suffix.lower() in (*SUFFIXES, ".parquet") else None


def _shares(balance: str, size: int | None) -> tuple[str | dict[str, int], int]:
    """How many of each class, or a word for that, and how many of all."""
    if "=" in balance:
        counts: dict[str, int] = {}
        for part in balance.split(","):
            name, _, count = part.strip().rpartition("=")
            if not name or not count.strip().isdecimal() or name in counts:
                raise ValueError(
                    f"--balance holds {part!r}: give each class once, such as cat=10,dog=20"
                )
            counts[name] = int(count)
        return counts, sum(counts.values()) if size is None else size
    if balance not in BALANCES:
        raise ValueError(
            f"--balance is {balance!r}: give {', '.join(BALANCES)}, or counts such as cat=10,dog=20"
        )
    if size is None:
        raise ValueError("--size is not given: give how many to choose")
    return balance, size


def _chosen(
    dataset: "Dataset",
    owned: "Dataset | None",
    size: int,
    balance: str | dict[str, int],
    objective: str,
    similarity: str | None,
    unlabelled: bool,
    seed: int,
    tell: "Show",
) -> tuple["Selection", str, bool]:
    """Choose, and say by what similarity, and whether elements were read in blocks."""
    import numpy as np

    from lcrjax.numerics.streams import Stream
    from lcrjax.selection import select as choose
    from lcrjax.selection.scale import CHOOSING
    from lcrjax.similarity.in_blocks import large_as_stream
    from lcrjax.similarity.spec import check_similarity, describe_similarity

    if owned is not None and owned.kind != dataset.kind:
        raise ValueError(f"DATA holds {dataset.kind} and --given {owned.kind}: give one kind")
    word = similarity or CHOOSING[dataset.kind]
    check_similarity(word, dataset.kind)
    if owned is not None and word.startswith("file:"):
        raise ValueError(
            f"{word} has no similarities to the elements of --given: give another --similarity"
        )
    labels, there = None, None
    if not unlabelled:
        labels = np.array(dataset.class_names)[dataset.train_labels]
    if owned is not None:
        there = owned.train.elements
        if not unlabelled:
            there = there, np.array(owned.class_names)[owned.train_labels]
    elements = large_as_stream(word, dataset.train.elements)
    in_blocks = isinstance(elements, Stream)
    stage = f"choosing {size:,} of {len(dataset.train):,} {dataset.kind}"
    stage += ", read in blocks" * in_blocks
    tell(stage, 0.0)
    found = choose(
        elements,
        size,
        labels,
        similarity=word,
        objective=objective,
        balance=balance,
        given=there,
        seed=seed,
        progress=lambda share: tell(stage, share),
    )
    return found, describe_similarity(word, found.similarity, dataset.kind), in_blocks


def _summary(
    dataset: "Dataset", owned: "Dataset | None", found: "Selection", said: tuple[str, str]
) -> dict[str, Any]:
    """What is printed, and what --json prints."""
    import numpy as np

    known = found.class_names is not None
    letters = _LETTERS if known else {"G": "gamma"}
    pool = np.bincount(dataset.train_labels, minlength=dataset.n_classes).tolist()
    counts = dict(
        zip(found.class_names or (), [] if found.counts is None else found.counts, strict=True)
    )
    return {
        "dataset": dataset.name,
        "kind": dataset.kind,
        "pool": len(dataset.train),
        "given": 0 if owned is None else len(owned.train),
        "chosen": len(found),
        "objective": said[0],
        "aim": str(found.objective),
        "value": float(found.values[-1]),
        "similarity": said[1],
        "classes": {
            name: {"pool": count, "chosen": int(counts.get(name, 0))}
            for name, count in zip(dataset.class_names, pool, strict=True)
            if known
        },
        "diversity": {
            when: {
                f"{letter}_{q:g}": float(np.asarray(diversity.dataset_level[measure])[k])
                for letter, measure in letters.items()
                for k, q in enumerate(np.asarray(diversity.q).tolist())
            }
            for when, diversity in (("pool", found.before), ("chosen", found.after))
        },
        "indices": found.indices.tolist(),
        "notes": notes_of(dataset),
        "names": [dataset.train.name_of(i) for i in found.indices.tolist()],
        "values": [float(value) for value in found.values],
    }


def _print(console: Any, dataset: "Dataset", about: dict[str, Any], in_blocks: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    def line(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    beside = f", beside {about['given']:,} given" if about["given"] else ""
    line(f"{dataset.name}: {about['chosen']:,} of {about['pool']:,} {dataset.kind}{beside}.")
    aim = f" ({about['aim']})" if about["objective"] == "auto" else ""
    line(f"Objective: {about['objective']}{aim}, {about['value']:.4g} at the end")
    line(f"Similarity: {about['similarity']}" + "; elements were read in blocks" * in_blocks)
    if about["classes"]:
        table = Table()
        table.add_column("class")
        table.add_column("pool", justify="right")
        table.add_column("chosen", justify="right")
        for name, counts in about["classes"].items():
            table.add_row(Text(name), f"{counts['pool']:,}", f"{counts['chosen']:,}")
        console.print(table)
    table = Table()
    table.add_column("diversity")
    for when in about["diversity"]:
        table.add_column(when, justify="right")
    for key in about["diversity"]["pool"]:
        cells = [f"{values[key]:.4g}" for values in about["diversity"].values()]
        table.add_row(key, *cells, end_section=key.endswith("_inf"))
    console.print(table)
