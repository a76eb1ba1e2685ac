"""Tasks a second and the time from enqueueing to the start: PickMate on each database, and Celery with Redis.

Both are asked by eight threads of this program; PickMate over HTTP, Celery by its own client. Celery acknowledges late, so that
neither loses a task with its worker. usage: compare.py --server PICKMATE [--noop 3000] [--sleeping 400]
"""
import argparse
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
THREADS = 8
CONCURRENCY = 200


class PickMate:
    def __init__(self, server, name, options):
        self.name = name
        self.folder = tempfile.TemporaryDirectory()
        data = ["--data", self.folder.name + "/data", *options]
        site = Path(self.folder.name, "site", "pkg")
        site.mkdir(parents=True)
        (site / "pickmate.js").touch()
        self.environment = {**os.environ, "LEPTOS_SITE_ROOT": str(site.parent)}
        self.admin(server, data, "user", "create", "mina", "--owner", "--password-stdin")
        self.token = self.admin(server, data, "token", "create", "mina").strip()
        command = [server, "serve", "--listen", "127.0.0.1:0", "--no-rate-limit", *data, "--limit", f"task_io={CONCURRENCY}"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=self.environment)
        self.address = self.process.stdout.readline().strip().rsplit("/", 1)[-1]
        self.client = None

    def admin(self, server, data, *verb):
        ran = subprocess.run([server, "admin", *verb, *data], input="correct horse battery\n", capture_output=True, text=True, env=self.environment)
        if ran.returncode:
            sys.exit(ran.stderr)
        return ran.stdout

    def connect(self):
        return http.client.HTTPConnection(self.address)

    def ask(self, connection, method, path, body=None):
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        connection.request(method, "/api/v1/tasks" + path, json.dumps(body) if body else None, headers)
        answer = json.loads(connection.getresponse().read())
        if "code" in answer:
            sys.exit(f"PickMate: {answer}")
        return answer

    def enqueue(self, connection, seconds):
        return self.ask(connection, "POST", "", {"task": "demo", "args": {"seconds": seconds}})["id"]

    def started(self, connection, task):
        """When it began, once it has ended."""
        while True:
            now = self.ask(connection, "GET", "/" + task)
            if now["state"] == "succeeded":
                return now["started_at"] / 1000
            time.sleep(0.02)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.folder.cleanup()


class Celery:
    name = "Celery 5.7, Redis, gevent"

    def __init__(self):
        import celery_app

        self.demo = celery_app.demo
        # Results are asked for, as PickMate's are: a subscription to them is not for several threads.
        celery_app.app.backend.on_task_call = lambda *_: None
        command = [sys.executable, "-m", "celery", "-A", "celery_app", "worker", "-P", "gevent", "-c", str(CONCURRENCY), "-l", "error", "--without-gossip", "--without-mingle"]
        self.process = subprocess.Popen(command, cwd=HERE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.started(None, self.demo.delay(0))

    def connect(self):
        return None

    def enqueue(self, _, seconds):
        return self.demo.delay(seconds)

    def started(self, _, task):
        while not task.ready():
            time.sleep(0.02)
        return task.result

    def stop(self):
        self.process.terminate()
        self.process.wait()


def measure(system, count, seconds):
    """All at once: tasks a second until the last has ended, and the time from enqueueing to the start."""

    def some(share):
        connection = system.connect()
        enqueued = [(time.time(), system.enqueue(connection, seconds)) for _ in range(share)]
        return [(system.started(connection, task) - at) * 1000 for at, task in enqueued]

    begun = time.time()
    with ThreadPoolExecutor(THREADS) as pool:
        waits = sorted(wait for part in pool.map(some, [count // THREADS] * THREADS) for wait in part)
    took = time.time() - begun
    return {"tasks/s": round(count / took), "seconds": round(took, 2), "start p50 ms": round(waits[len(waits) // 2]), "start p99 ms": round(waits[len(waits) * 99 // 100])}


def one_at_a_time(system, count):
    """From enqueueing to the start, with nothing else to do."""
    connection = system.connect()
    waits = []
    for _ in range(count):
        at = time.time()
        waits.append((system.started(connection, system.enqueue(connection, 0)) - at) * 1000)
    waits.sort()
    return {"start p50 ms": round(waits[len(waits) // 2], 1), "start p99 ms": round(waits[len(waits) * 99 // 100], 1)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", required=True)
    parser.add_argument("--noop", type=int, default=3000)
    parser.add_argument("--sleeping", type=int, default=400)
    asked = parser.parse_args()
    sys.path.insert(0, str(HERE))
    systems = [
        lambda: PickMate(asked.server, "PickMate, SQLite", []),
        lambda: PickMate(asked.server, "PickMate, Postgres", ["--database", os.environ["POSTGRES_URL"]]),
        Celery,
    ]
    for make in systems:
        system = make()
        try:
            print(f"{system.name}: one at a time {one_at_a_time(system, 100)}", flush=True)
            print(f"{system.name}: {asked.noop} that do nothing {measure(system, asked.noop, 0)}", flush=True)
            print(f"{system.name}: {asked.sleeping} that sleep for five seconds {measure(system, asked.sleeping, 5)}", flush=True)
        finally:
            system.stop()


main()
