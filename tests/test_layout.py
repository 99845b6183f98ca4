"""The parts of the package import each other in one direction, and importing it does nothing."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import lcrjax

PACKAGE = Path(lcrjax.__file__).parent
MATHEMATICS = {
    "byte_product", "close_pairs", "counts", "divergence", "diversity", "double_word",
    "duplicates", "family", "fused", "host_family", "named_tables", "neighbour_loops",
    "neighbours", "ordinariness", "power_mean", "pytrees", "segments", "similarity", "spectral",
    "squares", "tile_derivatives", "tile_loops", "tiles", "viewpoints",
}  # fmt: skip
PARTS = MATHEMATICS | {
    "__init__", "__main__", "cli", "data", "native", "report", "study", "training"
}  # fmt: skip
HEAVY = ("pandas", "flax", "optax", "matplotlib", "sklearn", "scipy", "statsmodels", "typer",
         "pyarrow", "PIL", "rich", "torch")  # fmt: skip


def name_of(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def imports(path, *, on_import=False):
    """Full names that a file imports: anywhere, or only as the file itself is imported."""
    found = set()

    def visit(node):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                here = name_of(path)
                inside = path.name == "__init__.py"
                above = here[: len(here) - node.level + inside]
                base = ".".join([*above, *filter(None, [node.module])])
            found.update([base, *(f"{base}.{alias.name}" for alias in node.names)])
        for child in ast.iter_child_nodes(node):
            lazy = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            typing_only = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
            if not (on_import and (lazy or typing_only)):
                visit(child)

    visit(ast.parse(path.read_text()))
    return found


def part_of(name):
    """The part of the package that an imported name belongs to, or None."""
    pieces = name.split(".")
    return pieces[1] if pieces[0] == "lcrjax" and len(pieces) > 1 else None


FILES = sorted(PACKAGE.rglob("*.py"))


def files_of(*parts):
    return [path for path in FILES if (*name_of(path), "__init__")[1] in parts]


def used_parts(*parts):
    return {part_of(name) for path in files_of(*parts) for name in imports(path)} & PARTS


def test_every_file_belongs_to_a_known_part():
    assert {(*name_of(path), "__init__")[1] for path in FILES} <= PARTS


@pytest.mark.parametrize("path", files_of(*MATHEMATICS, "__init__"), ids=lambda p: p.stem)
def test_mathematics_imports_jax_and_numpy_and_itself(path):
    standard = set(sys.stdlib_module_names)
    roots = {name.split(".")[0] for name in imports(path, on_import=True)}
    assert roots <= standard | {"jax", "jaxtyping", "numpy", "lcrjax"}
    lazy = {name.split(".")[0] for name in imports(path)}
    assert lazy <= standard | {"jax", "jaxtyping", "numpy", "lcrjax", "pandas", "rich"}


def test_directions():
    assert used_parts(*MATHEMATICS) <= MATHEMATICS | {"native"}
    assert used_parts("native") <= {"native"}
    others = {"data", "training", "study", "report", "cli"}
    assert not used_parts("data") & (MATHEMATICS | others - {"data"})
    own = {"training", "data", "pytrees"}
    assert not used_parts("training") & ((MATHEMATICS | others) - own)
    assert not used_parts("study") & {"report", "cli"}
    assert not used_parts("report") & {"training", "cli"}


def test_nobody_imports_the_command_line():
    for path in FILES:
        if name_of(path)[1:2] not in (("cli",), ("__main__",)):
            assert "cli" not in {part_of(name) for name in imports(path)}, path


def test_mathematics_imports_downwards():
    """No circle among the files, as they are imported."""
    modules = {".".join(name_of(path)): path for path in files_of(*MATHEMATICS)}
    edges = {}
    for module, path in modules.items():
        used = {name for name in imports(path, on_import=True) if name in modules}
        # A package imports its own files; these see its siblings, not it.
        edges[module] = {name for name in used if not module.startswith(name + ".")}
    done = set()
    while len(done) < len(edges):
        free = {m for m, used in edges.items() if m not in done and used <= done | {m}}
        assert free, f"a circle among {sorted(set(edges) - done)}"
        done |= free


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_loads_nothing_heavy():
    loaded = run("import lcrjax, sys; print(*sorted(m.split('.')[0] for m in sys.modules))").split()
    # jax itself loads parts of scipy where it is installed.
    bare = run("import jax, jaxtyping, sys; print(*(m.split('.')[0] for m in sys.modules))").split()
    assert "lcrjax" in loaded
    assert not (set(loaded) - set(bare)) & set(HEAVY)


def test_importing_changes_no_configuration_and_starts_no_backend():
    run(
        "import jax, logging, warnings\n"
        "before = dict(jax.config.values), logging.getLogger().handlers[:], warnings.filters[:]\n"
        "import lcrjax, lcrjax.data, lcrjax.report, lcrjax.study, lcrjax.training\n"
        "assert dict(jax.config.values) == before[0]\n"
        "assert logging.getLogger().handlers == before[1]\n"
        "assert not logging.getLogger('lcrjax').handlers\n"
        "from jax._src import xla_bridge\n"
        "assert not xla_bridge._backends, xla_bridge._backends\n"
    )


def test_public_names_exist_and_are_documented():
    for name in lcrjax.__all__:
        assert getattr(lcrjax, name).__doc__, name
