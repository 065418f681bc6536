"""How what Kafka cannot do for a connector process names that process's end (law of named exits, F05)."""

from collections.abc import Iterator
from contextlib import contextmanager

from schemas.errors import ExitCode, ExitError, TransportError
from schemas.transport.errors import (
    Abortable,
    BrokerUnavailable,
    CommitUnknown,
    DeliveryFailed,
    Fenced,
    InputsLost,
)


@contextmanager
def named_exits() -> Iterator[None]:
    """Give every broken promise of Kafka the code under which the process ends."""
    try:
        yield
    except Fenced as fenced:
        raise ExitError(ExitCode.FENCED, f"another process owns our partitions: {fenced}") from fenced
    except InputsLost as lost:
        raise ExitError(ExitCode.INPUTS_LOST, str(lost)) from lost
    except (Abortable, CommitUnknown) as unknown:
        raise ExitError(ExitCode.COMMIT_UNKNOWN, str(unknown)) from unknown
    except (BrokerUnavailable, DeliveryFailed) as away:
        raise ExitError(ExitCode.BROKER_UNAVAILABLE, str(away)) from away
    except TransportError as refused:
        raise ExitError(ExitCode.BROKER_REFUSED, str(refused)) from refused
