"""Whether the run healed and proved anything: without that no verdict counts."""

from collections.abc import Iterator
from dataclasses import dataclass

from schemas import topics
from schemas.outputs import HeartbeatSent
from tests.oracle.calendar import zone_data_version
from tests.oracle.expectation import Verdict
from tests.oracle.inputs import policies_of
from tests.oracle.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """How much a run must prove: most of its verdicts sharp (races: half), and each of them present."""

    either_at_most: float = 0.05
    verdicts: frozenset[Verdict] = frozenset(Verdict)


TINY = Demands(either_at_most=1.0, verdicts=frozenset())


def faults_of(run: Run, demands: Demands) -> Iterator[str]:
    """Everything that keeps the run as a whole from counting, as sentences."""
    yield from _not_healed(run)
    yield from (
        f"{row.kind} of {row.target} has no proof that it took effect" for row in run.bundle.nemesis if not row.proof
    )
    if _release(run.bundle.manifest.tzdata) not in {"", _release(zone_data_version())}:
        yield f"it ran on zone data {run.bundle.manifest.tzdata}, and this verdict rests on {zone_data_version()}"
    yield from _proves_nothing(run, demands)


def either_share(run: Run) -> float:
    """Share of due touches about which evidence leaves both open."""
    due = [touch for touch in run.expected.values() if touch.is_due]
    return sum(touch.verdict is Verdict.EITHER for touch in due) / len(due) if due else 0.0


def _release(version: str) -> str:
    """Name zone data as its package does: 2026f is 2026.6."""
    return f"{version[:-1]}.{ord(version[-1]) - ord('a') + 1}" if version[-1:].islower() else version


def _not_healed(run: Run) -> Iterator[str]:
    last: dict[int, HeartbeatSent] = {}
    for one in run.bundle.topics[topics.FENCE]:
        if isinstance(one.record, HeartbeatSent):
            last[one.partition] = one.record
    policies = policies_of(run.bundle, run.inputs.timelines)
    for partition, timeline in run.inputs.timelines.items():
        if not policies.get(partition):
            yield f"partition {partition} has no policy that can be read"
        heartbeat = last.get(partition)
        if not timeline.stamps:
            yield f"partition {partition} never had a tick"
        elif heartbeat is None:
            yield f"partition {partition} never sent a heartbeat"
        elif heartbeat.watermark_at_ms < timeline.last_ms:
            behind_ms = timeline.last_ms - heartbeat.watermark_at_ms
            yield f"partition {partition} did not heal: its watermark is {behind_ms} ms behind its last tick"
        elif heartbeat.outstanding:
            yield f"partition {partition} did not heal: {heartbeat.outstanding} commands are outstanding"


def _proves_nothing(run: Run, demands: Demands) -> Iterator[str]:
    share = either_share(run)
    if share > demands.either_at_most:
        yield f"{share:.1%} of the touches may go either way; at most {demands.either_at_most:.0%} may"
    present = {touch.verdict for touch in run.expected.values() if touch.is_due}
    for verdict in sorted(demands.verdicts - present):
        yield f"no touch is {verdict}: the run proves nothing about such touches"
