from lcrjax.study.suggestion import nearest


def test_the_nearest_word_or_all_of_them():
    assert nearest("sizs", ["sizes", "bins"]) == "did you mean 'sizes'?"
    assert nearest(3, ["sizes", "bins"]) == "known are sizes, bins"
