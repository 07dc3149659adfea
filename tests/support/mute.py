"""A push service that takes requests and does not answer, and people whose subscriptions are there."""

import socket
import threading

from devices.delivery.transports.endpoints import check_keys
from devices.installations.reporting import Subscription
from tests.support.people import Browser
from tests.support.sending import Channel


class Mute:
    """Takes requests and never answers them; or answers byte by byte, one each `drip` seconds."""

    ANSWER = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"

    def __init__(self, *, drip: float = 0.0) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._drip = drip
        self._taken: list[socket.socket] = []
        self._closed = threading.Event()
        self.asked = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        """Cut everything."""
        self._closed.set()
        self._listener.shutdown(socket.SHUT_RDWR)  # closing alone would let the waiting accept take one more
        self._listener.close()
        for one in self._taken:
            one.close()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                one, _ = self._listener.accept()
            except OSError:
                return
            self.asked += 1
            self._taken.append(one)
            if self._closed.is_set():
                one.close()
            if self._drip:
                threading.Thread(target=self._answer, args=(one,), daemon=True).start()

    def _answer(self, one: socket.socket) -> None:
        try:
            one.recv(65536)
            for byte in self.ANSWER:
                if self._closed.wait(self._drip):
                    return
                one.sendall(bytes([byte]))
        except OSError:
            return


def subscriber_at(channel: Channel, url: str, name: str) -> Browser:
    """Somebody whose subscription is at another push service."""
    key = channel.brand.vapid_keys.get(active=True).public_key
    (made,) = channel.service.subscriptions(1, key)
    p256dh, auth = check_keys(made["p256dh"], made["auth"])
    browser = Browser(channel.brand, now=channel.now)
    browser.load(name)
    browser.permission = "granted"
    browser.subscription = Subscription(f"{url}/wpush/v2/{name}", url, p256dh, auth, key)
    browser.report()
    return browser
