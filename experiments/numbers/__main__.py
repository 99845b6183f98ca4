"""Recompute the numbers of README and documentation, and compare them with the pages.

Run `python -m experiments.numbers`. It ends with an error where a page says something else, or has
a number that is neither recomputed nor listed in experiments/numbers/listed.py.
"""

import sys
from collections import Counter

from experiments.numbers.check import check
from experiments.numbers.listed import MEASURED
from experiments.numbers.pages import PAGES

KINDS = ("recomputed", "measured", "given", "unlisted")


def main() -> None:
    total: Counter[str] = Counter()
    wrong = []
    print(("{:<24}" + 4 * "{:>12}").format("numbers", *KINDS))
    for page in PAGES:
        found = check(page)
        counts = {kind: len(getattr(found, kind)) for kind in KINDS}
        print(("{:<24}" + 4 * "{:>12}").format(page, *counts.values()))
        total.update(counts)
        wrong += found.wrong
    print(("{:<24}" + 4 * "{:>12}").format("all", *(total[kind] for kind in KINDS)))
    print("\nmeasured once:")
    for page, pieces in MEASURED.items():
        for piece, how in pieces.items():
            print(f"  {page}: {piece[:50]:<50}  {how}")
    sys.exit("\n".join(["", *wrong]) if wrong else 0)


if __name__ == "__main__":
    main()
