"""`perennial doctor`: looks at everything an installation rests on; each finding says what to do."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

from connectors.queries.clocks import broker_ahead_ms
from connectors.queries.neighbours import NoAnswer, ask_redis, ask_smtp
from connectors.queries.placement import misplaced
from deploy import topics
from deploy.installing import topics_of
from deploy.settings import Installation, installation
from schemas.errors import TransportError
from schemas.transport.admin import TopicAdmin

LARGEST_TRANSACTION_MS = 60_000  # I6: a hung upstream must not hold time for longer
SHORTEST_OFFSETS_MINUTES = 7 * 24 * 60
LARGEST_SKEW_MS = 2_000  # channels believe a heartbeat for 3 s


class Health(StrEnum):
    """How bad a finding is."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at; `advice` is empty only when it is good."""

    what: str
    health: Health
    found: str
    advice: str = ""


def examine_and_print() -> int:
    """Examine this installation and print what was found; 1 when something is bad."""
    findings = tuple(examine(installation()))
    table = Table()
    for name in ("", "what", "found", "what to do"):
        table.add_column(name, overflow="fold")
    marks = {Health.GOOD: ("ok", "green"), Health.WARNING: ("!", "yellow"), Health.BAD: ("x", "bold red")}
    for one in findings:
        mark, style = marks[one.health]
        table.add_row(Text(mark, style=style), one.what, one.found, one.advice)
    Console().print(table)
    return int(any(one.health is Health.BAD for one in findings))


def examine(here: Installation) -> Iterator[Finding]:
    """Look at brokers, topics, neighbours, clocks, data and failpoints; a broker that is away ends the list early."""
    admin = TopicAdmin(here.kafka("doctor"))
    try:
        settings = admin.broker_settings()
    except TransportError as problem:
        yield bad("brokers", str(problem), "start Kafka, or correct PERENNIAL_BOOTSTRAP_SERVERS")
    else:
        yield good("brokers", f"{len(settings)} answer at {here.bootstrap_servers}")
        yield from broker_findings(settings)
        yield from topic_findings(topics.plan(admin, topics_of(here), partitions=here.partitions))
        yield from _placement(here)
        yield from _clock(here)
    yield from _neighbours(here)
    yield from data_findings()
    yield failpoint_finding(tuple(part.strip() for part in here.failpoints.split(",") if part.strip()))


def broker_findings(brokers: dict[int, dict[str, str]]) -> Iterator[Finding]:
    """Judge the settings that our promises rest on."""
    for number, settings in brokers.items():
        yield _at_most(number, settings, "transaction.max.timeout.ms", LARGEST_TRANSACTION_MS)
        yield _at_least(number, settings, "offsets.retention.minutes", SHORTEST_OFFSETS_MINUTES)
        created = settings.get("auto.create.topics.enable", "true")
        what = f"broker {number}: auto.create.topics.enable"
        if created == "false":
            yield good(what, created)
        else:
            yield bad(what, created, "set it to false: a typing error would become a topic with wrong partitions")


def topic_findings(differences: Iterable[topics.Difference]) -> Iterator[Finding]:
    """Judge topics, co-partitioning included: every catalogue topic has the same number of partitions."""
    found = tuple(differences)
    for one in found:
        yield bad(f"{one.topic}: {one.what}", f"{one.found}, expected {one.expected}", one.advice)
    if not found:
        yield good("topics", "as in the catalogue, co-partitioned")


def partitioner_findings(misplaced: Mapping[str, int]) -> Iterator[Finding]:
    """Judge where upstream puts its records; misplaced ones are re-routed, at a price and out of order."""
    for topic, count in misplaced.items():
        advice = "let that producer use murmur2 (Java's default; librdkafka: partitioner=murmur2_random)"
        yield warning(f"{topic}: partitioner", f"{count} of the newest records lie in a wrong partition", advice)
    if not misplaced:
        yield good("partitioner", "every record looked at lies where its key belongs")


def data_findings() -> Iterator[Finding]:
    """Tell the version of the zone data, which must be the pinned one on every host (P8)."""
    version = metadata.version("tzdata")
    system = ZoneInfo("Europe/Berlin")  # raises where no data is found at all
    yield good("zone data", f"tzdata {version} ({system.key} found); must be the same on every worker")


def failpoint_finding(armed: tuple[str, ...]) -> Finding:
    """Failpoints are for tests; armed anywhere else they are an accident waiting."""
    if armed:
        return bad("failpoints", ", ".join(armed), "unset PERENNIAL_FAILPOINTS and restart what was started with it")
    return good("failpoints", "none armed")


def good(what: str, found: str) -> Finding:
    """Nothing to do."""
    return Finding(what=what, health=Health.GOOD, found=found)


def bad(what: str, found: str, advice: str) -> Finding:
    """Something to do before the next run."""
    return Finding(what=what, health=Health.BAD, found=found, advice=advice)


def warning(what: str, found: str, advice: str) -> Finding:
    """Something to look at."""
    return Finding(what=what, health=Health.WARNING, found=found, advice=advice)


def _at_most(number: int, settings: dict[str, str], name: str, most: int) -> Finding:
    value = int(settings.get(name, "0"))
    what = f"broker {number}: {name}"
    advice = f"set it to {most} or less in server.properties"
    return good(what, str(value)) if value <= most else bad(what, str(value), advice)


def _at_least(number: int, settings: dict[str, str], name: str, least: int) -> Finding:
    value = int(settings.get(name, "0"))
    what = f"broker {number}: {name}"
    advice = f"set it to {least} or more: positions of a worker that is away would be forgotten"
    return good(what, str(value)) if value >= least else bad(what, str(value), advice)


def _placement(here: Installation) -> Iterator[Finding]:
    try:
        yield from partitioner_findings(misplaced(here.kafka("doctor"), here.partitions))
    except TransportError as problem:
        yield warning("partitioner", str(problem), "create the topics first: `perennial topics apply`")


def _clock(here: Installation) -> Iterator[Finding]:
    try:
        ahead_ms = broker_ahead_ms(here.kafka("doctor"))
    except TransportError as problem:
        yield warning("clock skew", str(problem), "allow this account to create and delete a topic")
        return
    found = f"the broker is {ahead_ms:+d} ms ahead of this host"
    if abs(ahead_ms) <= LARGEST_SKEW_MS:
        yield good("clock skew", found)
    else:
        yield bad("clock skew", found, "synchronise the clocks (NTP): channels would pause, ticks would be held back")


def _neighbours(here: Installation) -> Iterator[Finding]:
    if here.redis_url:
        yield _asked("Redis", lambda: ask_redis(here.redis_url), "start it, or correct PERENNIAL_REDIS_URL")
    else:
        yield warning("Redis", "not named", "set PERENNIAL_REDIS_URL; channels and contacts need it")
    where = f"{here.smtp_host}:{here.smtp_port}"
    if here.smtp_port:
        yield _asked("mail server", lambda: ask_smtp(here.smtp_host, here.smtp_port), f"start it, or correct {where}")
    else:
        yield warning("mail server", "not named", "set PERENNIAL_SMTP_HOST and PERENNIAL_SMTP_PORT")


def _asked(what: str, ask: Callable[[], str], advice: str) -> Finding:
    try:
        return good(what, ask())
    except NoAnswer as problem:
        return bad(what, str(problem), advice)
