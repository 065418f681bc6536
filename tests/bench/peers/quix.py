"""Quix Streams, exactly once: the inputs concatenated, state per customer in RocksDB; runs in `.venv-bench`.

Its changelog is named by itself: `changelog__<group>--<stream>--default`.
"""

from quixstreams import Application, State  # type: ignore[import-not-found]  # in an environment of its own

from tests.bench.contender import Orders, marked, orders_from_command_line
from tests.bench.work import DECODERS, NOTHING_YET, decode_figures, encode_figures, fold, output
from tests.bench.workload import Fact

STATE_KEY = b"f"


def application(orders: Orders) -> Application:
    """Give the app with its dataframe."""
    app = Application(
        broker_address=orders.bootstrap_servers,
        consumer_group=orders.group,
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        state_dir=orders.folder,
        loglevel="WARNING",
        commit_every=orders.cadence,
    )
    frames = [
        app.dataframe(app.topic(name, key_deserializer="bytes", value_deserializer="bytes")).apply(
            marked(orders, DECODERS[topic])
        )
        for name, topic in orders.inputs().items()
    ]
    merged = frames[0]
    for frame in frames[1:]:
        merged = merged.concat(frame)
    # to concatenate makes it read all topics in the order of their timestamps, which this work does not ask for; left
    # on, it waits a second at a time and is three times slower
    app._dataframe_registry._requires_time_alignment = False  # noqa: SLF001
    decided = merged.apply(_decide, stateful=True).filter(_is_given)
    decided.to_topic(app.topic(orders.output, key_serializer="bytes", value_serializer="bytes"))
    return app


def _decide(fact: Fact, state: State) -> bytes | None:
    row = state.get_bytes(STATE_KEY)
    figures = fold(decode_figures(row) if row else NOTHING_YET, fact)
    state.set_bytes(STATE_KEY, encode_figures(figures))
    return output(figures, fact)


def _is_given(decision: bytes | None) -> bool:
    return decision is not None


if __name__ == "__main__":
    application(orders_from_command_line()).run()
