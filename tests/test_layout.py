"""The rooms of the package: which imports which, what is public; importing does nothing."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path
from typing import get_origin

import pytest

import lcrjax

PACKAGE = Path(lcrjax.__file__).parent
#: What the files of each room may import of the others, anywhere in them, also inside functions.
MAY_IMPORT = {
    "numerics": set(),
    "native": {"numerics"},
    "similarity": {"numerics"},
    "pairwise": {"numerics", "similarity", "native"},
    "measures": {"numerics", "similarity", "pairwise"},
    "selection": {"numerics", "similarity", "pairwise", "measures"},
    "data": {"numerics"},
    "training": {"numerics", "data", "native"},
    "study": {
        "numerics",
        "similarity",
        "pairwise",
        "measures",
        "selection",
        "data",
        "training",
        "native",
    },
    "report": {"numerics", "similarity", "pairwise", "measures", "selection", "data", "study"},
    "cli": {
        "numerics",
        "native",
        "similarity",
        "measures",
        "selection",
        "data",
        "training",
        "study",
        "report",
    },
}
MATHEMATICS = ("numerics", "native", "similarity", "pairwise", "measures", "selection")
#: Files of the mathematics that are loaded only when they are asked for, and what they need.
ASKED_FOR = {"selection.selector": {"sklearn"}}
HEAVY = ("pandas", "flax", "optax", "matplotlib", "sklearn", "scipy", "statsmodels", "typer",
         "pyarrow", "PIL", "rich", "torch", "dendropy")  # fmt: skip


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
            assert not node.level, f"{path} imports relatively: say the whole name"
            found.update([node.module, *(f"{node.module}.{alias.name}" for alias in node.names)])
        for child in ast.iter_child_nodes(node):
            lazy = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            typing_only = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
            if not (on_import and (lazy or typing_only)):
                visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    return found


FILES = sorted(PACKAGE.rglob("*.py"))
ROOMS = {room: [path for path in FILES if name_of(path)[1:2] == (room,)] for room in MAY_IMPORT}


def rooms_used(path):
    pieces = [name.split(".") for name in imports(path)]
    return {p[1] for p in pieces if p[0] == "lcrjax" and len(p) > 1 and p[1] in ROOMS}


def test_every_file_lies_in_a_room():
    loose = {path.name for path in FILES} - {p.name for files in ROOMS.values() for p in files}
    assert {p.name for p in PACKAGE.glob("*.py")} == {"__init__.py", "__main__.py"}, loose
    assert {p.name for p in PACKAGE.iterdir() if p.is_dir() and p.name != "__pycache__"} == set(
        ROOMS
    )


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_import_in_one_direction(room):
    for path in ROOMS[room]:
        assert rooms_used(path) <= MAY_IMPORT[room] | {room}, path


def test_the_package_knows_its_name_and_version_only():
    """What rooms take from `lcrjax` itself: public names would close a circle."""
    for room, files in ROOMS.items():
        for path in files if room != "cli" else ():
            own = {n for n in imports(path) if n.startswith("lcrjax.") and n.count(".") == 1}
            names = {n.split(".")[1] for n in own} - set(ROOMS)
            assert names <= {"__version__"}, (room, path, names)


def test_directions_have_no_circle():
    done = set()
    while len(done) < len(MAY_IMPORT):
        free = {room for room, used in MAY_IMPORT.items() if room not in done and used <= done}
        assert free, f"a circle among {set(MAY_IMPORT) - done}"
        done |= free


@pytest.mark.parametrize("room", ROOMS)
def test_files_of_a_room_have_no_circle(room):
    modules = {".".join(name_of(path)): path for path in ROOMS[room]}
    edges = {}
    for module, path in modules.items():
        used = {name for name in imports(path) if name in modules}
        # A package imports its own files; these see its siblings, not it.
        edges[module] = {name for name in used if not module.startswith(name + ".")}
    done = set()
    while len(done) < len(edges):
        free = {m for m, used in edges.items() if m not in done and used <= done | {m}}
        assert free, f"a circle among {sorted(set(edges) - done)}"
        done |= free


@pytest.mark.parametrize(
    "path", [p for room in MATHEMATICS for p in ROOMS[room]], ids=lambda p: ".".join(name_of(p)[1:])
)
def test_mathematics_imports_jax_and_numpy_and_itself(path):
    allowed = set(sys.stdlib_module_names) | {"jax", "jaxlib", "jaxtyping", "numpy", "lcrjax"}
    allowed |= ASKED_FOR.get(".".join(name_of(path)[1:]), set())
    assert {name.split(".")[0] for name in imports(path, on_import=True)} <= allowed
    later = {"pandas", "rich", "dendropy", "scipy", "pyarrow"}  # jax itself needs SciPy
    assert {name.split(".")[0] for name in imports(path)} <= allowed | later


def public_packages():
    for path in PACKAGE.rglob("__init__.py"):
        module = importlib.import_module(".".join(name_of(path)))
        yield module, getattr(module, "__all__", ())


def test_no_module_is_shadowed_by_a_name():
    """`import lcrjax.a.b as m` gives the module b, whatever its package exports."""
    for path in FILES:
        full = ".".join(name_of(path))
        if path.name == "__main__.py" or "." not in full:
            continue
        above, _, leaf = full.rpartition(".")
        module = importlib.import_module(full)
        assert getattr(importlib.import_module(above), leaf) is module, full


def test_no_module_has_the_name_of_a_public_function():
    public = {
        name
        for module, names in public_packages()
        for name in names
        if callable(getattr(module, name))
    }
    # `lcrjax report` is a command; its room is named after what it makes.
    assert not {name_of(path)[-1] for path in FILES} & public


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


def test_what_needs_more_is_loaded_when_it_is_asked_for():
    loaded = run("from lcrjax.selection import *; import sys; print(*sys.modules)").split()
    assert "lcrjax.selection.selector" not in loaded
    code = "import sys; sys.modules['sklearn'] = None\ntry: from lcrjax.selection import Selector\n"
    assert "pip install 'lcrjax[study]'" in run(code + "except ImportError as error: print(error)")


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
    for module, names in public_packages():
        for name in names:
            value = getattr(module, name)
            described = value.__doc__ or not callable(value) or get_origin(value)  # an alias
            assert described, (module, name)


def test_what_is_listed_is_public():
    assert {name for name in dir(lcrjax) if not name.startswith("__")} == set(lcrjax.__all__)
