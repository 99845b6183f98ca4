"""`python -m lcrjax` is the command `lcrjax`."""

from lcrjax.cli import main

if __name__ == "__main__":
    main()
