import re

from lcrjax.study.columns import (
    COLUMNS,
    DESIGN,
    FEATURE_SETS,
    FEATURES,
    LATER,
    OUTCOMES,
    PARAMETERS,
    TARGETS,
)
from lcrjax.training import TrainingConfig, train_subsets
from tests.study import fake_parts as fake


def test_columns_are_named_once_and_their_lists_agree():
    names = [column.name for column in (*COLUMNS, *DESIGN, *LATER)]
    assert len(set(names)) == len(names)
    assert {*FEATURES, *PARAMETERS, *TARGETS} < set(names)
    assert all(set(members) <= set(FEATURES) for members in FEATURE_SETS.values())
    assert all(column.known is None for column in OUTCOMES)


def test_training_tells_the_outcomes():
    data = fake.dataset(counts=(12, 12), shape=(4, 4))
    recipe = TrainingConfig(max_epochs=1, base_channels=16, beyond=1)
    trained = train_subsets(data, [range(8)], [0], recipe)
    assert list(trained) == [column.name for column in (*OUTCOMES, *LATER)]
    trained = trained[[column.name for column in OUTCOMES]]
    promised = re.search(r"One row per subset, in order: (.*?)\.", train_subsets.__doc__, re.S)[1]
    assert all(re.search(rf"\b{name}\b", promised) for name in trained)
