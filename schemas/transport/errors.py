"""What Kafka can answer, in our words.

TransportError
├── Fenced                a successor owns our transactional id: stop
│   └── OutOfGeneration   the group moved on without us: abort, drop what was fetched, rejoin
├── Abortable             this transaction failed, the producer did not: abort, then the batch may run again
├── CommitUnknown         a commit was not answered: repeat the commit, never the batch
├── InputsLost            a position points at records that are gone, or there is none
├── BrokerUnavailable     tried until the deadline; nothing is known to be wrong but time
├── BrokerRefused         authorization, unknown topic, bad configuration: trying again changes nothing
│   └── RecordTooLarge    larger than client or topic allow
└── DeliveryFailed        records outside a transaction that no broker acknowledged
"""

from confluent_kafka import KafkaError, KafkaException

from schemas.errors import TransportError


class Fenced(TransportError):
    """A successor owns our transactional id, or our transaction outlived its timeout; this producer is dead (I2)."""


class OutOfGeneration(Fenced):
    """The group gave our partitions to others; abort and drop what was fetched."""


class Abortable(TransportError):
    """The transaction cannot be committed any more; abort it, then the same batch may run again."""


class CommitUnknown(TransportError):
    """No answer to a commit before the deadline: it may stand. Repeat `commit`, never rerun the batch (I2)."""


class InputsLost(TransportError):
    """A position is outside what the log still holds, or missing; never reset silently (I3)."""


class BrokerUnavailable(TransportError):
    """No usable answer before the deadline, retries included."""


class BrokerRefused(TransportError):
    """The broker or the client refuses for good: authorization, unknown topic, configuration, a fatal state."""


class RecordTooLarge(BrokerRefused):
    """A record exceeds what the client or the topic allows."""


class DeliveryFailed(TransportError):
    """Records sent outside a transaction were not acknowledged by all in-sync replicas."""


_FENCED = {
    KafkaError._FENCED,  # noqa: SLF001  librdkafka's own codes are spelled so
    KafkaError.INVALID_PRODUCER_EPOCH,
    KafkaError.PRODUCER_FENCED,
    KafkaError.INVALID_PRODUCER_ID_MAPPING,
}
_OUT_OF_GENERATION = {
    KafkaError.ILLEGAL_GENERATION,
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError.FENCED_INSTANCE_ID,
    KafkaError.FENCED_MEMBER_EPOCH,
    KafkaError.STALE_MEMBER_EPOCH,
    KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError._MAX_POLL_EXCEEDED,  # noqa: SLF001
}
_LOST = {
    KafkaError._AUTO_OFFSET_RESET,  # noqa: SLF001
    KafkaError.OFFSET_OUT_OF_RANGE,
}
_TOO_LARGE = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE}
_PASSING = {
    KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
    KafkaError._NOENT,  # noqa: SLF001  how the admin client says that no partition asked about has a leader just now
    KafkaError._RESOLVE,  # noqa: SLF001
    KafkaError._TIMED_OUT,  # noqa: SLF001
    KafkaError._TIMED_OUT_QUEUE,  # noqa: SLF001
    KafkaError._TRANSPORT,  # noqa: SLF001
    KafkaError._WAIT_COORD,  # noqa: SLF001
    KafkaError.CONCURRENT_TRANSACTIONS,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.KAFKA_STORAGE_ERROR,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NETWORK_EXCEPTION,
    KafkaError.NOT_CONTROLLER,
    KafkaError.NOT_COORDINATOR,
    KafkaError.NOT_ENOUGH_REPLICAS,
    KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.OFFSET_NOT_AVAILABLE,
    KafkaError.REPLICA_NOT_AVAILABLE,
    KafkaError.REQUEST_TIMED_OUT,
    KafkaError.THROTTLING_QUOTA_EXCEEDED,
    KafkaError.UNSTABLE_OFFSET_COMMIT,
}


def error_of(raised: KafkaException) -> KafkaError:
    """Return the KafkaError inside an exception of the client."""
    error = raised.args[0]
    return error if isinstance(error, KafkaError) else KafkaError(KafkaError._FAIL, str(raised))  # noqa: SLF001


def is_passing(error: KafkaError) -> bool:
    """Tell whether the same call may succeed a little later."""
    return not error.fatal() and (error.retriable() or error.code() in _PASSING)


def translated(error: KafkaError, doing: str) -> TransportError:
    """Give an error of the client its name among ours; `doing` says what was tried, to what."""
    said = f"{doing}: {error.name()}: {error.str()}"
    code = error.code()
    for kind, codes in ((OutOfGeneration, _OUT_OF_GENERATION), (Fenced, _FENCED), (InputsLost, _LOST)):
        if code in codes:
            return kind(said)
    if error.txn_requires_abort() and not error.fatal():
        return Abortable(said)
    if code in _TOO_LARGE:
        return RecordTooLarge(said)
    return BrokerUnavailable(said) if is_passing(error) else BrokerRefused(said)
