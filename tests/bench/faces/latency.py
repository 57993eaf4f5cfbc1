"""How long `POST /verify` takes with 1, 4 and 16 clients at once, beside detect + align + encode.

    python -m tests.bench.faces.latency [--seconds 10] [--clients 1 4 16] [--out FILE.json]

The whole stack as `make run` starts it, on a folder of its own: web server, Redis, workers. Each
client sends the next photo when the last was answered. The bare sum is that of the same photo in a
process of its own, just before, on as many threads as the worker has.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.stack import ROOT, Stack
from tests.people import ADA, as_jpeg, portrait
from webapp.supervisor.plan import Share, cores, shares

CLIENTS = (1, 4, 16)

BARE = """
import io, json, sys, time, torch
from PIL import Image
torch.set_num_threads(int(sys.argv[1]))
from facerec.core.pipeline import FacePipeline
pipeline, photo = FacePipeline.build(), sys.stdin.buffer.read()
taken = []
for turn in range(int(sys.argv[2])):
    start = time.perf_counter()
    pipeline.one_face(Image.open(io.BytesIO(photo)))
    taken.append(1e3 * (time.perf_counter() - start))
print(json.dumps(sorted(taken[2:])))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--clients", type=int, nargs="+", default=CLIENTS)
    parser.add_argument("--out", type=Path, default=Path("bench-results/latency.json"))
    options = parser.parse_args()
    result = measure(options.seconds, options.clients)
    print("\n".join(lines(result)))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(f"written to {options.out}")


def measure(seconds: float = 10.0, clients: Sequence[int] = CLIENTS) -> dict[str, Any]:
    """{share, bare_ms, rows: [{clients, p50_ms, p95_ms, per_second}]}."""
    share = shares(cores())["faces"]
    photo = as_jpeg(portrait(ADA, 1))
    bare = bare_times(photo, share)
    extra = {"RATE_FACE": "100000/minute", "RATE_ENROL": "100000/minute"}
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder), extra=extra)
        try:
            stack.start()
            key = stack.manage("create_api_key", "--user", stack.username).stdout.strip()
            headers = {"authorization": f"Bearer {key}"}
            with httpx.Client(base_url=f"{stack.url}/api/v1", headers=headers, timeout=60) as api:
                enrol(api)
                ask(api, photo)  # warm
                rows = [load(api, photo, count, seconds) for count in clients]
        finally:
            stack.stop()
    return {
        "worker": {"at_once": share.concurrency, "torch_threads": share.threads},
        "photo": "480 x 600 JPEG",
        "bare_ms": {"p50_ms": middle(bare), "p95_ms": bare[int(0.95 * len(bare))]},
        "rows": rows,
    }


def lines(result: dict[str, Any]) -> list[str]:
    worker, bare = result["worker"], result["bare_ms"]
    return [
        f"POST /verify, {result['photo']}; the worker does {worker['at_once']} at once, torch on "
        f"{worker['torch_threads']} thread(s)",
        f"decode + detect + align + encode alone: p50 {bare['p50_ms']:.0f} ms, "
        f"p95 {bare['p95_ms']:.0f} ms",
        "clients   p50 ms   p95 ms   answers/s   p50 over the bare sum",
        *(
            f"{row['clients']:7d} {row['p50_ms']:8.0f} {row['p95_ms']:8.0f}"
            f" {row['per_second']:11.1f} {row['p50_ms'] / bare['p50_ms']:12.1f} x"
            for row in result["rows"]
        ),
    ]


def bare_times(photo: bytes, share: Share, turns: int = 22) -> list[float]:
    command = [sys.executable, "-c", BARE, str(share.threads), str(turns)]
    done = subprocess.run(command, cwd=ROOT, input=photo, stdout=subprocess.PIPE, check=True)
    return list(json.loads(done.stdout))


def enrol(api: httpx.Client) -> None:
    data = {"external_id": "ada", "name": "Ada Example", "consent": "true"}
    answer = api.post("/subjects", data=data, files={"photo": as_jpeg(portrait(ADA))})
    answer.raise_for_status()


def ask(api: httpx.Client, photo: bytes) -> None:
    answer = api.post("/verify", data={"external_id": "ada"}, files={"photo": photo})
    answer.raise_for_status()
    assert answer.json()["outcome"] == "match", answer.json()


def load(api: httpx.Client, photo: bytes, clients: int, seconds: float) -> dict[str, Any]:
    """`clients` threads, each asking again and again."""
    taken: list[float] = []
    errors: list[Exception] = []
    end = time.perf_counter() + seconds

    def client() -> None:
        while (start := time.perf_counter()) < end:
            try:
                ask(api, photo)
            except Exception as error:  # noqa: BLE001 - raised again by the main thread
                errors.append(error)
                return
            taken.append(1e3 * (time.perf_counter() - start))

    threads = [threading.Thread(target=client) for _ in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    took = time.perf_counter() - began
    taken.sort()
    return {
        "clients": clients,
        "p50_ms": middle(taken),
        "p95_ms": taken[int(0.95 * len(taken))],
        "per_second": len(taken) / took,
    }


def middle(values: list[float]) -> float:
    return values[len(values) // 2]


if __name__ == "__main__":
    main()
