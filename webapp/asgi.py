"""The web server's entry: pages and API through Django, sockets through Channels."""

from __future__ import annotations

import os
import warnings

from django.core.asgi import get_asgi_application

# WhiteNoise reads its files synchronously; they are small and Django reads them in a thread.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
django_app = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path  # noqa: E402

from facerec.consumers import LivenessConsumer  # noqa: E402
from webapp.jobs.consumer import JobConsumer  # noqa: E402
from webapp.sockets import SocketAuth  # noqa: E402
from webapp.staging import StagedUploads  # noqa: E402
from webapp.uploads import BodyLimit  # noqa: E402

sockets = [
    path("ws/jobs/<uuid:job_id>/", JobConsumer.as_asgi()),
    path("ws/liveness/<uuid:session_id>/", LivenessConsumer.as_asgi()),
]
application = ProtocolTypeRouter(
    {
        "http": StagedUploads(BodyLimit(django_app)),
        "websocket": SocketAuth(URLRouter(sockets)),
    }
)
