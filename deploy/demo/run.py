"""`perennial demo`: real Kafka, two workers, 100 days in minutes, one kill -9, and the balance at the end."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from deploy.demo.account import Account
from deploy.demo.again import feed_again
from deploy.demo.bundle import write_bundle
from deploy.demo.days import turn_the_days
from deploy.demo.evidence import account_of_run, manifest_of
from deploy.demo.export import generate
from deploy.demo.figures import print_account, print_samples, write_figures
from deploy.demo.files import write_world
from deploy.demo.inbox import accepted_mails
from deploy.demo.nemesis import Nemesis
from deploy.demo.plan import DAY_MS, World, WorldPlan
from deploy.demo.progress import Screen, Watcher
from deploy.demo.report import Course, Kill, day_of, judge_command, write_report
from deploy.demo.samples import samples_of
from deploy.demo.system import System, SystemPlan
from deploy.hand_stack import preset
from deploy.local.plan import StackPlan
from deploy.local.stack import LocalStack
from deploy.settings import now_ms

WORKERS = 2
FAULTS = "busy=0.02,refuse=0.003"
RULES = ("^bounces=refuse",)
HEAP_MIB = 768
PLANTED = "unreadable rows, poison records and hostile names are planted: rejected rows below are as they should be"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPlan:
    """What a person may choose."""

    customers: int = 1_000
    days: int = 100
    seed: int = 1
    folder: Path = Path("build/demo")
    is_kept: bool = False


def run_demo(plan: DemoPlan) -> int:
    """Run the main job and show it; 0 when the balance is zero. The bundle stays in the folder."""
    console, folder = Console(), plan.folder.resolve()
    world = generate(WorldPlan(customers=plan.customers, days=plan.days, seed=plan.seed))
    shutil.rmtree(folder, ignore_errors=True)
    files = write_world(world, folder / "export")
    console.print(f"[bold]Perennial[/bold]: {plan.customers:,} customers, {plan.days} days, seed {plan.seed}")
    console.print(PLANTED, style="dim")
    console.print("starting Kafka and Redis", style="dim")
    with (
        LocalStack(StackPlan(heap_mib=HEAP_MIB)) as stack,
        System(_where(stack, plan, folder)) as system,
        _logs_kept(system, console, is_wanted=plan.is_kept),
    ):
        started_ms = now_ms()
        _install(system, files, console)
        nemesis, course = _watched(system, world, console)
        console.print("all days have passed; feeding every input a second time: nothing may change", style="dim")
        again_ms = feed_again(system, world.plan)
        account = account_of_run(system, world.plan)
        manifest = manifest_of(system, world.plan, started_at_ms=started_ms, fed_twice_from_ms=again_ms)
        write_bundle(folder, system.kafka(), manifest, nemesis.harms, world.contacts)
    return _tell(console, folder, world, account, course)


def _where(stack: LocalStack, plan: DemoPlan, folder: Path) -> SystemPlan:
    return SystemPlan(
        bootstrap_servers=stack.bootstrap_servers,
        redis_url=stack.redis_url,
        folder=folder,
        faults=FAULTS,
        rules=RULES,
        seed=plan.seed,
    )


@contextmanager
def _logs_kept(system: System, console: Console, *, is_wanted: bool) -> Iterator[None]:
    folder = system.plan.folder / "logs"
    try:
        yield
    except BaseException:
        system.fleet.keep_logs(folder)
        console.print(f"the processes' logs are in {folder}", style="dim", soft_wrap=True)
        raise
    if is_wanted:
        system.fleet.keep_logs(folder)


def _install(system: System, files: Sequence[Path], console: Console) -> None:
    policy = system.plan.folder / "policy.yaml"
    policy.write_text(preset(), encoding="utf-8")
    console.print("Kafka and Redis are up; creating topics, publishing the policy and the export", style="dim")
    system.install(policy)
    for file in files:
        console.print(system.publish(file).rstrip(), markup=False, highlight=False, soft_wrap=True)
    console.print("published", style="dim")


def _watched(system: System, world: World, console: Console) -> tuple[Nemesis, Course]:
    """Start everything, let the days pass under the eyes of whoever looks, and let one worker die half-way."""
    plan = world.plan
    system.start_delivery()
    for number in range(1, WORKERS + 1):
        system.start_worker(number)
    console.print(f"{WORKERS} workers and delivery started; the days pass on a virtual clock", style="dim")
    with (
        Watcher(system.kafka(), system.codec, system.plan.partitions) as watcher,
        Screen(plan, watcher.counts, console) as screen,
    ):
        nemesis = Nemesis(system, 1, plan.start_ms + plan.days * DAY_MS // 2, screen.note)

        def ticked(tick_ms: int) -> None:
            screen.ticked(tick_ms)
            nemesis.ticked(tick_ms)

        turn_the_days(system, plan, ticked)
        system.fleet.check()
        return nemesis, Course(ticks=screen.ticks, seconds=screen.seconds, kills=_kills(nemesis))


def _kills(nemesis: Nemesis) -> list[Kill]:
    if nemesis.blow is None:
        return []
    day = day_of(nemesis.blow.domain_ms)
    return [Kill(target=nemesis.blow.target, kind="kill -9", day=day, seconds=round(nemesis.away_s, 1))]


def _tell(console: Console, folder: Path, world: World, account: Account, course: Course) -> int:
    mails = accepted_mails(folder / "inbox" / "email.jsonl")
    samples = samples_of(mails, world.contacts)
    print_samples(console, samples)
    print_account(console, account)
    report = folder / "report.html"
    write_report(report, world, account, course, samples)
    figures = write_figures(folder, world.plan, account, killed_workers=len(course.kills), seconds=course.seconds)
    console.print(f"{course.ticks:,} ticks in {course.seconds:.0f} s")
    console.print(
        f"report   {report}\nfigures  {figures}\nbundle   {folder}", markup=False, highlight=False, soft_wrap=True
    )
    console.print("to be judged next, by the oracle: `make demo` does so now; by hand, in the project's folder:")
    console.print(judge_command(folder), markup=False, highlight=False, soft_wrap=True)
    return 0 if account.imbalance == 0 else 1
