"""A schema registry of our own for tests: Confluent's HTTP interface over a socket, with troubles on demand."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread


class RegistryServer(ThreadingHTTPServer):
    """Keeps schemas by id and subject; ids start at 100, unlike the packaged ones."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.schemas: dict[int, str] = {}
        self.subjects: dict[tuple[str, str], int] = {}
        self.trouble: int | None = None
        self.asked: list[str] = []
        self.answers = Event()
        self.answers.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def register(self, subject: str, schema: str) -> int:
        """The id of a schema under its subject, a new one if need be."""
        key = subject, json.dumps(json.loads(schema), sort_keys=True)
        number = self.subjects.setdefault(key, 100 + len(self.subjects))
        self.schemas[number] = schema
        return number


class _Handler(BaseHTTPRequestHandler):
    server: RegistryServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        number = int(self.path.split("?")[0].rpartition("/")[2])
        schema = self.server.schemas.get(number)
        self._answer({"schema": schema} if schema else None)

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        path = self.path.split("?")[0]
        subject = path.split("/")[2]
        key = subject, json.dumps(json.loads(asked["schema"]), sort_keys=True)
        if path.endswith("/versions"):
            self._answer({"id": self.server.register(subject, asked["schema"])})
        else:
            number = self.server.subjects.get(key)
            self._answer({"id": number, "subject": subject, "version": 1} if number else None)

    def _answer(self, told: dict[str, object] | None) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        self.server.answers.wait(10)
        status = self.server.trouble or (200 if told else 404)
        body = json.dumps(told if status == 200 else {"error_code": status * 100 + 3, "message": "no"}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay quiet: what was asked is kept in `asked`."""


@contextmanager
def running_registry() -> Iterator[RegistryServer]:
    """A registry that answers until the block ends."""
    with RegistryServer() as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.answers.set()
            server.shutdown()
            thread.join()
