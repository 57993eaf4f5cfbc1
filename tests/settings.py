"""The settings, for tests: a data folder of their own, and nothing from the developer's `.env`.

Each test process (of xdist, too) has its own folder. Redis comes by the `redis_url` fixture.
"""

import atexit
import os
import shutil
import tempfile

data_dir = tempfile.mkdtemp(prefix="likeness-test-")
atexit.register(shutil.rmtree, data_dir, ignore_errors=True)
os.environ.update(
    DATA_DIR=data_dir, REDIS_URL="", DEBUG="0", BEHIND_TLS="0", SIGN_UP_OPEN="0", HOST="127.0.0.1"
)
os.environ.setdefault("OMP_NUM_THREADS", "1")  # several test processes share the cores

from webapp.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one takes 0.3 s
