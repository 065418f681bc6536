"""The real brain in the engine: a season of a few customers on a log in memory, with a channel that always accepts."""

from importlib.resources import files

from processors.policy import content_hash
from schemas.codec import packaged_codec
from schemas.events import ReceiptGiven
from schemas.identity import EventId
from schemas.outputs import DecisionMade, SendTouch
from schemas.topics import CONTRACT, CUSTOMER, DECISION, PAYMENT, POLICY, RECEIPT, command_topic
from schemas.vocabulary import Channel, Outcome, ReceiptReason, Verdict
from streams.renewals import RenewalBrain
from tests.builders import a_contract, a_customer, a_payment, a_policy, ms
from tests.unit.streams.world import World, in_a_world

HOUR_MS = 3_600_000
EMAIL = command_topic(Channel.EMAIL)


def preset() -> str:
    """The closing cadence as it is shipped."""
    return files("processors").joinpath("presets/closing.yaml").read_text(encoding="utf-8")


def accepted(command: SendTouch) -> ReceiptGiven:
    """What a channel reports when the provider took a touch."""
    return ReceiptGiven(
        event_id=EventId(f"{command.touch_key}-{command.attempt}"),
        customer_id=command.customer_id,
        contract_id=command.contract_id,
        term_id=command.term_id,
        step=command.step,
        channel=command.channel,
        revision=command.revision,
        attempt=command.attempt,
        touch_key=command.touch_key,
        outcome=Outcome.ACCEPTED,
        reason=ReceiptReason.ACCEPTED,
        reported_at_ms=command.decided_at_ms,
    )


async def season(world: World, start_ms: int, end_ms: int) -> list[SendTouch]:
    """Tick from alarm to alarm, answering every command, and give the commands."""
    answered, now_ms = 0, start_ms
    while now_ms <= end_ms:
        world.tick(now_ms)
        await world.pump()
        commands = world.decoded(EMAIL, SendTouch)
        for command in commands[answered:]:
            await world.fed(RECEIPT, command.customer_id.encode(), accepted(command))
        answered = len(commands)
        last = world.heartbeats()[-1]
        assert (last.watermark_at_ms, last.outstanding) == (now_ms, 0)
        now_ms = max(now_ms + 1, last.next_alarm_at_ms or end_ms + 1)
    return world.decoded(EMAIL, SendTouch)


async def open_world() -> World:
    """A world of one partition under the preset."""
    world = World(RenewalBrain(packaged_codec()))
    await world.start()
    policy = a_policy(number=1, content=preset(), content_hash=content_hash(preset()))
    world.publish(POLICY, b"p0", policy, partition=0)
    await world.pump()
    return world


@in_a_world
async def test_a_contract_is_reminded_in_order_until_it_is_paid() -> None:
    world = await open_world()
    contract = a_contract()
    key = contract.customer_id.encode()
    await world.fed(CUSTOMER, key, a_customer())
    await world.fed(CONTRACT, key, contract)
    expires_ms = ms(f"{contract.expires_on.isoformat()}T00:00Z")
    before = await season(world, expires_ms - 100 * 24 * HOUR_MS, expires_ms - 20 * 24 * HOUR_MS)
    assert [command.step for command in before] == ["t90", "t30"]
    await world.fed(PAYMENT, key, a_payment(term_id=contract.term))
    after = await season(world, expires_ms - 20 * 24 * HOUR_MS + 1, expires_ms + 10 * 24 * HOUR_MS)
    assert len(after) == 2
    assert world.dead_letters() == []
    verdicts = {decision.verdict for decision in world.decoded(DECISION, DecisionMade)}
    assert {Verdict.RELEASED, Verdict.SENT, Verdict.SUPPRESSED} <= verdicts
    assert any(key.startswith(b"paid") for key in world.fences())


@in_a_world
async def test_a_refused_payment_holds_the_customer_of_whom_nothing_was_known() -> None:
    world = await open_world()
    await world.fed(PAYMENT, b"stranger", b"\x00 no such schema")
    assert [letter.customer_id for letter in world.dead_letters()] == ["stranger"]
    assert world.fences()[b"hold|stranger"] is not None
    assert world.engine.part(0).held == {b"stranger": 1}
