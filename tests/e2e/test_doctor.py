"""`perennial doctor` on a real installation: sound where it is sound, and each fault by its name with what to do."""

from dataclasses import replace

from connectors.sources.publisher import Outgoing, Publisher
from deploy.demo.system import System, SystemPlan
from schemas import topics
from schemas.transport.admin import TopicAdmin
from schemas.transport.partitioner import partition_of


def test_a_sound_installation_has_nothing_bad_and_each_fault_is_named(where: SystemPlan) -> None:
    with System(where) as system:
        system.verb("topics", "apply")
        system.start_provider()
        sound = told_by_the_doctor(system)
        assert "│ x" not in sound, sound
        assert "as in the catalogue, co-partitioned" in sound
        TopicAdmin(system.kafka()).delete([topics.TASK])
        stray = (partition_of(b"C-1", where.partitions) + 1) % where.partitions
        with Publisher(system.kafka(), "foreign-partitioner") as publisher:
            publisher.publish([Outgoing(topic=topics.PAYMENT, key=b"C-1", value=b"?", partition=stray)])
        system.fleet.members["smtp"].stop()
        harmed = told_by_the_doctor(system, PERENNIAL_FAILPOINTS="engine.before_commit=kill@1")
    for finding in (topics.TASK, f"{topics.PAYMENT}: partitioner", "Connection refused", "engine.before_commit"):
        assert finding in harmed, harmed
    assert "perennial topics apply" in harmed


def test_a_cluster_that_is_away_is_one_finding_with_advice(where: SystemPlan) -> None:
    with System(replace(where, bootstrap_servers="127.0.0.1:1")) as system:
        told = told_by_the_doctor(system)
    assert "correct PERENNIAL_BOOTSTRAP_SERVERS" in told
    assert "Traceback" not in told


def told_by_the_doctor(system: System, **environment: str) -> str:
    """What the doctor prints under this environment."""
    return system.verb("doctor", is_ok=False, environment=environment)
