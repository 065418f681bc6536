"""The report of a run: one HTML page that needs nothing else, in light and dark, for any eyes."""

import shlex
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from deploy.demo import picture
from deploy.demo.account import OUTCOMES, UNSETTLED, Account
from deploy.demo.plan import PlannedRow, World
from deploy.demo.samples import Sample

LATENESS_MEANS = (
    "On the virtual clock time waits for whoever is down, so lateness shows only touches that were moved; "
    "lateness by the wall clock is what the real-clock test measures."
)
_TEMPLATE = "report.html.j2"
_SECOND_MS, _MINUTE_MS = 1_000, 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """The moment a worker was killed: domain day, and how long it was away, wall time."""

    target: str
    kind: str
    day: date
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How the run went, beside its account."""

    ticks: int
    seconds: float
    kills: Sequence[Kill]


def write_report(path: Path, world: World, account: Account, course: Course, samples: Sequence[Sample]) -> None:
    """Write the page."""
    plan = world.plan
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    page = templates.get_template(_TEMPLATE).render(
        plan=plan,
        account=account,
        outcomes=OUTCOMES,
        first_day=plan.starts_on.isoformat(),
        last_day=(plan.starts_on + timedelta(days=plan.days - 1)).isoformat(),
        ticks=f"{course.ticks:,}",
        seconds=round(course.seconds),
        harms=course.kills,
        picture=_picture(world, account, course.kills),
        width=picture.WIDTH,
        height=picture.HEIGHT,
        left=picture.LEFT,
        top=picture.TOP,
        lateness={name: spelled_duration(value) for name, value in account.lateness().items()},
        lateness_means=LATENESS_MEANS,
        samples=samples,
        judge=judge_command(path.parent),
    )
    path.write_text(page, encoding="utf-8")


def judge_command(folder: Path) -> str:
    """What to type in the project's folder to have the oracle judge a bundle."""
    return shlex.join([sys.executable, "-m", "tests.oracle", str(folder)])


def spelled_duration(duration_ms: int) -> str:
    """A duration as people read it."""
    if duration_ms < _SECOND_MS:
        return f"{duration_ms} ms"
    if duration_ms < _MINUTE_MS:
        return f"{duration_ms / _SECOND_MS:.1f} s"
    return f"{duration_ms / _MINUTE_MS:.0f} min"


def _picture(world: World, account: Account, kills: Sequence[Kill]) -> picture.Picture:
    days = picture.span(world.plan.starts_on, world.plan.days)
    return picture.picture_of(account.by_day, (*OUTCOMES, UNSETTLED), _marks(world, kills), days)


def _marks(world: World, kills: Sequence[Kill]) -> Mapping[date, list[tuple[str, str]]]:
    marks: dict[date, list[tuple[str, str]]] = {}
    for day, count in sorted(_payments(world).items()):
        marks.setdefault(day, []).append(("paid", f"{count:,} payments"))
    for kill in kills:
        marks.setdefault(kill.day, []).append(("kill", f"{kill.target}: {kill.kind}"))
    return marks


def _payments(world: World) -> Counter[date]:
    paid = (one for one in world.schedule if isinstance(one, PlannedRow) and one.fields.get("kind") == "paid")
    return Counter(day_of(one.at_ms) for one in paid)


def day_of(instant_ms: int) -> date:
    """The UTC day of an instant."""
    return datetime.fromtimestamp(instant_ms / 1000, UTC).date()
