"""An example of the gallery as a notebook, run by Jupyter's own kernel."""

import re
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "plot_01_measure.py"


def test_a_notebook_shows_tables_and_figures(tmp_path):
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    cells = re.split(r"^# %%$", EXAMPLE.read_text("utf-8"), flags=re.MULTILINE)
    cells += [
        "from lcrjax.report import profile_figure\nprofile_figure(D)",
        "_, ax = plt.subplots()\nprofile_figure(D, ax=ax)",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute(cwd=tmp_path)
    table, *figures = ([out["data"] for out in cell["outputs"]] for cell in notebook.cells)
    assert "<table" in table[-1]["text/html"]
    assert "<svg" in table[-1]["text/html"]  # the profile
    for shown in figures:
        assert len(shown) == 1  # drawn once, and no text about it
        assert shown[0]["image/png"]
