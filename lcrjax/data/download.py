"""Downloads: a file fetched once, verified and kept."""

import importlib.util
import os
import sys
from pathlib import Path

from lcrjax.data.errors import DataError, need, reason

VARIABLE = "LCRJAX_CACHE"


def cache_folder(cache: str | Path | None = None) -> Path:
    """Return the folder that downloads are kept in.

    Args:
        cache: The folder itself; None takes the environment variable `LCRJAX_CACHE`, or else the
            place for caches that the operating system proposes.

    Raises:
        ImportError: If `pooch` is needed and not installed.
    """
    chosen = cache or os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    return Path(need("pooch", "pooch", "medmnist").os_cache("lcrjax"))


def fetch(url: str, md5: str, path: Path) -> Path:
    """Download `url` to `path` unless it lies there already, and verify its MD5 sum.

    The file arrives under another name and gets its own only once its sum is right. On a terminal
    a progress bar is shown.

    Args:
        url: An http(s) address.
        md5: MD5 sum in hexadecimal.
        path: Where to keep the file.

    Raises:
        DataError: A ValueError that names the address and the place to put the file by hand, if
            it cannot be had or its sum is wrong.
        ImportError: If `pooch` is not installed.
    """
    pooch = need("pooch", "pooch", "medmnist")
    bar = sys.stderr.isatty() and importlib.util.find_spec("tqdm") is not None
    downloader = pooch.HTTPDownloader(progressbar=bar, chunk_size=2**16)
    by_hand = f"fetch {url} by hand, put it at {path} (MD5 {md5}) and try again"
    try:
        pooch.retrieve(
            url, known_hash=f"md5:{md5}", fname=path.name, path=path.parent, downloader=downloader
        )
    except ValueError as error:
        if "hash" not in str(error):
            raise DataError(f"cannot download {url} ({reason(error)}): {by_hand}.") from error
        raise DataError(
            f"what {url} sent has not the expected MD5 sum {md5}, so it was thrown away: "
            f"try again, or {by_hand}."
        ) from error
    except OSError as error:  # requests' errors among them
        raise DataError(
            f"cannot download {url} ({reason(error, typed=True)}): {by_hand}."
        ) from error
    return path
