"""Long-running processes: worker, clock, channel, contacts, and the provider simulators."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from schemas.vocabulary import Channel

simulator = typer.Typer(no_args_is_help=True, help="Stand-ins for providers.")

Supervised = Annotated[bool, typer.Option(help="start it again after a crash; a final exit is reported")]
INSTANTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%MZ", "%Y-%m-%dT%H:%M:%SZ"]


def worker(*, supervised: Supervised = True) -> None:
    """Judge customers and release touches; start as many as you like, they share the partitions."""
    from deploy.engine_side import run_worker, supervise

    raise typer.Exit(supervise("worker", "--no-supervised") if supervised else run_worker())


def clock(
    *,
    virtual: Annotated[
        bool, typer.Option("--virtual", help="jump in lock-step to the next alarm; needs --from and --until")
    ] = False,
    schedule: Annotated[Path | None, typer.Option(help="inputs to publish at their instants (virtual only)")] = None,
    start: Annotated[datetime | None, typer.Option("--from", formats=INSTANTS, help="first instant, UTC")] = None,
    end: Annotated[datetime | None, typer.Option("--until", formats=INSTANTS, help="last instant, UTC")] = None,
) -> None:
    """Tell every partition what time it is, each second; several may run, ticks are harmless."""
    from deploy.engine_side import run_clock, run_virtual_clock

    if virtual:
        run_virtual_clock(schedule, start, end)
    else:
        raise typer.Exit(run_clock())


def channel(name: Annotated[Channel, typer.Argument(help="email")], *, supervised: Supervised = True) -> None:
    """Deliver a channel's commands: intent, fence, call, result; several processes share the partitions."""
    from deploy.delivery_side import run_channel
    from deploy.engine_side import supervise

    if supervised:
        raise typer.Exit(supervise("channel", name.value, "--no-supervised"))
    run_channel(name)


def contacts(*, supervised: Supervised = True) -> None:
    """Keep the contact store in Redis in step with its topic."""
    from deploy.delivery_side import run_contacts
    from deploy.engine_side import supervise

    if supervised:
        raise typer.Exit(supervise("contacts", "--no-supervised"))
    run_contacts()


@simulator.command("smtp")
def simulate_smtp(
    port: Annotated[int, typer.Option(min=0, help="0 = where this installation's e-mail channel sends")] = 0,
    inbox: Annotated[Path, typer.Option(help="append-only file of what was received")] = Path(
        ".perennial/inbox/email.jsonl"
    ),
) -> None:
    """A mail server that keeps what it receives; `python -m connectors.simulators.smtp --help` for faults on demand."""
    from deploy.delivery_side import run_smtp_simulator

    run_smtp_simulator(port, inbox)


COMMANDS: dict[str, Callable[..., None] | typer.Typer] = {
    "worker": worker,
    "clock": clock,
    "channel": channel,
    "contacts": contacts,
    "simulator": simulator,
}
