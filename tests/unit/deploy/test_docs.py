"""The generated documents are fresh, complete, and valid where a standard says what that means."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from deploy.docs.__main__ import DOCUMENTS, stale_documents, write_documents
from deploy.docs.asyncapi import asyncapi_document
from deploy.docs.operations import metrics_document, settings_document
from schemas.topics import catalogue
from schemas.vocabulary import Channel

STANDARD = Path(__file__).parents[2] / "contract" / "asyncapi-3.0.0.schema.json"
TOPICS = catalogue(application="renewals", channels=(Channel.EMAIL,))


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return dict(json.loads(asyncapi_document()))


def validate(document: dict[str, Any]) -> None:
    jsonschema.Draft7Validator(json.loads(STANDARD.read_bytes())).validate(document)


def test_committed_documents_are_fresh() -> None:
    assert stale_documents() == (), "run `make docs` and commit the result"


def test_a_stale_document_is_noticed_and_written_anew(tmp_path: Path) -> None:
    assert stale_documents(tmp_path) == tuple(DOCUMENTS)
    write_documents(tmp_path)
    assert stale_documents(tmp_path) == ()
    (tmp_path / "topics.md").write_text("old")
    assert stale_documents(tmp_path) == ("topics.md",)


def test_the_topic_document_is_valid_asyncapi(document: dict[str, Any]) -> None:
    validate(document)


@pytest.mark.parametrize("fault", [{"address": 7}, {"message": {}}, {"bindings": {"kafka": {"partitions": 0}}}])
def test_the_standard_would_notice_a_fault(document: dict[str, Any], fault: dict[str, object]) -> None:
    channel = next(iter(document["channels"]))
    broken = document | {"channels": document["channels"] | {channel: document["channels"][channel] | fault}}
    with pytest.raises(jsonschema.ValidationError):
        validate(broken)


def test_every_topic_is_a_channel_with_its_records(document: dict[str, Any]) -> None:
    told = {channel["address"]: set(channel["messages"]) for channel in document["channels"].values()}
    assert told == {topic.name: {record.__name__ for record in topic.records} for topic in TOPICS}


def test_every_writer_and_reader_is_an_operation(document: dict[str, Any]) -> None:
    assert len(document["operations"]) == sum(len(topic.writers) + len(topic.readers) for topic in TOPICS)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    references = set(references_in(document))
    assert references
    for reference in references:
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def references_in(part: object) -> list[str]:
    if isinstance(part, list):
        return [found for item in part for found in references_in(item)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"]] if "$ref" in part else []
    return own + [found for value in part.values() for found in references_in(value)]


def test_settings_and_metrics_are_listed_with_their_meaning() -> None:
    for document in (settings_document(), metrics_document()):
        rows = [line for line in document.splitlines() if line.startswith("| `")]
        assert rows
        assert [row for row in rows if row.endswith("|  |")] == []
