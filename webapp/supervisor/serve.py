"""The web process: uvicorn on a socket that the supervisor opened and keeps.

Because the socket outlives the process, a browser that connects while the web server is being
started again waits for it instead of being refused.
"""

from __future__ import annotations

import socket
import sys

import uvicorn
from django.conf import settings


def config() -> uvicorn.Config:
    return uvicorn.Config(
        "webapp.asgi:application",
        log_config=None,  # Django's settings configure logging
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="off",
        proxy_headers=settings.BEHIND_TLS,
        ws="websockets-sansio",  # the other one stands on an interface that websockets retired
        ws_max_size=64 * 1024,  # a client sends acks only
        ws_per_message_deflate=False,  # frames are JPEG: nothing to gain, and a core to lose
        timeout_graceful_shutdown=1,
    )


def main() -> None:
    with socket.socket(fileno=int(sys.argv[1])) as listener:
        uvicorn.Server(config()).run(sockets=[listener])


if __name__ == "__main__":
    main()
