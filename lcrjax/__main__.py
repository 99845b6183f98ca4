"""Command `lcrjax` as `python -m lcrjax`."""

from lcrjax.cli import main

if __name__ == "__main__":
    main()
