"""A cluster's topics in memory: the twin of `schemas.transport.admin.TopicAdmin`, kept alike by the contract suite."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from schemas.transport.admin import TopicFound, TopicPlan

BROKER_DEFAULTS = {
    "cleanup.policy": "delete",
    "retention.ms": "604800000",
    "delete.retention.ms": "86400000",
    "message.timestamp.type": "CreateTime",
    "max.message.bytes": "1048588",
}


class MemoryCluster:
    """Topics by name; what exists is left as it is, as on a real cluster."""

    def __init__(self) -> None:
        self.topics: dict[str, TopicFound] = {}

    def create(self, plans: Iterable[TopicPlan]) -> frozenset[str]:
        new = {plan.name: plan for plan in plans if plan.name not in self.topics}
        for plan in new.values():
            self.topics[plan.name] = TopicFound(
                name=plan.name,
                partitions=plan.partitions,
                replication=1,
                settings=BROKER_DEFAULTS | dict(plan.settings),
            )
        return frozenset(new)

    def describe(self, names: Iterable[str] | None = None) -> dict[str, TopicFound]:
        wanted = set(self.topics) if names is None else set(names)
        return {name: topic for name, topic in self.topics.items() if name in wanted}

    def change_settings(self, name: str, settings: Mapping[str, str]) -> None:
        found = self.topics[name]
        self.topics[name] = replace(found, settings=dict(found.settings) | dict(settings))
