"""Client of a real schema registry: what it once told is kept for good, what it cannot tell now is waited for."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Lock

import httpx2

from schemas.errors import SchemaUnavailable, UnknownSchema

ABSENT_FOR_MS = 30_000  # I7: only a registry that says so for this long is believed
ASK_AGAIN_MS = 1_000
ANSWER_WITHIN_S = 10.0  # a registry that takes 5 s is slow, not down (F14)
WAIT_MS = 500  # how long a caller is held up; the question goes on behind it
_QUESTIONS_AT_ONCE = 4


@dataclass(slots=True)
class _Question:
    """One question to the registry, and how it has been answered so far."""

    answer: Future[httpx2.Response] | None = None
    asked_at_ms: int | None = None
    absent_since_ms: int | None = None
    verdict: UnknownSchema | SchemaUnavailable | None = None


class HttpRegistry:
    """The contract of `schemas.registry.Registry` over a registry's HTTP interface.

    Questions are asked by threads of its own, so a slow registry never holds a caller for more than `WAIT_MS`.
    One instance serves a process; it may be called from any thread.
    """

    def __init__(self, url: str, *, now_ms: Callable[[], int], credentials: tuple[str, str] | None = None) -> None:
        self._client = httpx2.Client(base_url=url, timeout=ANSWER_WITHIN_S, auth=credentials)
        self._threads = ThreadPoolExecutor(_QUESTIONS_AT_ONCE, thread_name_prefix="registry")
        self._now_ms = now_ms
        self._schemas: dict[int, str] = {}
        self._ids: dict[tuple[str, str], int] = {}
        self._questions: dict[object, _Question] = {}
        self._lock = Lock()

    def schema_of(self, schema_id: int) -> str:
        """Tell the schema of an id.

        Raises:
            UnknownSchema: the registry has answered 404 for `ABSENT_FOR_MS`, or the schema is not an Avro one.
            SchemaUnavailable: it has not answered yet, is out of reach, or has said 404 for less than that.
        """
        known = self._schemas.get(schema_id)
        if known is not None:
            return known
        what = f"schema id {schema_id}"
        answer = self._answer(schema_id, what, lambda: self._client.get(f"/schemas/ids/{schema_id}"))
        told = _object(answer, what)
        if told.get("schemaType", "AVRO") != "AVRO":
            raise UnknownSchema(f"{what} is {told['schemaType']} in the registry: only Avro is read here")
        return self._schemas.setdefault(schema_id, str(told.get("schema", "")))

    def id_of(self, subject: str, schema: str) -> int:
        """Tell the id of a schema under its subject; registers it where the registry does not have it yet.

        Raises:
            UnknownSchema: the registry refuses the schema as incompatible or invalid.
            SchemaUnavailable: it has not answered yet or is out of reach.
        """
        known = self._ids.get((subject, schema))
        if known is not None:
            return known
        what = f"the schema of {subject}"
        told = _object(self._answer((subject, schema), what, lambda: self._find_or_register(subject, schema)), what)
        return self._ids.setdefault((subject, schema), int(str(told["id"])))

    def close(self) -> None:
        """End the threads and connections."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    def _find_or_register(self, subject: str, schema: str) -> httpx2.Response:
        found = self._client.post(f"/subjects/{subject}", json={"schema": schema})
        if found.status_code != httpx2.codes.NOT_FOUND:
            return found
        return self._client.post(f"/subjects/{subject}/versions", json={"schema": schema})

    def _answer(self, key: object, what: str, ask: Callable[[], httpx2.Response]) -> httpx2.Response:
        """Give a good answer, or raise what its absence means."""
        with self._lock:
            question = self._questions.setdefault(key, _Question())
            answer = self._asked(question, ask)
        wait([answer], timeout=WAIT_MS / 1000)
        if not answer.done():
            raise SchemaUnavailable(f"{what} has been asked for; the registry has not answered yet")
        with self._lock:
            question.answer = None
            try:
                response = self._judged(question, what, answer)
            except (UnknownSchema, SchemaUnavailable) as verdict:
                question.verdict = verdict
                raise
            self._questions.pop(key, None)
            return response

    def _asked(self, question: _Question, ask: Callable[[], httpx2.Response]) -> Future[httpx2.Response]:
        """Give the question on its way, or ask anew; what was answered a moment ago stands and is raised again."""
        if question.answer is None:
            now_ms = self._now_ms()
            if question.verdict and question.asked_at_ms is not None and now_ms - question.asked_at_ms < ASK_AGAIN_MS:
                raise type(question.verdict)(str(question.verdict))
            question.answer, question.asked_at_ms = self._threads.submit(ask), now_ms
        return question.answer

    def _judged(self, question: _Question, what: str, answer: Future[httpx2.Response]) -> httpx2.Response:
        try:
            response = answer.result()
        except httpx2.HTTPError as error:
            question.absent_since_ms = None  # only an unbroken series of 404 counts
            raise SchemaUnavailable(f"{what}: the registry is out of reach ({type(error).__name__})") from None
        if response.status_code == httpx2.codes.NOT_FOUND:
            raise self._absence(question, what)
        question.absent_since_ms = None
        if response.status_code in {httpx2.codes.CONFLICT, httpx2.codes.UNPROCESSABLE_CONTENT}:
            raise UnknownSchema(f"{what} is refused by the registry as incompatible or invalid")
        if not response.is_success:
            raise SchemaUnavailable(f"{what}: the registry answers {response.status_code}")
        return response

    def _absence(self, question: _Question, what: str) -> UnknownSchema | SchemaUnavailable:
        now_ms = self._now_ms()
        if question.absent_since_ms is None:
            question.absent_since_ms = now_ms
        absent_ms = now_ms - question.absent_since_ms
        if absent_ms >= ABSENT_FOR_MS:
            return UnknownSchema(f"{what} is not in the registry, which has said so for {absent_ms // 1000} s")
        return SchemaUnavailable(f"{what} is not in the registry; that is believed after {ABSENT_FOR_MS // 1000} s")


def _object(response: httpx2.Response, what: str) -> dict[str, object]:
    try:
        told = response.json()
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise SchemaUnavailable(f"{what}: the registry's answer is not JSON; is SCHEMA_REGISTRY_URL right?")
    return told
