"""A web process of the product that a test asks over HTTP: its settings come from the environment, as anywhere."""

import logging
import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from smartpush.wsgi import application


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


if __name__ == "__main__":
    logging.getLogger("django.request").setLevel(logging.CRITICAL)
    with make_server("127.0.0.1", 0, application, server_class=Server, handler_class=Quiet) as server:
        print(server.server_port, flush=True)
        server.serve_forever()
        sys.exit(0)
