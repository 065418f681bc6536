"""The contract of a registry, kept alike by the packaged file and by the client of a real one (law 4, I7, F14)."""

from collections.abc import Iterator

import msgspec
import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient, record_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from connectors.registry import ABSENT_FOR_MS, ASK_AGAIN_MS, HttpRegistry
from schemas.codec import Codec
from schemas.errors import SchemaUnavailable, UnknownSchema
from schemas.events import ContractChanged, PaymentRecorded, Tick
from schemas.registry import PackagedRegistry, Registry, current_schema, full_name
from tests.builders import a_contract, a_payment, a_tick
from tests.contract.registry_server import RegistryServer, running_registry


class HandTurnedClock:
    """A clock that stands until it is turned."""

    def __init__(self) -> None:
        self.now_ms = 0

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def server() -> Iterator[RegistryServer]:
    with running_registry() as running:
        yield running


@pytest.fixture
def clock() -> HandTurnedClock:
    return HandTurnedClock()


@pytest.fixture
def registry(server: RegistryServer, clock: HandTurnedClock) -> Iterator[HttpRegistry]:
    client = HttpRegistry(server.url, now_ms=clock)
    yield client
    client.close()


@pytest.fixture(params=["packaged", "http"])
def either(request: pytest.FixtureRequest) -> Registry:
    if request.param == "packaged":
        return PackagedRegistry()
    client: HttpRegistry = request.getfixturevalue("registry")
    return client


def unknown(registry: HttpRegistry, schema_id: int) -> type[Exception]:
    with pytest.raises((UnknownSchema, SchemaUnavailable)) as refused:
        registry.schema_of(schema_id)
    return refused.type


@pytest.mark.parametrize("record_type", [ContractChanged, PaymentRecorded, Tick])
def test_an_id_tells_the_schema_it_was_given_for(either: Registry, record_type: type[msgspec.Struct]) -> None:
    schema = current_schema(record_type)
    number = either.id_of(full_name(record_type), schema)
    assert either.schema_of(number) == schema
    assert either.id_of(full_name(record_type), schema) == number


def test_records_travel_under_the_ids_of_either_registry(either: Registry) -> None:
    codec = Codec(either)
    for record in (a_contract(), a_payment(), a_tick()):
        assert codec.decode(codec.encode(record), type(record)) == record


def test_a_schema_that_is_there_is_found_and_not_registered_again(
    server: RegistryServer, registry: HttpRegistry
) -> None:
    number = server.register(full_name(Tick), current_schema(Tick))
    assert registry.id_of(full_name(Tick), current_schema(Tick)) == number
    assert [line for line in server.asked if line.endswith("/versions")] == []


def test_what_was_told_once_needs_no_registry_any_more(server: RegistryServer, registry: HttpRegistry) -> None:
    codec = Codec(registry)
    value = codec.encode(a_tick())
    assert codec.decode(value, Tick) == a_tick()
    server.trouble = 503
    asked = len(server.asked)
    assert Codec(registry).decode(value, Tick) == a_tick()
    assert len(server.asked) == asked


def test_an_absent_id_is_waited_for_and_refused_after_thirty_seconds(
    server: RegistryServer, clock: HandTurnedClock, registry: HttpRegistry
) -> None:
    for _ in range(0, ABSENT_FOR_MS, ASK_AGAIN_MS):
        assert unknown(registry, 7) is SchemaUnavailable
        clock.now_ms += ASK_AGAIN_MS
    assert unknown(registry, 7) is UnknownSchema
    assert unknown(registry, 7) is UnknownSchema  # also for the next record in the same second
    server.schemas[7] = current_schema(Tick)
    clock.now_ms += ASK_AGAIN_MS
    assert registry.schema_of(7) == current_schema(Tick)


def test_an_absence_interrupted_by_trouble_is_counted_anew(
    server: RegistryServer, clock: HandTurnedClock, registry: HttpRegistry
) -> None:
    assert unknown(registry, 7) is SchemaUnavailable
    server.trouble = 503
    clock.now_ms += ABSENT_FOR_MS
    assert unknown(registry, 7) is SchemaUnavailable
    server.trouble = None
    clock.now_ms += ASK_AGAIN_MS
    assert unknown(registry, 7) is SchemaUnavailable


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_a_registry_in_trouble_never_makes_a_schema_unknown(
    server: RegistryServer, clock: HandTurnedClock, registry: HttpRegistry, status: int
) -> None:
    server.trouble = status
    for _ in range(3):
        assert unknown(registry, 7) is SchemaUnavailable
        clock.now_ms += 2 * ABSENT_FOR_MS


def test_a_registry_out_of_reach_is_waited_for_however_long(clock: HandTurnedClock) -> None:
    with running_registry() as gone:
        url = gone.url
    registry = HttpRegistry(url, now_ms=clock)
    try:
        for _ in range(3):
            assert unknown(registry, 7) is SchemaUnavailable
            clock.now_ms += 2 * ABSENT_FOR_MS
    finally:
        registry.close()


def test_a_slow_registry_holds_nobody_up_and_is_heard_in_the_end(
    server: RegistryServer, registry: HttpRegistry
) -> None:
    number = server.register(full_name(Tick), current_schema(Tick))
    server.answers.clear()
    assert unknown(registry, number) is SchemaUnavailable
    assert unknown(registry, number) is SchemaUnavailable
    server.answers.set()
    assert registry.schema_of(number) == current_schema(Tick)
    assert len(server.asked) == 1


def test_a_registry_is_not_asked_again_in_the_same_second(
    server: RegistryServer, clock: HandTurnedClock, registry: HttpRegistry
) -> None:
    server.trouble = 500
    for _ in range(5):
        assert unknown(registry, 7) is SchemaUnavailable
    assert len(server.asked) == 1
    clock.now_ms += ASK_AGAIN_MS
    assert unknown(registry, 7) is SchemaUnavailable
    assert len(server.asked) == 2


def test_a_refused_registration_is_no_reason_to_wait(server: RegistryServer, registry: HttpRegistry) -> None:
    server.trouble = 409
    with pytest.raises(UnknownSchema, match="incompatible"):
        Codec(registry).encode(a_tick())


def test_confluents_own_serializer_meets_us_in_the_registry(server: RegistryServer, registry: HttpRegistry) -> None:
    serialize = AvroSerializer(
        SchemaRegistryClient({"url": server.url}),
        current_schema(PaymentRecorded),
        conf={"subject.name.strategy": record_subject_name_strategy},
    )
    value = serialize(msgspec.to_builtins(a_payment()), SerializationContext("billing", MessageField.VALUE))
    assert Codec(registry).decode(value, PaymentRecorded) == a_payment()
    assert Codec(registry).encode(a_payment()) == value
