import numpy as np
import pytest

from lcrjax.data import DataError, load
from tests.data.conftest import pixels

Image = pytest.importorskip("PIL.Image")


@pytest.fixture
def table(tmp_path):
    """Write a table and return a function that loads it without a test set."""

    def write(text, name="t.csv", **options):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return load(tmp_path / name, **{"test_fraction": 0} | options)

    return write


@pytest.fixture
def photos(tmp_path):
    """Write eight pictures in two folders and return their pixels by name."""
    written = {}
    for i in range(8):
        path = tmp_path / f"part{i % 2}" / f"p{i}.png"
        path.parent.mkdir(exist_ok=True)
        written[f"p{i}"] = pixels((4, 5), i)
        Image.fromarray(written[f"p{i}"]).save(path)
    return written


def rows(form, n=8):
    return "".join(form(i) + "\n" for i in range(n))


def test_a_manifest_of_files_with_splits_and_groups(table, photos):
    text = "file_name,label,split,patient\n" + rows(
        lambda i: f"part{i % 2}/p{i}.png,{'xy'[i % 2]},{'train' if i < 6 else 'val'},{i // 2}"
    )
    data = table(text)
    assert data.class_names == ("x", "y")
    np.testing.assert_array_equal(data.train_images, [photos[f"p{i}"] for i in range(6)])
    np.testing.assert_array_equal(data.test_images, [photos["p6"], photos["p7"]])
    assert data.train.groups.tolist() == ["0", "0", "1", "1", "2", "2"]
    assert data.test.names.tolist() == ["part0/p6.png", "part1/p7.png"]
    assert data.notes == (
        "Columns were chosen by their names: images from 'file_name', labels from 'label', "
        "splits from 'split', groups from 'patient'.",
        "The validation split serves as test set.",
    )


@pytest.mark.parametrize("listed", ["p{}", "p{}.png", "part{}\\p{}.png"])
def test_files_are_found_by_stem_or_name_below(table, photos, listed):
    cell = lambda i: listed.replace("t{}", f"t{i % 2}").format(i)  # noqa: E731
    text = "image_id,dx,age\n" + rows(lambda i: f"{cell(i)},{'ab'[i % 2]},{i}")
    data = table(text, image_column="image_id")
    np.testing.assert_array_equal(data.train_images, [photos[f"p{i}"] for i in range(8)])
    assert any("Found by name" in note for note in data.notes) == ("\\" not in listed)


def test_missing_files_are_all_named(table, photos):
    text = "file,label\n" + rows(lambda i: f"{'part0/' if i % 2 == 0 else 'q'}p{i}.png,a")
    with pytest.raises(DataError, match=r"4 of 8 files .* not there: qp1.png, qp3.png, qp5.png"):
        table(text)


def test_files_of_one_name_and_files_outside_are_refused(table, photos, tmp_path):
    text = "file,label\n" + rows(lambda i: f"p{i}.png,{'ab'[i % 2]}")
    outside = tmp_path.parent / f"{tmp_path.name}-outside.png"
    (tmp_path / "part0" / "p1.png").write_bytes(b"")
    with pytest.raises(DataError, match="2 below"):
        table(text)
    (tmp_path / "part0" / "p1.png").unlink()
    Image.fromarray(photos["p0"]).save(outside)
    with pytest.raises(DataError, match="lies outside"):
        table(text.replace("p0.png", f"../{outside.name}"))
    with pytest.raises(DataError, match="lies outside"):
        table(text.replace("p0.png", str(outside)))


def test_numbers_are_vectors(table):
    data = table("id,a,b,species\n" + rows(lambda i: f"n{i},{i},{i / 2},{'xyz'[i % 3]}"))
    assert data.kind == "vectors"
    np.testing.assert_array_equal(data.train.elements, [[i, i / 2] for i in range(8)])
    assert data.train.names.tolist() == [f"n{i}" for i in range(8)]
    assert data.class_names == ("x", "y", "z")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_byte_order_marks_and_quotes(table, delimiter):
    text = "\ufeff" + delimiter.join(["a", "b", "label"]) + "\r\n"
    text += rows(lambda i: delimiter.join([str(i), f'"{i}.5"', '"x, y"' if i % 2 else "é"]))
    data = table(text, name="t.tsv" if delimiter == "\t" else "t.csv")
    np.testing.assert_array_equal(data.train.elements, [[i, i + 0.5] for i in range(8)])
    assert data.class_names == ("x, y", "é")


