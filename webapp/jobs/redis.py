"""Connections to Redis. Everything in it may vanish at any time; the database is the truth."""

from __future__ import annotations

from functools import cache

import redis
import redis.asyncio
from django.conf import settings
from redis.backoff import ConstantBackoff
from redis.retry import Retry


@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=3,
        socket_connect_timeout=1,
        retry=Retry(ConstantBackoff(0.05), 1),
        health_check_interval=15,
    )


def client() -> redis.Redis:
    """This process's client for short commands; raises redis.RedisError within about 3 s."""
    return _client(settings.REDIS_URL)


def async_client() -> redis.asyncio.Redis:
    """A client of its own for one event loop's blocking reads: no read timeout."""
    return redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_timeout=None)
