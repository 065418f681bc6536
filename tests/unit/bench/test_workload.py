"""The traffic of the bench: seeded, sized, mixed as announced."""

import random
from collections import Counter
from itertools import islice

from schemas.codec import HEADER_BYTES, packaged_codec
from schemas.events import ContractChanged
from tests.bench.steady import steady_facts
from tests.bench.workload import TOPIC_OF, TOPICS, Workload, padded

SOME = Workload(seed=7, records=5_000)


def test_one_seed_gives_one_workload_and_another_seed_another() -> None:
    assert list(SOME.facts()) == list(SOME.facts())
    assert list(SOME.facts()) != list(Workload(seed=8, records=5_000).facts())


def test_there_are_exactly_as_many_records_as_asked_for_in_all_four_topics() -> None:
    by_topic = Counter(TOPIC_OF[type(fact)] for fact in SOME.facts())
    assert by_topic.total() == 5_000
    assert set(by_topic) == set(TOPICS)
    assert by_topic[TOPICS[3]] > by_topic[TOPICS[1]] > by_topic[TOPICS[2]] > 0


def test_some_records_are_repeated_and_some_contracts_arrive_with_an_older_version() -> None:
    facts = list(SOME.facts())
    repeated = len(facts) - len({fact.event_id for fact in facts})
    assert 50 < repeated < 200
    contracts = [fact for fact in facts if isinstance(fact, ContractChanged)]
    assert any(fact.version % 10 for fact in contracts)


def test_two_records_of_one_contract_never_share_a_version_unless_they_are_one_record() -> None:
    versions = {(fact.contract_id, fact.version): fact for fact in SOME.facts() if isinstance(fact, ContractChanged)}
    for fact in SOME.facts():
        if isinstance(fact, ContractChanged):
            assert versions[fact.contract_id, fact.version] == fact


def test_every_record_is_400_to_500_bytes_of_avro() -> None:
    codec, rnd = packaged_codec(), random.Random(1)
    sizes = [len(padded(codec, rnd, fact)) - HEADER_BYTES for fact in islice(SOME.facts(), 1_000)]
    assert min(sizes) >= 398
    assert max(sizes) <= 501
    assert 440 < sum(sizes) / len(sizes) < 460


def test_a_steady_load_never_repeats_an_id_and_uses_six_topics() -> None:
    sent = list(islice(steady_facts(seed=3), 21_000))
    assert len({fact.event_id for _, _, fact in sent}) == 21_000
    assert len({topic for topic, _, _ in sent}) == 6
