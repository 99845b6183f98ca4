"""Formats that are not read, and what to do with them."""

from pathlib import Path

from lcrjax.data.errors import DataError, reading

_LFS = b"version https://git-lfs"
_TABLE = "save it as CSV or Parquet"
_ARRAYS = "save its arrays with numpy.savez_compressed"
_PICKLED = f"loading it could run any code, so where you trust it, {_ARRAYS}"
_ADVICE = {
    **dict.fromkeys((".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst"), "unpack it"),
    **dict.fromkeys((".pkl", ".pickle", ".pt", ".pth", ".joblib", ".rds", ".rdata"), _PICKLED),
    **dict.fromkeys((".xlsx", ".xls", ".ods", ".json", ".jsonl", ".arff", ".feather"), _TABLE),
    **dict.fromkeys((".arrow", ".sqlite", ".db", ".txt", ".data", ".dta", ".sav"), _TABLE),
    **dict.fromkeys((".mat", ".npk", ".safetensors", ".tfrecord", ".bin"), _ARRAYS),
    **dict.fromkeys(
        (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif", ".webp"),
        "give the folder that holds one folder of images per class",
    ),
}


def advice(path: Path) -> str:
    """Say what to do with a file that no source reads."""
    return _ADVICE.get(path.suffix.lower(), "save it with numpy.savez_compressed")


def check_fetched(path: Path) -> None:
    """Refuse a file that Git LFS put in the place of one that was not fetched.

    Raises:
        DataError: If it is one, or cannot be read.
    """
    with reading(path, "check its permissions"), path.open("rb") as stream:
        if stream.read(len(_LFS)) == _LFS:
            raise DataError(f"{path} is a pointer of Git LFS: fetch the file with git lfs pull.")
