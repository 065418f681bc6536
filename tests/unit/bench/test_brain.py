"""The counting brain does the work of the peers, through the engine's door."""

from pathlib import Path

from schemas import topics
from schemas.codec import packaged_codec
from tests.bench.brain import CountingBrain
from tests.bench.contender import FIRST_FILE, Orders
from tests.bench.work import NOTHING_YET, decode_figures, fold, numbered
from tests.bench.workload import TOPIC_OF, Workload


def orders_in(folder: Path) -> Orders:
    return Orders(
        bootstrap_servers="", prefix="x-", application="a", partitions=4, cadence=2_000, folder=str(folder), core=-1
    )


def test_its_states_and_outputs_are_those_of_the_peers(tmp_path: Path) -> None:
    brain, codec = CountingBrain(orders_in(tmp_path)), packaged_codec()
    state, figures, said = None, NOTHING_YET, []
    for fact in Workload(seed=1, records=1).facts():
        for _ in range(7):
            given = brain.decoders[TOPIC_OF[type(fact)]](b"", codec.encode(fact))
            assert brain.customer_of(given) == fact.customer_id.encode()
            state, emissions = brain.step(state, given, b"", 0)
            figures = fold(figures, fact)
            said += [(topic, numbered(value or b"")[1]) for topic, _, value, _ in emissions]
    assert brain.decode_state(brain.encode_state(state)) == decode_figures(brain.encode_state(figures))
    assert said == [(topics.DECISION, 3), (topics.DECISION, 6)]


def test_the_first_record_of_a_process_is_marked_once(tmp_path: Path) -> None:
    brain, codec = CountingBrain(orders_in(tmp_path)), packaged_codec()
    mark = tmp_path / FIRST_FILE
    assert not mark.exists()
    fact = next(Workload(seed=1, records=1).facts())
    decode = brain.decoders[TOPIC_OF[type(fact)]]
    decode(b"", codec.encode(fact))
    first = mark.read_bytes()
    decode(b"", codec.encode(fact))
    assert mark.read_bytes() == first
