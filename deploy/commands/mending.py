"""What people on call do: stop and start, read dead letters, release quarantines, compensate an outage."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from schemas.vocabulary import Channel

dead_letters = typer.Typer(no_args_is_help=True, help="Records refused and touches given up.")
quarantine = typer.Typer(no_args_is_help=True, help="Customers held because one of their records cannot be applied.")

OneChannel = Annotated[Channel, typer.Option("--channel", help="only this channel; default: all")]
Operator = Annotated[str, typer.Option(help="who asks, kept with the request; default: your account")]


def stop(channel: OneChannel = Channel.UNSPECIFIED, operator: Operator = "", reason: str = "") -> None:
    """Halt all sending, or one channel's, within seconds; judging goes on. `start` resumes."""
    from deploy.operating import stop_sending

    stop_sending(channel, operator=operator, reason=reason)


def start(channel: OneChannel = Channel.UNSPECIFIED, operator: Operator = "", reason: str = "") -> None:
    """Resume sending after `stop`; what is due is judged afresh, so nothing leaves that should not any more."""
    from deploy.operating import start_sending

    start_sending(channel, operator=operator, reason=reason)


@dead_letters.command("list")
def list_dead_letters(
    customer: Annotated[str, typer.Option(help="only this customer's")] = "",
    limit: Annotated[int, typer.Option(min=1, help="newest first, at most so many")] = 100,
) -> None:
    """List what was refused or given up, newest first, with its cause."""
    from deploy.answers import print_dead_letters

    print_dead_letters(customer=customer, limit=limit)


@dead_letters.command("show")
def show_dead_letter(
    letter: Annotated[str, typer.Argument(metavar="ID", help="from the list; a beginning is enough")],
) -> None:
    """Show one dead letter in full: cause, origin, original bytes, and what to do."""
    from deploy.answers import print_dead_letter

    print_dead_letter(letter)


@quarantine.command("list")
def list_quarantined() -> None:
    """List the customers on hold: since when, why, and how many of their inputs wait."""
    from deploy.answers import print_quarantined

    print_quarantined()


@quarantine.command("release")
def release(
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER")],
    replace: Annotated[Path | None, typer.Option(help="a file with the corrected record, one row")] = None,
    drop: Annotated[bool, typer.Option("--drop", help="leave the refused record out for ever")] = False,
    operator: Operator = "",
) -> None:
    """Mend a customer's refused record, then re-apply what waited behind it, in order."""
    from deploy.operating import release_customer

    release_customer(customer, replacement=replace, is_drop=drop, operator=operator)


def replay(
    since: Annotated[
        datetime,
        typer.Option(
            help="local time of this machine unless it ends in Z or an offset; 2026-03-01T09:00",
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M%z", "%Y-%m-%dT%H:%M:%S%z"],
        ),
    ],
    cause: Annotated[str, typer.Option(help="only touches lost for this reason, such as no_receipt")] = "",
    apply: Annotated[bool, typer.Option("--apply", help="ask the state; without it nothing is changed")] = False,
    operator: Operator = "",
) -> None:
    """Judge again what an outage lost: dead-lettered, unknown and expired touches (dry run by default).

    Nothing is sent past the state: a touch that is paid, unsubscribed, closed or sent is declined with its reason.
    Running it twice sends nothing twice.
    """
    from deploy.replaying import replay_touches

    replay_touches(since, cause=cause, is_applied=apply, operator=operator)


COMMANDS: dict[str, Callable[..., None] | typer.Typer] = {
    "stop": stop,
    "start": start,
    "dead-letters": dead_letters,
    "quarantine": quarantine,
    "replay": replay,
}
