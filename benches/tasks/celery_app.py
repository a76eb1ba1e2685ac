"""The study note's worker, and a task that does nothing."""
import os
import time

from celery import Celery

app = Celery("tasks", broker=os.environ["REDIS_URL"], backend=os.environ["REDIS_URL"])
app.conf.update(task_acks_late=True, worker_prefetch_multiplier=1, result_expires=3600)


@app.task
def demo(seconds):
    started = time.time()
    if seconds:
        time.sleep(seconds)
    return started
