"""The Redis that tests start keeps what it was told, also when it is killed."""

from pathlib import Path

import redis

from tests.servers.redis import RedisServer


def test_a_killed_server_comes_back_with_what_it_acknowledged(tmp_path: Path) -> None:
    server = RedisServer(tmp_path).start()
    try:
        with redis.Redis.from_url(server.url) as client:
            assert client.set("word", "kept")
        server.stop(hard=True)
        server.start()
        with redis.Redis.from_url(server.url) as client:
            assert client.get("word") == b"kept"
    finally:
        server.stop()
