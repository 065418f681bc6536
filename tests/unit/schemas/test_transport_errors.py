"""What the client's error codes are called among ours."""

import pytest
from confluent_kafka import KafkaError

from schemas.errors import TransportError
from schemas.transport.errors import (
    Abortable,
    BrokerRefused,
    BrokerUnavailable,
    Fenced,
    InputsLost,
    OutOfGeneration,
    RecordTooLarge,
    translated,
)

# librdkafka's own codes, by number: their names begin with an underscore
CLIENT_FENCED, CLIENT_AUTO_OFFSET_RESET, CLIENT_TRANSPORT, CLIENT_NO_ENTRY = -144, -140, -195, -156


@pytest.mark.parametrize(
    ("error", "name"),
    [
        pytest.param(KafkaError(CLIENT_FENCED, fatal=True), Fenced, id="fenced"),
        pytest.param(KafkaError(KafkaError.PRODUCER_FENCED), Fenced, id="producer fenced"),
        pytest.param(KafkaError(KafkaError.INVALID_PRODUCER_EPOCH, fatal=True), Fenced, id="epoch"),
        pytest.param(KafkaError(KafkaError.UNKNOWN_MEMBER_ID), OutOfGeneration, id="unknown member"),
        pytest.param(
            KafkaError(KafkaError.ILLEGAL_GENERATION, txn_requires_abort=True), OutOfGeneration, id="generation"
        ),
        pytest.param(KafkaError(CLIENT_AUTO_OFFSET_RESET), InputsLost, id="out of range"),
        pytest.param(KafkaError(KafkaError.UNKNOWN, txn_requires_abort=True), Abortable, id="abort"),
        pytest.param(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE), RecordTooLarge, id="too large"),
        pytest.param(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED), BrokerRefused, id="authorization"),
        pytest.param(KafkaError(KafkaError.UNKNOWN, fatal=True), BrokerRefused, id="fatal"),
        pytest.param(KafkaError(CLIENT_TRANSPORT), BrokerUnavailable, id="connection"),
        pytest.param(KafkaError(CLIENT_NO_ENTRY), BrokerUnavailable, id="no leaders"),
        pytest.param(KafkaError(KafkaError.UNKNOWN, retriable=True), BrokerUnavailable, id="retriable"),
    ],
)
def test_an_error_of_the_client_gets_one_of_our_names(error: KafkaError, name: type[TransportError]) -> None:
    ours = translated(error, "commit (app-3)")
    assert type(ours) is name
    assert str(ours).startswith("commit (app-3): ")
