"""An example of the gallery and a progress bar as a notebook, run by Jupyter's own kernel."""

import re
from pathlib import Path

import pytest

BAR = """
import sys
sys.modules["ipywidgets"] = None  # not installed
alike = lcrjax.PythonFunction(lambda x, y: float(x == y), progress=True)
_ = lcrjax.ordinariness(list("abcdefgh"), np.ones(8) / 8, alike)
"""
EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "plot_01_measure.py"


def test_a_notebook_shows_tables_and_figures(tmp_path):
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    cells = re.split(r"^# %%$", EXAMPLE.read_text("utf-8"), flags=re.MULTILINE)
    cells += [
        "from lcrjax.report import profile_figure\nprofile_figure(D)",
        "_, ax = plt.subplots()\nprofile_figure(D, ax=ax)",
        BAR,
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute(cwd=tmp_path)
    *shown, bar = (cell["outputs"] for cell in notebook.cells)
    table, *figures = ([out["data"] for out in outputs] for outputs in shown)
    assert "<table" in table[-1]["text/html"]
    assert "<svg" in table[-1]["text/html"]  # the profile
    for shown in figures:
        assert len(shown) == 1  # drawn once, and no text about it
        assert shown[0]["image/png"]
    written = "".join(out["text"] for out in bar)  # a text that is written over, and no warning
    assert written.count("\n") == 1
    assert "100%" in written.rpartition("\r")[2]
