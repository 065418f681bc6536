"""When a tick may be applied, and how fresh a partition may call itself (I6, I11): comparisons of positions."""

from collections.abc import Collection, Mapping

from schemas.events import Tick


def is_passed(tick: Tick, positions: Mapping[str, int], topics: Collection[str]) -> bool:
    """Tell whether the applied positions have reached what these topics held when the tick was stamped.

    Positions, not offsets of records: markers of transactions take offsets too. A topic the clock did not measure is
    not passed: an unknown end is no permission.
    """
    ends = tick.barrier
    return all(topic in ends and positions.get(topic, -1) >= ends[topic] for topic in topics)
