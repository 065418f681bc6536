"""What goes in: events from files, and policies."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

policy = typer.Typer(no_args_is_help=True, help="The rules in force, published to every partition.")


def publish(
    file: Annotated[Path, typer.Argument(help="JSON Lines or CSV; '-' is not read, give a file")],
    encoding: Annotated[
        str, typer.Option(help="of the file, such as gb18030; default: byte order mark, else UTF-8")
    ] = "",
    record: Annotated[
        str, typer.Option("--type", help="of rows without a `type`: customer, contract, payment, engagement, request")
    ] = "",
) -> None:
    """Publish events from a file; a customer's contact is split off and encrypted.

    Each row is one record, for example:

      {"type": "contract", "customer_id": "C-1", "contract_id": "K-1", "version": 1, "starts_on": "2026-01-01", ...}

    Rows that are no record go to FILE.rejects.jsonl with line number and cause; the others are published.
    Publishing a file twice changes nothing. Exit status 3: some rows were rejected.
    """
    from deploy.publishing import publish_file

    raise typer.Exit(publish_file(file, encoding=encoding, record=record))


@policy.command("publish")
def publish_policy(
    file: Annotated[Path, typer.Argument(help="a policy in YAML, such as processors/presets/closing.yaml")],
    number: Annotated[int, typer.Option(min=0, help="its number, above all before; 0 = the next one")] = 0,
    operator: Annotated[str, typer.Option(help="who publishes it")] = "",
) -> None:
    """Put a policy in force: checked first, then one copy for every partition, in one transaction."""
    from deploy.publishing import publish_policy_file

    publish_policy_file(file, number=number, operator=operator)


COMMANDS: dict[str, Callable[..., None] | typer.Typer] = {"publish": publish, "policy": policy}
