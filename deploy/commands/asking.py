"""Questions: why did she (not) get it, and what comes next."""

from collections.abc import Callable
from typing import Annotated

import typer


def explain(
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="the customer's id, as the CRM writes it")],
) -> None:
    """Tell a customer's story: what was sent, what was not and why, what comes next and when."""
    from deploy.answers import print_explanation

    print_explanation(customer)


def upcoming(
    days: Annotated[int, typer.Option(min=1, max=400, help="how far to look ahead, in days")] = 30,
) -> None:
    """Count the touches to come by day and channel, as they stand now."""
    from deploy.answers import print_upcoming

    print_upcoming(days)


COMMANDS: dict[str, Callable[..., None] | typer.Typer] = {"explain": explain, "upcoming": upcoming}
