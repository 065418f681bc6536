"""The one command, `perennial`: parses, calls, and turns expected errors into a sentence and a next step."""

import sys
from collections.abc import Callable

import typer

from deploy.commands import asking, feeding, mending, running, standing
from schemas.errors import ExitError, PerennialError

INTERRUPTED = 130
FAILED = 1

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "Every customer hears about a renewal at the right local time, on the right channel, once, and never again "
        "after they have paid.\n\n"
        "See it work: [bold]perennial demo[/bold]. Try it by hand: [bold]perennial up[/bold] prints the next steps.\n\n"
        "Commands find the cluster by PERENNIAL_BOOTSTRAP_SERVERS, else the stack that `perennial up` started here."
    ),
)


def compose(*groups: tuple[str, dict[str, Callable[..., None] | typer.Typer]]) -> None:
    """Hang every subcommand under its panel."""
    for panel, commands in groups:
        for name, command in commands.items():
            if isinstance(command, typer.Typer):
                app.add_typer(command, name=name, rich_help_panel=panel)
            else:
                app.command(name, rich_help_panel=panel)(command)


compose(
    ("See it work", standing.FIRST),
    ("Processes", running.COMMANDS),
    ("Feed it", feeding.COMMANDS),
    ("Ask it", asking.COMMANDS),
    ("Operate it", mending.COMMANDS),
    ("Install it", standing.COMMANDS),
)


def main() -> None:
    """Run the command line; an expected error is a sentence on stderr and a named exit status."""
    try:
        app()
    except ExitError as problem:
        sys.exit(_say(str(problem), problem.code.status))
    except PerennialError as problem:
        sys.exit(_say(str(problem), FAILED))
    except KeyboardInterrupt:
        sys.exit(_say("stopped by Ctrl-C", INTERRUPTED))
    except BrokenPipeError:
        sys.exit(FAILED)  # `perennial ... | head` is no error worth a word


def _say(sentence: str, status: int) -> int:
    print(f"perennial: {sentence}", file=sys.stderr)
    return status


if __name__ == "__main__":
    main()
