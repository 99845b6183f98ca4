import pytest

from lcrjax.study.design.config import StudyConfig
from lcrjax.study.design.presets import PRESETS, choose_study
from lcrjax.training import TrainingConfig


def toml(tmp_path, text):
    path = tmp_path / "study.toml"
    path.write_text(text)
    return path


def test_nothing_said_means_the_digits():
    sources, config = choose_study()
    assert sources == ["digits"]
    assert config == PRESETS["quick"].config


def test_the_papers_counts():
    sources, config = choose_study(["covid.npz"], preset="paper")
    assert sources == ["pathmnist", "bloodmnist", "organamnist", "organcmnist", "covid.npz"]
    assert config.sizes == (64, 128, 256, 384, 512, 768, 1024, 2048)
    assert [config.subsets_per_bin(n) for n in (64, 1024, 2048)] == [4, 4, 2]
    assert config.bins == 25


def test_the_panel_needs_datasets():
    with pytest.raises(ValueError, match="name at least one"):
        choose_study(preset="panel")
    assert choose_study(["a.npz", "b.npz", "a.npz"], preset="panel")[0] == ["a.npz", "b.npz"]


def test_a_file_says_the_same_as_options(tmp_path):
    (tmp_path / "mine.npz").touch()
    path = toml(
        tmp_path,
        """
        preset = "panel"
        datasets = ["digits", "mine.npz"]
        sizes = [32, 64]
        per_bin_at = {64 = 3}
        [training]
        max_epochs = 5
        learning_rate = 1
        """,
    )
    sources, config = choose_study(file=path)
    assert sources == ["digits", str(tmp_path / "mine.npz")]
    assert config == StudyConfig(
        sizes=(32, 64),
        per_bin=1,
        per_bin_at={64: 3},
        most_at=PRESETS["panel"].config.most_at,
        training=TrainingConfig(max_epochs=5, learning_rate=1.0),
    )


def test_options_override_the_file_and_named_datasets_its_datasets(tmp_path):
    path = toml(tmp_path, 'datasets = ["digits"]\nsizes = [32]\nseed = 4\n[training]\nbatch_size=8')
    changes = {"sizes": (16,), "seed": None, "training": {"max_epochs": 3}}
    sources, config = choose_study(["x.npz"], file=path, changes=changes)
    assert sources == ["x.npz"]
    assert (config.sizes, config.seed) == ((16,), 4)
    assert (config.training.max_epochs, config.training.batch_size) == (3, 8)


def test_sizes_that_are_named_are_meant():
    assert choose_study(["a"], preset="panel")[1].skip_impossible
    assert not choose_study(["a"], preset="panel", changes={"sizes": (64,)})[1].skip_impossible


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("size = [64]", "no setting 'size': did you mean 'sizes'"),
        ("zzzz = 1", "no setting 'zzzz': known are sizes, "),
        ("[training]\nmax_epoch = 3", "no setting 'max_epoch': did you mean 'max_epochs'"),
        (
            "[training]\nmax_epochs = '3'",
            "training.max_epochs is '3': give a value of",
        ),
        (
            "[training]\nbatch_size = 2.5",
            "training.batch_size is 2.5: give a value of",
        ),
        ("[training]\nmax_epochs = 0", "max_epochs must be at least 1"),
        ("training = 3", "training is 3: give a table"),
        ("preset = 'quik'", "no preset 'quik': did you mean 'quick'"),
        ("preset = 3", "no preset 3: known are"),
        ("datasets = 'digits'", "datasets is 'digits': give a list"),
        ("sizes = 64", "sizes is 64: give a list"),
        ("sizes = []", "sizes is empty"),
        ("sizes = [64.5]", "sizes holds 64.5: give whole numbers"),
        ("sizes = [1]", "sizes holds 1: give whole numbers of at least 2"),
        ("per_bin = true", "per_bin is True: give a value of the type int"),
        ("most_at = {64 = 0}", "most_at holds 0: give whole numbers of at least 1"),
        ("per_bin_at = {a = 2}", "let its keys be subset sizes"),
        ("seed = -1", "seed holds -1: give whole numbers of at least 0"),
        ("skip_impossible = 1", "skip_impossible is 1: give a value of the type bool"),
        ('similarity = "gausian:2"', "no similarity 'gausian:2': did you mean 'gaussian'"),
        ("similarity = 2", "similarity is 2: give a value of the type str"),
        ("sizes = [64", "not valid TOML"),
    ],
)
def test_a_bad_file_is_explained(tmp_path, text, sentence):
    with pytest.raises(ValueError, match=sentence):
        choose_study(["digits"], file=toml(tmp_path, text))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"none\.toml cannot be read"):
        choose_study(file=tmp_path / "none.toml")


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_survives_being_written_down(name):
    config = PRESETS[name].config
    assert StudyConfig.from_dict(config.to_dict()) == config
