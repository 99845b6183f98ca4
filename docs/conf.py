"""Settings of the documentation: `sphinx-build -W -b html docs docs/_build/html`."""

import re
import subprocess
import sys
from pathlib import Path

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

import lcrjax
from lcrjax.study.columns import COLUMNS, FEATURES

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # gallery_figures

project = "lcrjax"
author = "The lcrjax authors"
copyright = "the lcrjax authors"
version = release = lcrjax.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "examples", "sg_execution_times.rst"]
html_theme = "furo"
html_title = "lcrjax"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"

sphinx_gallery_conf = {
    "image_scrapers": ("matplotlib", "gallery_figures.scrape"),
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "min_reported_time": 60,
    "remove_config_comments": True,
    "show_signature": False,
    "write_computation_times": False,
}

myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3

# Docstrings put code in single backticks; names of the package among them become links.
default_role = "py:obj"
add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
napoleon_attr_annotations = False


def show_formula(block):
    """A visitor that writes a formula as MathML, which browsers draw without a script."""

    def visit(translator, node):
        translator.body.append(tex2mathml(node.astext(), as_block=block))
        raise nodes.SkipNode

    return visit, None


def docstring_math(app, what, name, obj, options, lines):
    """Turn the `$...$` of docstrings into reStructuredText's mathematics."""
    lines[:] = re.sub(r"\$([^$]+)\$", r":math:`\1`", "\n".join(lines)).split("\n")


def short_types(app, what, name, obj, options, signature, returns):
    """Call types by the names that they have in the source: Array and ArrayLike."""

    def shorten(text):
        text = re.sub(r"~?(jax|jaxlib\._jax)\.Array", "Array", text)
        scalars = r"~?numpy\.bool \| ~?numpy\.number \| bool \| int \| float \| complex"
        return re.sub(rf"Array \| ~?numpy\.ndarray \| {scalars}", "ArrayLike", text)

    return tuple(part and shorten(part) for part in (signature, returns))


def write_command_line(app):
    """Write the commands' help, as the commands themselves give it, for the page on them."""
    out = HERE / "_build" / "command_line.md"
    out.parent.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "typer", "lcrjax.cli", "utils", "docs", "--name", "lcrjax"]
    subprocess.run([*command, "--output", str(out)], check=True, stdout=subprocess.DEVNULL)
    # Indented lines after a paragraph would flow into it.
    text = re.sub(r"^(Examples?:)$", r"\1\n", out.read_text(encoding="utf-8"), flags=re.MULTILINE)
    out.write_text(text, encoding="utf-8")


def write_columns(app):
    """Write the columns of a study's table, as they are declared, for the page on statistics."""
    lines = ["| column | type | what it holds |", "|---|---|---|"]
    for column in COLUMNS:
        if column.name not in FEATURES:
            lines.append(f"| `{column.name}` | {column.type} | {column.meaning} |")
        elif column.name == FEATURES[0]:
            names = ", ".join(f"`{name}`" for name in FEATURES)
            lines.append(f"| {names} | {column.type} | the 27 features |")
    (HERE / "_build" / "columns.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def setup(app):
    """Connect the functions above."""
    app.add_html_math_renderer("mathml", show_formula(False), show_formula(True))
    app.connect("autodoc-process-signature", short_types)
    app.connect("autodoc-process-docstring", docstring_math)
    app.connect("builder-inited", write_command_line)
    app.connect("builder-inited", write_columns)
