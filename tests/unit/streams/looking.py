"""What tests look at in a world of the probing brain."""

from schemas.changelog import state_row_key
from schemas.topics import DECISION
from tests.unit.streams.probing import Probe, ProbingBrain
from tests.unit.streams.world import World

ANN, BOB = b"ann", b"bob"


def probe(world: World, customer: bytes, partition: int = 0) -> Probe:
    """A customer's state as the changelog has it."""
    return ProbingBrain().decode_state(world.changelog(partition)[state_row_key(customer)])


def said(world: World, partition: int = 0) -> list[bytes | None]:
    """What readers of decisions see."""
    return [record.value for record in world.records(DECISION, partition)]
