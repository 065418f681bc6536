"""Plain Faust: one agent over all inputs, a table in memory, at least once, on the fast loop."""

import faust
from mode.loop import use

from tests.bench.contender import Orders, marked, orders_from_command_line
from tests.bench.work import DECODERS, NOTHING_YET, decode_figures, encode_figures, fold, output


def application(orders: Orders) -> faust.App:
    """Give the app."""
    app = faust.App(
        orders.group,
        broker="kafka://" + orders.bootstrap_servers,
        store="memory://",
        topic_partitions=orders.partitions,
        topic_replication_factor=1,
        topic_disable_leader=True,
        table_standby_replicas=0,
        web_enabled=False,
        datadir=orders.folder,
        broker_commit_every=orders.cadence,
    )
    raw: faust.Schema[bytes, bytes] = faust.Schema(
        key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
    )
    inputs = app.topic(*orders.inputs(), partitions=orders.partitions, schema=raw)
    outputs = app.topic(orders.output, partitions=orders.partitions, schema=raw)
    table = app.Table("state", partitions=orders.partitions, key_type=bytes, value_type=bytes)
    decoders = {name: marked(orders, DECODERS[topic]) for name, topic in orders.inputs().items()}

    @app.agent(inputs)
    async def figures(stream: faust.StreamT[bytes]) -> None:
        async for event in stream.events():
            fact = decoders[event.message.topic](event.value)
            row = table.get(event.key)
            after = fold(decode_figures(row) if row else NOTHING_YET, fact)
            table[event.key] = encode_figures(after)
            decision = output(after, fact)
            if decision is not None:
                await outputs.send(key=event.key, value=decision)

    return app


if __name__ == "__main__":
    use("uvloop")
    faust.Worker(application(orders_from_command_line()), loglevel="warn").execute_from_commandline()
