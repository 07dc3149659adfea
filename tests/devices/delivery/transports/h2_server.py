"""A push service that breaks in every way HTTP/2 allows; the request's path says how.

/ok 201 | /status/<n> | /redirect/<n> | /location | /reset/<code> (RST_STREAM) | /refuse-once/<id> | /close (FIN, no
answer) | /abort (TCP reset, no answer) | /half (status line, then the connection is cut) | /silent (no answer) |
/endless (a body without end) | /long-headers
"""

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.events
import h2.exceptions
from hyperframe.frame import GoAwayFrame

from tests.devices.delivery.transports.tls import Certificates


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    body: bytearray = field(default_factory=bytearray)


class FaultServer:
    """Serves until the end of the `with`; `requests` holds every request that was read to its end.

    `goaway_after`: after so many requests on a connection it names the last one in a GOAWAY and ignores later ones.
    `answers`: further answers by status for /status/<n>, as (headers, body).
    """

    def __init__(
        self,
        *,
        certificates: Certificates,
        goaway_after: int | None = None,
        answers: dict[int, tuple[dict[str, str], bytes]] | None = None,
    ) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self._goaway_after = goaway_after
        self._answers = answers or {}
        self._refused: set[str] = set()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificates.cert_file, certificates.key_file)
        self._context.set_alpn_protocols(["h2"])
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._open: list[socket.socket] = []
        self.port = self._listener.getsockname()[1]
        self.origin = f"https://localhost:{self.port}"

    def __enter__(self) -> "FaultServer":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._listener.close()
        for connection in self._open:
            connection.close()

    def paths(self) -> list[str]:
        return [request.path for request in self.requests]

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        try:
            secure = self._context.wrap_socket(plain, server_side=True)
            self._open.append(secure)
            _Connection(self, secure).run()
            secure.close()
        except (OSError, ValueError, h2.exceptions.ProtocolError):
            plain.close()


class _Connection:
    def __init__(self, server: FaultServer, secure: ssl.SSLSocket) -> None:
        self.server = server
        self.secure = secure
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        self.streams: dict[int, Request] = {}
        self.served = 0
        self.last_stream: int | None = None
        self.ended = False

    def run(self) -> None:
        self.h2.initiate_connection()
        self.flush()
        while not self.ended:
            data = self.secure.recv(65536)
            if not data:
                return
            for event in self.h2.receive_data(data):
                self.on_event(event)
                if self.ended:
                    return
            self.flush()

    def flush(self) -> None:
        self.secure.sendall(self.h2.data_to_send())

    def on_event(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.RequestReceived():
                headers = {_text(name): _text(value) for name, value in event.headers}
                self.streams[event.stream_id] = Request(headers[":path"], headers)
            case h2.events.DataReceived():
                self.streams[event.stream_id].body += event.data
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            case h2.events.StreamEnded():
                self.on_request(event.stream_id, self.streams.pop(event.stream_id))

    def on_request(self, stream: int, request: Request) -> None:
        if self.last_stream is not None:
            return
        self.served += 1
        kind, _, rest = request.path.lstrip("/").partition("/")
        if kind == "refuse-once" and rest not in self.server._refused:
            self.server._refused.add(rest)
            self.h2.reset_stream(stream, error_code=7)
            return
        self.server.requests.append(request)
        answer: Callable[[int, str], None] = getattr(self, "do_" + kind.replace("-", "_"))
        answer(stream, rest)
        if self.served == self.server._goaway_after:
            self.last_stream = stream
            self.flush()
            self.secure.sendall(GoAwayFrame(0, last_stream_id=stream, error_code=0).serialize())

    def reply(self, stream: int, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self.h2.send_headers(stream, [(":status", str(status)), *(headers or {}).items()])
        self.h2.send_data(stream, body, end_stream=True)

    def do_ok(self, stream: int, rest: str) -> None:
        self.reply(stream, 201, {"location": "https://localhost/message/7"})

    do_refuse_once = do_ok

    def do_status(self, stream: int, rest: str) -> None:
        headers, body = self.server._answers.get(int(rest), ({}, b""))
        self.reply(stream, int(rest), headers, body)

    def do_redirect(self, stream: int, rest: str) -> None:
        self.reply(stream, int(rest), {"location": f"{self.server.origin}/ok/redirected"})

    def do_reset(self, stream: int, rest: str) -> None:
        self.h2.reset_stream(stream, error_code=int(rest.partition("/")[0]))

    def do_silent(self, stream: int, rest: str) -> None:
        pass

    def do_close(self, stream: int, rest: str) -> None:
        self.flush()
        self.ended = True
        self.secure.unwrap().close()

    def do_abort(self, stream: int, rest: str) -> None:
        self.flush()
        self.ended = True
        self.secure.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.secure.close()

    def do_half(self, stream: int, rest: str) -> None:
        self.h2.send_headers(stream, [(":status", "201"), ("content-length", "100")])
        self.flush()
        self.ended = True
        # Half closed and drained, so that no TCP reset takes the status line back.
        self.secure.shutdown(socket.SHUT_WR)
        while self.secure.recv(65536):
            pass

    def do_endless(self, stream: int, rest: str) -> None:
        self.h2.send_headers(stream, [(":status", "201")])
        for _ in range(3):
            self.h2.send_data(stream, b"x" * 16000)

    def do_long_headers(self, stream: int, rest: str) -> None:
        self.reply(stream, 201, {f"x-{number}": "y" * 2000 for number in range(12)})


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
