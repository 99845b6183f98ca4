"""Files of what was chosen: a list, an archive of arrays, or a folder of pictures."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from lcrjax.cli.outcome import check_writable
from lcrjax.cli.table_files import check_table, write_table

if TYPE_CHECKING:
    import pandas as pd

    from lcrjax.data import Dataset
    from lcrjax.selection import Selection

_NPZ = ".npz"
#: The list within a folder of pictures.
LIST = "selection.csv"
CHOSEN_HELP = (
    "A list of names, .csv, .parquet or .json; the elements themselves, .npz; or a new folder of "
    "the pictures: DATA's own files, or else PNG of 8 bits."
)


def refuse_existing(path: Path, *, overwrite: bool) -> None:
    """Refuse to replace a file unless that is wanted.

    Raises:
        ValueError: If it is there.
    """
    if path.exists() and not overwrite:
        raise ValueError(f"{path} already exists: name another, or give --overwrite")


def check_chosen(
    out: Path,
    dataset: "Dataset | None" = None,
    base: Path | None = None,
    *,
    overwrite: bool = True,
    link: bool = False,
) -> None:
    """Find out before long work whether what is chosen can be written.

    Args:
        out: Where to.
        dataset: Of what; None asks about the place alone.
        base: Where the files lie that the dataset's names say.
        overwrite: Whether a file may be replaced.
        link: Whether to link to those files.

    Raises:
        ValueError: If it cannot.
    """
    from lcrjax.data.writing import check_npz, check_pictures

    if dataset is not None:
        if out.suffix == _NPZ:
            check_npz(dataset)
        elif not out.suffix:
            check_pictures(dataset, base, link=link)
    elif not out.suffix:
        if out.is_file() or (out.is_dir() and any(out.iterdir())):
            raise ValueError(f"{out} already exists: name a new folder")
        check_writable(out.absolute().parent / f".{out.name}")
    else:
        if out.suffix == _NPZ:
            check_writable(out)
        else:
            try:
                check_table(out)
            except ValueError as error:
                raise ValueError(f"{error}; or in .npz, or name a folder") from None
        refuse_existing(out, overwrite=overwrite)


def write_chosen(
    out: Path, dataset: "Dataset", found: "Selection", base: Path | None, *, link: bool
) -> None:
    """Write what was chosen, in the order in which it was."""
    import numpy as np

    from lcrjax.data.writing import write_npz, write_pictures

    if out.suffix not in ("", _NPZ):
        write_table(listed(dataset, found), out)
        return
    train = dataset.train
    if train.names is None:  # whose places would be lost
        train = dataclasses.replace(train, names=np.arange(len(train)).astype(str))
    part = dataclasses.replace(dataset, train=train).take(found.indices)
    if out.suffix == _NPZ:
        write_npz(part, out)
    else:
        write_pictures(part, out, base, link=link)
        write_table(listed(dataset, found), out / LIST)


def listed(dataset: "Dataset", found: "Selection") -> "pd.DataFrame":
    """What was chosen as a table: order from 1, name, place from 0, class and objective by then."""
    import pandas as pd

    from lcrjax.data.classes import UNLABELLED

    places = found.indices.tolist()
    columns = {
        "order": range(1, len(places) + 1),
        "name": [dataset.train.name_of(i) for i in places],
        "index": places,
        "class": [dataset.class_names[c] for c in dataset.train_labels[found.indices].tolist()],
        "objective": found.values,
    }
    if dataset.class_names == (UNLABELLED,):
        del columns["class"]
    return pd.DataFrame(columns)
