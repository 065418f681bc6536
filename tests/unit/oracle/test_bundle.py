"""A bundle on disk is read whole or not at all, and the command line gives the verdict as its status."""

import base64
import gzip
import json
from pathlib import Path

import msgspec
import pytest

from schemas.codec import packaged_codec
from tests.oracle.__main__ import main
from tests.oracle.bundle import Bundle, IncompleteBundle, load_bundle
from tests.unit.oracle.run_builder import RunBuilder
from tests.unit.oracle.test_checks import begun, sent

TINY = ["--either-at-most", "1", "--verdicts", ""]


def write(bundle: Bundle, folder: Path) -> Path:
    """Leave a bundle on disk as a run does."""
    codec = packaged_codec()
    folder.joinpath("topics").mkdir(parents=True)
    folder.joinpath("inbox").mkdir()
    for topic, logged in bundle.topics.items():
        with gzip.open(folder / "topics" / f"{topic}.jsonl.gz", "wt") as lines:
            for one in logged:
                value = codec.encode(one.record) if one.record is not None else b"poison"
                line: dict[str, object] = {
                    "partition": one.partition,
                    "offset": one.offset,
                    "appended_at_ms": one.appended_at_ms,
                }
                line |= {"key": base64.b64encode(one.key or b"").decode(), "value": base64.b64encode(value).decode()}
                lines.write(json.dumps(line) + "\n")
    with folder.joinpath("inbox", "email.jsonl").open("w") as lines:
        for row in bundle.inbox:
            received = msgspec.to_builtins(row) | {"line": "received"}
            code = received.pop("answered_code")
            del received["domain_ms"]
            answered = {"line": "answered", "seq": row.seq, "code": code, "at_ms": row.received_ms}
            lines.write(json.dumps(received) + "\n" + json.dumps(answered) + "\n")
    _lines(folder / "contacts.jsonl", bundle.contacts)
    _lines(folder / "nemesis.jsonl", bundle.nemesis)
    folder.joinpath("manifest.json").write_bytes(msgspec.json.encode(bundle.manifest))
    return folder


def _lines(path: Path, rows: tuple[msgspec.Struct, ...]) -> None:
    path.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))


def good_run() -> RunBuilder:
    return sent(begun(), "t90", "t30", "t7", "t3", "t0")


def test_a_bundle_reads_back_as_it_was_written(tmp_path: Path) -> None:
    bundle = good_run().crash("worker-1").bundle()
    again = load_bundle(write(bundle, tmp_path / "bundle"))
    assert again.topics == bundle.topics
    assert again.inbox == bundle.inbox
    assert (again.manifest, again.contacts, again.nemesis) == (bundle.manifest, bundle.contacts, bundle.nemesis)


def test_a_poisoned_record_stays_in_its_place(tmp_path: Path) -> None:
    bundle = good_run().poison("renewal.payment.v1").bundle()
    again = load_bundle(write(bundle, tmp_path / "bundle"))
    assert [one.refused for one in again.topics["renewal.payment.v1"]] == ["undecodable"]


def test_a_good_bundle_gives_status_0_and_completes_the_figures(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    figures.write_text('{"customers": 1, "killed_workers": 7, "by_hand": true}')
    folder = write(good_run().bundle(), tmp_path / "bundle")
    assert main([str(folder), "--figures", str(figures), *TINY]) == 0
    told = json.loads(figures.read_text())
    assert (told["due"], told["sent"], told["imbalance"], told["by_hand"]) == (5, 5, 0, True)
    assert (told["killed_workers"], told["seed"]) == (7, 1)  # what the run wrote itself stays
    assert told["violations"] == {f"C{number}": 0 for number in range(1, 11)} | {"C11": None}
    assert told["lateness_ms"] == {"p50": 0, "p99": 0, "max": 0}


def test_a_bad_bundle_gives_status_1_and_tells_the_story(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(good_run().receive("t0").bundle(), tmp_path / "bundle")
    assert main([str(folder), "--figures", str(tmp_path / "figures.json"), *TINY]) == 1
    told = capsys.readouterr().out
    assert "C4 k1|t|t0|email row 5 was accepted although row 4 already was" in told
    story = told.index("input     renewal.customer.v1")
    order = [
        told.index(word, story)
        for word in ("command   revision 0", "inbox     row 4", "receipt   accepted", "inbox     row 5")
    ]
    assert order == sorted(order)
    assert "@example.com" not in told


def test_a_demanding_judge_refuses_a_run_that_proves_nothing(tmp_path: Path) -> None:
    folder = write(good_run().bundle(), tmp_path / "bundle")
    assert main([str(folder), "--figures", str(tmp_path / "figures.json")]) == 1


@pytest.mark.parametrize(
    "missing",
    ["manifest.json", "contacts.jsonl", "nemesis.jsonl", "inbox/email.jsonl", "topics/renewal.tick.v1.jsonl.gz"],
)
def test_an_incomplete_bundle_is_an_error_that_names_what_is_missing(
    missing: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(good_run().bundle(), tmp_path / "bundle")
    folder.joinpath(missing).unlink()
    assert main([str(folder), "--figures", str(tmp_path / "figures.json")]) == 2
    assert missing in capsys.readouterr().err


def test_a_torn_topic_file_is_an_error(tmp_path: Path) -> None:
    folder = write(good_run().bundle(), tmp_path / "bundle")
    path = folder / "topics" / "renewal.decision.v1.jsonl.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(IncompleteBundle, match=r"renewal\.decision"):
        load_bundle(folder)
