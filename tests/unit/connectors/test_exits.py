"""What Kafka cannot do ends a connector process under a name (F05)."""

import pytest

from connectors.exits import named_exits
from schemas.errors import ExitCode, ExitError, TransportError
from schemas.transport.errors import (
    Abortable,
    BrokerRefused,
    BrokerUnavailable,
    CommitUnknown,
    DeliveryFailed,
    Fenced,
    InputsLost,
    OutOfGeneration,
    RecordTooLarge,
)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (Fenced, ExitCode.FENCED),
        (OutOfGeneration, ExitCode.FENCED),
        (InputsLost, ExitCode.INPUTS_LOST),
        (Abortable, ExitCode.COMMIT_UNKNOWN),
        (CommitUnknown, ExitCode.COMMIT_UNKNOWN),
        (BrokerUnavailable, ExitCode.BROKER_UNAVAILABLE),
        (DeliveryFailed, ExitCode.BROKER_UNAVAILABLE),
        (BrokerRefused, ExitCode.BROKER_REFUSED),
        (RecordTooLarge, ExitCode.BROKER_REFUSED),
        (TransportError, ExitCode.BROKER_REFUSED),
    ],
)
def test_every_answer_of_kafka_has_an_exit_of_its_name(kind: type[TransportError], code: ExitCode) -> None:
    with pytest.raises(ExitError) as ended, named_exits():
        raise kind("what was tried")
    assert ended.value.code is code
    assert "what was tried" in str(ended.value)


def test_a_named_exit_keeps_its_name() -> None:
    with pytest.raises(ExitError) as ended, named_exits():
        raise ExitError(ExitCode.SETTINGS_INVALID, "no such channel")
    assert ended.value.code is ExitCode.SETTINGS_INVALID
