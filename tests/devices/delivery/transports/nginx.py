"""nginx as a push service that says 201 to everything: HTTP/2 over TLS, as the real ones speak it."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

from tests.devices.delivery.transports.tls import Certificates

PATIENCE_SECONDS = 60.0

_CONFIG = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 512; }}
http {{
  log_format path '$status $request_uri';
  access_log {access_log};
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests {keepalive_requests};
  server {{
    listen 127.0.0.1:{port} ssl http2;
    ssl_certificate {cert_file};
    ssl_certificate_key {key_file};
    location / {{ add_header Location /message/1 always; return 201; }}
    location /gone/ {{ return 410; }}
  }}
}}
"""


class NginxSink:
    """A running nginx; `origin` is where it listens, `paths()` what was asked of it."""

    def __init__(
        self,
        folder: Path,
        *,
        certificates: Certificates,
        keepalive_requests: int = 1000,
        log: bool = True,
    ) -> None:
        binary = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
        if binary is None:
            raise RuntimeError("nginx is not installed: apt-get install nginx-light")
        # nginx is handed a socket that listens already, as it hands its own to the next version of itself: a port that
        # was only looked up may be another's by now. It takes sockets over only where it has a master process.
        listener = socket.create_server(("127.0.0.1", 0), backlog=511)
        self.port = int(listener.getsockname()[1])
        self.origin = f"https://localhost:{self.port}"
        self._log = folder / "access.log"
        config = folder / "nginx.conf"
        config.write_text(
            _CONFIG.format(
                folder=folder,
                port=self.port,
                access_log=f"{self._log} path" if log else "off",
                cert_file=certificates.cert_file,
                key_file=certificates.key_file,
                keepalive_requests=keepalive_requests,
            )
        )
        with listener:
            self.process = subprocess.Popen(
                [binary, "-p", str(folder), "-c", str(config)],
                stderr=subprocess.DEVNULL,
                env={**os.environ, "NGINX": f"{listener.fileno()};"},
                pass_fds=[listener.fileno()],
            )

    def __enter__(self) -> "NginxSink":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE_SECONDS)

    def paths(self, *, count: int) -> list[str]:
        """Return the paths asked for once there are `count` of them: nginx logs after it has answered."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            lines = self._log.read_text().splitlines()
            if len(lines) >= count or time.monotonic() > deadline:
                return [line.split(" ", 1)[1] for line in lines]
            time.sleep(0.02)
