"""A TCP endpoint that plays a service which is there, away, silent, or ends every connection.

Behind it is what it relays to: a Redis of the few commands that the product uses, or the tests' own PostgreSQL.
"""

import contextlib
import socket
import threading
import time
from collections import deque
from collections.abc import Callable

Serve = Callable[[socket.socket], None]
MODES = ("there", "away", "silent", "drops")
_POLL_SECONDS = 0.05


class Endpoint:
    """One port for its whole life; `mode` says how it behaves from now on, for connections that are open too."""

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self._open: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self.port = 0
        self.mode = "there"
        self.accepted = 0
        self._listen()

    def _listen(self) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(64)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.accepted += 1
            if self.mode == "drops":
                client.close()
                continue
            self._open.add(client)
            if self.mode == "there":
                threading.Thread(target=self._run, args=(client,), daemon=True).start()

    def _run(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            self._serve(client)
        with contextlib.suppress(OSError):
            client.close()

    def become(self, mode: str) -> None:
        """Behave so from now on; what was connected before is cut off, as by a service that was restarted."""
        assert mode in MODES
        self.mode = mode
        for client in list(self._open):
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
            client.close()
        self._open.clear()
        if mode == "away" and self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        elif mode != "away" and self._listener is None:
            self._listen()

    def close(self) -> None:
        self.become("away")


def relay_to(address: str) -> Serve:
    """Pass bytes on to a Unix socket, both ways."""

    def serve(client: socket.socket) -> None:
        with socket.socket(socket.AF_UNIX) as behind:
            behind.connect(address)
            threading.Thread(target=_pump, args=(behind, client), daemon=True).start()
            _pump(client, behind)

    return serve


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


class Redis:
    """As much of a Redis server as the product asks for (RESP 3): counts, values with a lifetime, lists."""

    _NOTHING = b"_\r\n"

    def __init__(self) -> None:
        self.values: dict[bytes, tuple[bytes, float]] = {}
        self.lists: dict[bytes, deque[bytes]] = {}
        self.commands = 0
        self._lock = threading.Lock()

    def serve(self, client: socket.socket) -> None:
        with client.makefile("rb") as stream:
            while line := stream.readline():
                words = []
                for _ in range(int(line[1:])):
                    length = int(stream.readline()[1:])
                    words.append(stream.read(length + 2)[:-2])
                client.sendall(self._answer(words))

    def _answer(self, words: list[bytes]) -> bytes:
        name, arguments = words[0].upper().decode(), words[1:]
        with self._lock:
            self.commands += 1
            handler: Callable[..., bytes] = getattr(self, f"_{name.lower()}", self._unknown)
            return handler(*arguments)

    def _unknown(self, *arguments: bytes) -> bytes:
        return b"-ERR unknown command\r\n"

    def _hello(self, *arguments: bytes) -> bytes:
        return b"%3\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.0.0\r\n$5\r\nproto\r\n:3\r\n"

    def _client(self, *arguments: bytes) -> bytes:
        return b"+OK\r\n"

    def _ping(self) -> bytes:
        return b"+PONG\r\n"

    def _value(self, key: bytes) -> bytes | None:
        value, until = self.values.get(key, (None, 0.0))
        return value if until > time.monotonic() else None

    def _get(self, key: bytes) -> bytes:
        value = self._value(key)
        return self._NOTHING if value is None else b"$%d\r\n%s\r\n" % (len(value), value)

    def _set(self, key: bytes, value: bytes, *options: bytes) -> bytes:
        told = [option.upper() for option in options]
        if b"NX" in told and self._value(key) is not None:
            return self._NOTHING
        seconds = float(options[told.index(b"EX") + 1]) if b"EX" in told else 1e9
        self.values[key] = (value, time.monotonic() + seconds)
        return b"+OK\r\n"

    def _exists(self, key: bytes) -> bytes:
        return b":%d\r\n" % (self._value(key) is not None)

    def _incrby(self, key: bytes, delta: bytes) -> bytes:
        value, until = self.values.get(key, (b"0", 1e12))
        number = int(value) + int(delta)
        self.values[key] = (b"%d" % number, until)
        return b":%d\r\n" % number

    def _rpush(self, key: bytes, value: bytes) -> bytes:
        found = self.lists.setdefault(key, deque())
        found.append(value)
        return b":%d\r\n" % len(found)
