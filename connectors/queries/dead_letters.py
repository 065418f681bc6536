"""Dead letters: records refused and touches given up, newest first."""

from collections.abc import Iterator

from connectors.queries.topic_records import records_in
from schemas.codec import Codec
from schemas.errors import PerennialError
from schemas.outputs import DeadLetter
from schemas.topics import DEAD_LETTER
from schemas.transport.settings import KafkaSettings


class NoSuchDeadLetter(PerennialError):
    """No dead letter, or more than one, begins with the given id."""


def dead_letters(settings: KafkaSettings, codec: Codec, partitions: int, *, customer_id: str = "") -> list[DeadLetter]:
    """All dead letters, or one customer's, newest first."""
    found = [one for one in _all(settings, codec, partitions) if customer_id in {"", one.customer_id}]
    return sorted(found, key=lambda one: one.dead_at_ms, reverse=True)


def dead_letter(settings: KafkaSettings, codec: Codec, partitions: int, beginning: str) -> DeadLetter:
    """The one dead letter whose id begins so.

    Raises:
        NoSuchDeadLetter: there is none, or several; the message says what to do.
    """
    found = [one for one in _all(settings, codec, partitions) if one.dead_letter_id.startswith(beginning)]
    if len({one.dead_letter_id for one in found}) != 1:
        several = f"{len(found)} dead letters begin with {beginning!r}: give more of it"
        none = f"no dead letter begins with {beginning!r}: see `perennial dead-letters list`"
        raise NoSuchDeadLetter(several if found else none)
    return found[0]


def _all(settings: KafkaSettings, codec: Codec, partitions: int) -> Iterator[DeadLetter]:
    decode = codec.decoder(DeadLetter)
    return (decode(record.value) for record in records_in(settings, DEAD_LETTER, partitions))
