"""Values of options that are lists in one word, such as `64,128` and `0,1,inf`."""


def orders(text: str) -> tuple[float, ...]:
    """Read viewpoints q: numbers from 0 to inf, separated by commas.

    Raises:
        ValueError: If one is not such a number.
    """
    values = []
    for word in text.split(","):
        try:
            value = float(word)
        except ValueError:
            value = -1.0
        if not value >= 0:
            raise ValueError(f"--q holds {word!r}: give numbers from 0 to inf, such as 0,1,inf")
        values.append(value)
    return tuple(values)


def sizes(text: str) -> tuple[int, ...]:
    """Read subset sizes: whole numbers separated by commas.

    Raises:
        ValueError: If one is not a whole number.
    """
    words = text.split(",")
    for word in words:
        if not word.strip().isdecimal():
            raise ValueError(f"--sizes holds {word!r}: give whole numbers, such as 64,128,256")
    return tuple(int(word) for word in words)


def share(text: str) -> float:
    """Read a positive share, such as 0.2% or 0.002.

    Raises:
        ValueError: If it is none.
    """
    word = text.strip()
    try:
        value = float(word.removesuffix("%")) / (100 if word.endswith("%") else 1)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise ValueError(f"--error is {text!r}: give a share above zero, such as 0.2%")
    return value
