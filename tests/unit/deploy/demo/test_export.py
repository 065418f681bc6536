"""The generated world: the same from the same seed, readable row by row, and as faulty as real exports are."""

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from deploy.demo.corpus import PEOPLE, PLACES
from deploy.demo.export import generate
from deploy.demo.files import SCHEDULE, write_world
from deploy.demo.plan import PlannedRow, Poison, World, WorldPlan
from schemas.events import ContractChanged, CustomerChanged
from schemas.json_lines import parse_csv_row, parse_json_line

PLAN = WorldPlan()


@pytest.fixture(scope="module")
def world() -> World:
    return generate(PLAN)


def test_a_seed_gives_one_world_and_another_seed_another(world: World) -> None:
    assert generate(PLAN) == world
    assert generate(WorldPlan(seed=2)).schedule != world.schedule


def test_every_row_is_a_record_of_ours(world: World) -> None:
    later = [one.fields for one in world.schedule if isinstance(one, PlannedRow)]
    for fields in [row for rows in world.files.values() for row in rows] + later:
        parse_json_line(json.dumps(fields))


def test_the_files_read_back_as_they_were_meant(world: World, tmp_path: Path) -> None:
    customers, contracts = write_world(world, tmp_path)
    lines = customers.read_text(encoding="utf-8").splitlines()
    good = lines[: -len(world.spoilt_lines)]
    assert all(isinstance(parse_json_line(line).record, CustomerChanged) for line in good)
    with contracts.open(encoding="utf-8-sig", newline="") as file:
        rows = [parse_csv_row(row).record for row in csv.DictReader(file)]
    assert all(isinstance(row, ContractChanged) for row in rows)
    assert len(rows) == len(world.files["contracts.csv"])
    assert len((tmp_path / SCHEDULE).read_text(encoding="utf-8").splitlines()) == len(world.schedule)


def test_every_kind_of_trouble_occurs(world: World) -> None:
    kinds = Counter(
        str(one.fields.get("kind") or one.fields["type"]) for one in world.schedule if isinstance(one, PlannedRow)
    )
    assert {"paid", "partial", "failed", "refunded", "opted_out", "opted_in", "consent_withdrawn", "erasure"} <= set(
        kinds
    )
    assert {"contract", "customer", "quarantine_release"} <= set(kinds)
    assert any(isinstance(one, Poison) for one in world.schedule)
    customers = world.files["customers.jsonl"]
    assert any("zone" not in row for row in customers)
    assert len(customers) > len({str(row["customer_id"]) for row in customers})
    names = " ".join(str(contact["name"]) for contact in world.contacts)
    assert all(name in names for name in PEOPLE)


def test_customers_live_in_every_zone(world: World) -> None:
    zones = Counter(str(row.get("zone")) for row in world.files["customers.jsonl"])
    assert all(zones[place.zone] >= PLAN.customers * place.weight // 200 for place in PLACES)


def test_what_comes_later_comes_inside_the_run_and_in_order(world: World) -> None:
    instants = [one.at_ms for one in world.schedule]
    assert instants == sorted(instants)
    assert PLAN.start_ms < instants[0]
    assert instants[-1] < PLAN.until_ms


def test_a_changed_address_is_known_to_the_judge(world: World) -> None:
    moved = [one.fields for one in world.schedule if isinstance(one, PlannedRow) and one.fields.get("version") == 2]
    addresses = {row["customer_id"]: row["contact"] for row in moved if "contact" in row}
    truth = {row["customer_id"]: row["email"] for row in world.contacts if row["version"] == 2}
    assert addresses
    assert {name: contact["email"] for name, contact in addresses.items() if isinstance(contact, dict)} == truth


@pytest.mark.parametrize(("customers", "days"), [(10, 5), (200, 10)])
def test_a_small_world_is_a_world_too(customers: int, days: int) -> None:
    small = generate(WorldPlan(customers=customers, days=days))
    assert {str(row["customer_id"]) for row in small.contacts} == {f"C-{n:05d}" for n in range(1, customers + 1)}
    assert small.schedule
