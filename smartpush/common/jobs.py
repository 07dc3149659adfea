"""Queue a job. A job only notifies a worker: what is to be done stands in our tables, and the ticker queues a lost job
again.
"""

from typing import Any

import structlog
from django.db import Error
from django_q.tasks import async_task

from smartpush.common.redis_link import RedisAway

log = structlog.get_logger(__name__)


def job_queue(path: str, *args: Any, cluster: str) -> bool:
    """Queue the function at this path on a cluster; False when it could not be queued, which fails no call."""
    try:
        async_task(path, *args, q_options={"cluster": cluster, "save": False, "ack_failure": True})
    except RedisAway:  # told of by the circuit breaker
        return False
    except Error as problem:
        log.error("job_not_queued", job=path, error=str(problem))
        return False
    return True
