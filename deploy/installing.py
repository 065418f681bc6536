"""Topics of the catalogue onto the cluster: shown, applied, verified."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from deploy import topics
from deploy.settings import Installation, installation
from deploy.topics import Difference
from schemas.topics import Topic, catalogue
from schemas.transport.admin import TopicAdmin


def plan() -> int:
    """Show what differs; 1 when something does."""
    here = installation()
    return show(topics.plan(TopicAdmin(here.kafka()), topics_of(here), partitions=here.partitions))


def apply() -> int:
    """Create and correct, then show what remains to be done by hand; 1 when something does."""
    return show(apply_to(installation()))


def apply_to(here: Installation) -> tuple[Difference, ...]:
    """Create and correct the topics of an installation; gives what remains."""
    return topics.apply(TopicAdmin(here.kafka()), topics_of(here), partitions=here.partitions)


def topics_of(here: Installation) -> tuple[Topic, ...]:
    """Every topic that this installation needs."""
    return catalogue(application=here.application, channels=here.channels)


def show(differences: Sequence[Difference]) -> int:
    """Print differences; 0 when there is none."""
    console = Console()
    if not differences:
        console.print("every topic is as the catalogue wants it")
        return 0
    table = Table()
    for name in ("topic", "what", "expected", "found", "how", "advice"):
        table.add_column(name, overflow="fold")
    for one in differences:
        table.add_row(one.topic, one.what, one.expected, one.found, one.remedy.value, one.advice)
    console.print(table)
    return 1
