from lcrjax.numerics.natural_order import natural_key


def test_numbers_within_names_count():
    names = ["b10", "b9", "10", "9", "2", "b", "b9a", "B1", "Ä", "²"]
    assert sorted(names, key=natural_key) == [
        "2",
        "9",
        "10",
        "B1",
        "b",
        "b9",
        "b9a",
        "b10",
        "²",
        "Ä",
    ]
