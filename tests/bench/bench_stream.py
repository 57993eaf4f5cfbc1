"""Frames to many browsers: publish → receive, against base64 over `group_send`, in one run.

    python -m tests.bench.bench_stream [--watchers 50] [--frames 200] [--out FILE.json]

A real server (`manage.py up`) sends to real sockets. A process of its own publishes a 46 kB picture
every 30 ms; each watcher acknowledges at once and notes how old the picture is when it arrives.
The baseline sends the same bytes as base64 JSON through the channel layer to the same sockets.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import platform
import secrets
import struct
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from websockets.asyncio.client import connect

from tests.e2e.stack import ROOT, Stack

EVERY = 0.030  # seconds between frames
JPEG = 46_000  # bytes
WAYS = {"stream": "XADD, one reader a job, credits", "group": "group_send, base64 JSON"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--watchers", type=int, default=50)
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path("bench-results/stream.json"))
    parser.add_argument("--publish", nargs=2, metavar=("WAY", "JOB"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.publish:
        publish(*options.publish, options.frames)
        return
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder))
        try:
            stack.start(workers=False)
            rows = [measure(stack, way, options.watchers, options.frames) for way in WAYS]
        finally:
            stack.stop()
    report(rows, options)


def measure(stack: Stack, way: str, watchers: int, frames: int) -> dict[str, Any]:
    """Ages of the frames that arrived (seconds), and the share that did."""
    name = f"watcher-{way}"
    stack.create_user(name, "painter")
    key = stack.manage("create_api_key", "--user", name).stdout.strip()
    job = stack.manage("shell", "-v", "0", "-c", MAKE_JOB.format(name=name)).stdout.strip()
    environment = {
        **stack.environment,
        "DJANGO_SETTINGS_MODULE": "webapp.settings",
        "LOG_LEVEL": "ERROR",  # Channels tells every frame that it drops
        "REDIS_URL": (stack.data_dir / "run" / "redis.url").read_text().strip(),
    }

    async def run() -> list[list[float]]:
        address = f"{stack.url.replace('http', 'ws')}/ws/jobs/{job}/"
        ready = asyncio.Barrier(watchers + 1)
        watching = [asyncio.create_task(watch(address, key, ready)) for _ in range(watchers)]
        await ready.wait()
        command = [sys.executable, "-m", "tests.bench.bench_stream", "--frames", str(frames)]
        publisher = await asyncio.create_subprocess_exec(
            *command, "--publish", way, job, cwd=ROOT, env=environment
        )
        assert await publisher.wait() == 0
        await asyncio.sleep(1.5)
        for task in watching:
            task.cancel()
        return [await task for task in watching]

    ages = asyncio.run(run())
    everything = np.concatenate([np.array(a) for a in ages])
    return {
        "way": WAYS[way],
        "p50_ms": 1e3 * float(np.percentile(everything, 50)),
        "p95_ms": 1e3 * float(np.percentile(everything, 95)),
        "delivered": float(len(everything) / (watchers * frames)),
        "worst_watcher": float(min(map(len, ages)) / frames),
    }


MAKE_JOB = """
from tests.pictures import make_row
from webapp.accounts.models import User
print(make_row(User.objects.get(username="{name}"), status="paused").pk)
"""


async def watch(address: str, key: str, ready: asyncio.Barrier) -> list[float]:
    """How old each frame was when it came."""
    ages: list[float] = []
    headers = {"Authorization": f"Bearer {key}"}
    async with connect(address, additional_headers=headers, max_size=None) as socket:
        await socket.recv()  # the state
        await ready.wait()
        try:
            async for message in socket:
                if isinstance(message, bytes):
                    (length,) = struct.unpack(">I", message[:4])
                    header = json.loads(message[4 : 4 + length])
                    await socket.send('{"type": "ack"}')
                else:
                    header = json.loads(message)["job"]
                ages.append(time.time() - header["sent"])
        except asyncio.CancelledError:
            pass
    return ages


def publish(way: str, job: str, frames: int) -> None:
    """The worker's side."""
    import django

    django.setup()
    from asgiref.sync import async_to_sync
    from channels.layers import get_channel_layer

    from webapp.jobs.events import group_of
    from webapp.jobs.frames import Frame

    picture = secrets.token_bytes(JPEG)
    layer = get_channel_layer()

    async def over_the_layer() -> None:
        began = time.monotonic()
        for step in range(frames):
            body = {"sent": time.time(), "jpeg": base64.b64encode(picture).decode()}
            await layer.group_send(group_of(job), {"type": "job.state", "job": body})
            await asyncio.sleep(max(0.0, began + (step + 1) * EVERY - time.monotonic()))

    if way == "group":
        async_to_sync(over_the_layer)()
        return
    began = time.monotonic()
    curve = b""
    for step in range(frames):
        curve += struct.pack("<3f", 1.0, 0.5, 0.5)
        header = {"step": step, "sent": time.time(), "columns": ["total", "content", "style"]}
        Frame(header, curve, picture).publish(job)
        time.sleep(max(0.0, began + (step + 1) * EVERY - time.monotonic()))


def report(rows: list[dict[str, Any]], options: argparse.Namespace) -> None:
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    print(f"{options.watchers} watchers, {options.frames} frames of {JPEG // 1000} kB; {machine}")
    print(f"{'way':34}{'p50 ms':>9}{'p95 ms':>9}{'delivered':>11}{'worst watcher':>15}")
    for row in rows:
        print(
            f"{row['way']:34}{row['p50_ms']:9.0f}{row['p95_ms']:9.0f}"
            f"{row['delivered']:11.1%}{row['worst_watcher']:15.1%}"
        )
    options.out.parent.mkdir(parents=True, exist_ok=True)
    facts = {"machine": machine, "watchers": options.watchers, "frames": options.frames}
    options.out.write_text(json.dumps({**facts, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