def test_a_column_of_texts_is_texts(table):
    data = table("text,lang,label\n" + rows(lambda i: f'"NA, no {i}",en,{"ab"[i % 2]}'))
    assert data.kind == "texts"
    assert data.train.elements.tolist() == [f"NA, no {i}" for i in range(8)]
    assert data.notes[1] == "Columns left out: lang."
    other = table("words,label\n" + rows(lambda i: f"no {i},{'ab'[i % 2]}"))
    assert other.train.elements.tolist() == [f"no {i}" for i in range(8)]


def test_mixed_columns_are_rows(table):
    data = table("age,colour,label\n" + rows(lambda i: f"{i or ''},{'rg'[i % 2]},{'ab'[i % 2]}"))
    assert data.kind == "rows"
    assert np.isnan(data.train.elements["age"][0])
    assert data.train.elements["age"][1:].tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert data.train.elements["colour"].tolist() == ["r", "g"] * 4


def test_a_number_column_with_late_words_makes_rows(table):
    text = "a,b,label\n" + rows(lambda i: f"{i if i < 1100 else 'x'},{i},{i % 2}", 1200)
    data = table(text)
    assert data.kind == "rows"
    assert data.train.elements["b"][1199] == 1199


def test_lists_of_numbers_in_cells(table):
    data = table(
        "emotion,pixels,Usage\n"
        + rows(lambda i: f"{i % 2},{i} 2 3,{'Training' if i < 6 else 'PublicTest'}"),
        label_column="emotion",
    )
    np.testing.assert_array_equal(data.train.elements, [[i, 2, 3] for i in range(6)])
    np.testing.assert_array_equal(data.test.elements, [[6, 2, 3], [7, 2, 3]])
    data = table("e,label\n" + rows(lambda i: f'"[{i}.5, -1e-3]",{i % 2}'))
    np.testing.assert_array_equal(data.train.elements, [[i + 0.5, -0.001] for i in range(8)])


def test_files_without_a_line_of_names_and_with_an_index(table):
    data = table(rows(lambda i: f"{i}.5,2.5,{'ab'[i % 2]}"), label_column="2")
    np.testing.assert_array_equal(data.train.elements, [[i + 0.5, 2.5] for i in range(8)])
    data = table(",0,1,label\n" + rows(lambda i: f"{i},{i}.5,2,{'ab'[i % 2]}"))
    np.testing.assert_array_equal(data.train.elements, [[i + 0.5, 2] for i in range(8)])


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["None", "NA", "mild"], ("NA", "None", "mild")),
        (["1.0", "2.0", "10.0"], ("1", "2", "10")),
        (["01", "1", "2"], ("01", "1", "2")),
        (["True", "False", "True"], ("False", "True")),
    ],
)
def test_labels_stay_as_they_are_written(table, labels, names):
    data = table("a,label\n" + rows(lambda i: f"{i},{labels[i % 3]}", 9))
    assert data.class_names == names


