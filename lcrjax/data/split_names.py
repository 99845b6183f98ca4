"""Words that people call splits by."""

_WORDS = {
    "train": ("train", "training", "trn"),
    "test": ("test", "testing", "tst", "publictest", "privatetest"),
    "validation": ("val", "valid", "validation", "dev", "eval"),
}
SPLITS = {word: split for split, words in _WORDS.items() for word in words}


def split_of(word: object) -> str | None:
    """Say which of "train", "test" and "validation" a word means; None for none."""
    return SPLITS.get(str(word).strip().casefold())
