"""Command `lcrjax`.

Modules that take long to import are imported by the commands that need them, so that help and
usage errors come at once.
"""

import inspect
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from lcrjax import __version__, native
from lcrjax.cli.cache import keep_compiled_programs
from lcrjax.cli.compare_command import compare
from lcrjax.cli.doctor_command import doctor
from lcrjax.cli.duplicates_command import duplicates
from lcrjax.cli.embed_command import embed
from lcrjax.cli.fit_predictor_command import fit_predictor
from lcrjax.cli.measure_command import measure
from lcrjax.cli.measure_study_command import measure_study
from lcrjax.cli.outcome import OPTIONS, interruptible, warnings_in_sentences
from lcrjax.cli.report_command import report
from lcrjax.cli.search_command import search
from lcrjax.cli.select_command import select
from lcrjax.cli.study_command import study
from lcrjax.cli.train_command import train

_EPILOG = (
    "Exit codes: 0 done; 2 nothing was started, because an argument, the data or the output "
    "folder cannot be used; 3 the study is complete, but some subsets could not be trained, or the "
    "loss of a single model became NaN; "
    "4 the disk is full or not writable, and what was finished is safe; 5 machines of a study were "
    "lost or are of another kind, and what was finished is safe; 130 interrupted, and what was "
    "finished is safe."
)


def _paragraphs(docstring: str) -> str:
    """Let the terminal's width break every paragraph's lines, but those of examples stay."""
    paragraphs = inspect.cleandoc(docstring).split("\n\n")
    return "\n\n".join(p if p.startswith("Example") else p.replace("\n", " ") for p in paragraphs)


class _Command(TyperCommand):
    """A command that tells errors, warnings, Ctrl-C and SIGTERM in a sentence; see `outcome`."""

    def invoke(self, ctx: Any) -> Any:
        OPTIONS.set({p.name or "": p.opts[0] for p in self.params if p.opts[0][:2] == "--"})
        with interruptible("interrupted."), warnings_in_sentences():
            return super().invoke(ctx)


app = typer.Typer(
    name="lcrjax",
    help="How diverse is a labelled image dataset, and how much of a model's performance does "
    "that explain?",
    epilog=_EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_COMMANDS = (
    measure,
    select,
    compare,
    study,
    measure_study,
    search,
    fit_predictor,
    report,
    duplicates,
    train,
    embed,
    doctor,
)
for command in _COMMANDS:
    app.command(cls=_Command, help=_paragraphs(command.__doc__ or ""))(command)


def _version(wanted: bool) -> bool:
    if wanted:
        typer.echo(f"lcrjax {__version__}\nkernels in C: {native.in_words()}")
        raise typer.Exit
    return wanted


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_version,
            is_eager=True,
            help="Print the version, and whether kernels are used.",
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line."""
    keep_compiled_programs()
    app(prog_name="lcrjax")  # also for `python -m lcrjax`, whose completion it names