@pytest.mark.parametrize(
    ("text", "options", "match"),
    [
        ("a,lable\n1,2\n", {}, "columns a, lable, of which none is called label"),
        ("a,label\n1,2\n", {"label_column": "lable"}, "no column 'lable' .*did you mean 'label'"),
        (
            "a,label\n1,2\n",
            {"group_column": "x"},
            r"no column 'x' \(group_column\): it has a, label",
        ),
        ("a,label\n1,x\n2,\n3,y\n", {}, r"'label' of .* lacks 1 of \d+ values \(rows 1, counted"),
        ("a,label\n1,1\n2,NA\n3,2\n", {}, r"'label' of .* lacks 1 of \d+ values \(rows 1, counted"),
        ("a,label\n1,0.5\n2,1\n", {}, "label of element 0 is 0.5"),
        ("a,b,label\n1,2,x\n,2,y\n", {}, r"'a' of .* lacks 1 of \d+ values \(rows 1"),
        ("text,label\nx,1\n,2\n", {}, r"'text' of .* lacks 1 of \d+ values \(rows 1"),
        ("a,label,split\n1,x,train\n2,y,fold1\n", {"split_column": "split"}, "splits 'fold1'"),
        ("a,label,split\n1,x,test\n2,y,test\n", {}, "no row of the split 'train'"),
        ("a,label,patient\n1,x,p\n2,y,\n", {}, r"'patient' of .* lacks 1 of \d+ values \(rows 1"),
        ("label\nx\ny\n", {}, "none holds elements"),
        ("a,a,label\n1,2,x\n", {}, "several columns 'a'"),
        ("a,label\n", {}, "no rows"),
        ("\na,label\n1,x\n", {}, "begins with an empty line"),
        ("", {}, "begins with an empty line"),
        ("a,label\n1,x\n2,y,z,w\n", {}, "cannot read"),
        ("a,label\n1,x,2\n2,y,z\n", {}, "cannot read .*header"),
        ("a.png,label\n", {"image_column": "a.png", "element_column": "label"}, "give one of them"),
        ("a,b,label\nx.png,y.png,1\n", {}, "several columns of files"),
        ('v,label\n"[0.1 0.2 ... 0.9]",1\n', {}, "cut short where '...' stands"),
        ('v,label\n"[0.1 0.2]",1\n"[0.1 0.2 0.3]",2\n', {}, "none holds elements"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:a\n", {}, "git lfs pull"),
        ("a,label\n1,x\n", {"element_column": "a"}, "holds numbers, neither texts nor lists"),
        (
            "image,label\n,x\na.png,y\n",
            {"image_column": "image"},
            "'image' of .* lacks 1 of 2 values",
        ),
    ],
)
def test_tables_that_cannot_be_used(table, text, options, match):
    with pytest.raises(DataError, match=match) as caught:
        table(text, **options)
    assert "\n" not in str(caught.value)


def test_text_of_another_encoding_is_refused(tmp_path):
    for content in ("a,label\né,b".encode("latin-1"), "a,label\n1,b".encode("utf-16")):
        (tmp_path / "t.csv").write_bytes(content)
        with pytest.raises(DataError, match="UTF-8"):
            load(tmp_path / "t.csv")


def test_commas_as_decimal_signs(table):
    text = "a;b;label\n" + rows(lambda i: f"{i},5;{i};{'xy'[i % 2]}")
    np.testing.assert_array_equal(table(text).train.elements, [[i + 0.5, i] for i in range(8)])
    text = "a;b;label\n" + rows(lambda i: f"{i}.5;1,2;{'xy'[i % 2]}")
    assert table(text).kind == "rows"


def test_pictures_that_no_row_lists_and_rows_of_one_picture_are_said(table, photos):
    text = "file,label\n" + rows(lambda i: f"part{i % 2}/p{i // 4 * 2 + i % 2}.png,{'ab'[i % 2]}")
    notes = table(text).notes
    assert notes[1] == "Listed more than once, and counted so: 4 files."
    assert notes[2].startswith("Left out: 4 pictures beside those listed (the first: ")
    assert notes[2].endswith("part0/p4.png).")


def test_damaged_pictures_go_with_their_labels(table, photos, tmp_path):
    text = "file,label,patient\n" + rows(lambda i: f"part{i % 2}/p{i}.png,{'ab'[i % 2]},{i}")
    (tmp_path / "part0" / "p4.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"1 of 8 files of .* cannot be read: .*p4\.png"):
        table(text)
    data = table(text, skip_damaged=True)
    kept = [i for i in range(8) if i != 4]
    np.testing.assert_array_equal(data.train_images, [photos[f"p{i}"] for i in kept])
    np.testing.assert_array_equal(data.train_labels, [i % 2 for i in kept])
    assert data.train.groups.tolist() == list(map(str, kept))


def test_paths_of_another_machine_are_found_by_their_last_folders(tmp_path):
    image = pytest.importorskip("PIL.Image")
    for label, shift in (("cat", 0), ("dog", 3)):
        (tmp_path / label).mkdir()
        for i in range(2):
            image.fromarray(np.full((2, 3), 10 * i + shift, np.uint8)).save(
                tmp_path / label / f"{i}.png"
            )
    lines = "".join(f"C:\\Users\\me\\{label}\\1.png,{label}\n" for label in ("cat", "dog"))
    (tmp_path / "t.csv").write_text(f"image,label\n{lines}")
    data = load(tmp_path / "t.csv", test_fraction=0)
    assert data.train_images[:, 0, 0].tolist() == [10, 13]
    assert any(note.startswith("Found by name below ") for note in data.notes)
    (tmp_path / "t.csv").write_text("image,label\nC:\\elsewhere\\1.png,cat\nx/0.png,dog\n")
    with pytest.raises(DataError, match="of which there are 2 below"):
        load(tmp_path / "t.csv", test_fraction=0)
