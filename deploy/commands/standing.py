"""The installation: demo, local stack, topics, doctor."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

topics = typer.Typer(no_args_is_help=True, help="The topics of the catalogue.")


def demo(
    customers: Annotated[int, typer.Option(min=10, max=20_000, help="how many customers the export holds")] = 1_000,
    days: Annotated[int, typer.Option(min=5, max=366, help="how many days the virtual clock runs")] = 100,
    seed: Annotated[int, typer.Option(help="of everything random; the same seed, the same export")] = 1,
    folder: Annotated[Path, typer.Option(help="where report and bundle go")] = Path("build/demo"),
    keep: Annotated[bool, typer.Option("--keep", help="leave the processes' logs and stores in the folder")] = False,
) -> None:
    """The main job end to end in minutes: an export, 100 days, a killed worker, a report."""
    from deploy.demo.run import DemoPlan, run_demo

    raise typer.Exit(run_demo(DemoPlan(customers=customers, days=days, seed=seed, folder=folder, is_kept=keep)))


def up(
    brokers: Annotated[int, typer.Option(help="1, or 3 for a quorum")] = 1,
    partitions: Annotated[int, typer.Option(min=1, help="co-partitions")] = 4,
) -> None:
    """Start a local Kafka and Redis, create topics, publish the preset policy, say what to do next."""
    from deploy.hand_stack import start_stack

    start_stack(brokers=brokers, partitions=partitions)


def run(
    virtual: Annotated[
        bool, typer.Option("--virtual", help="time stands still until `perennial clock --virtual` moves it")
    ] = False,
) -> None:
    """Run every process of a small system in this terminal and show each mail that arrives."""
    from deploy.hand_run import run_everything

    run_everything(is_virtual=virtual)


def down() -> None:
    """Stop what `up` started."""
    from deploy.hand_stack import stop_stack

    stop_stack()


@topics.command("plan")
def plan_topics() -> None:
    """Show what `apply` would create or change, and what differs for good."""
    from deploy.installing import plan

    raise typer.Exit(plan())


@topics.command("apply")
def apply_topics() -> None:
    """Create what is missing, correct what may be corrected, verify the rest."""
    from deploy.installing import apply

    raise typer.Exit(apply())


def doctor() -> None:
    """Examine brokers, topics, Redis, mail server, clocks and data versions; each finding says what to do."""
    from deploy.doctor import examine_and_print

    raise typer.Exit(examine_and_print())


FIRST: dict[str, Callable[..., None] | typer.Typer] = {"demo": demo, "up": up, "run": run, "down": down}
COMMANDS: dict[str, Callable[..., None] | typer.Typer] = {"topics": topics, "doctor": doctor}
