"""The servers of a client, and what is remembered of how they failed.

All calls go to one of them, the current one, for as long as it serves. One that can't be reached, recovers or stops rests: it
is not asked for a while, which doubles with each failure in a row, and the next in turn that does not rest is the current one
from then on. One that is well and can't serve one call does not rest; that call goes elsewhere.
"""
from __future__ import annotations

import random
import re
import time
from typing import Any, Optional, Sequence

from .errors import KelpError, error

_DEFAULT_PORT = "7379"
_LOOPBACK = re.compile(r"(localhost|127\.\d+\.\d+\.\d+|\[::1\]):\d+$")
_ADDRESSES_MAX = 16
_REST, _REST_MAX = 0.1, 2.0


class Server:
    def __init__(self, target: str, is_tls: bool, is_local: bool) -> None:
        self.target, self.is_tls, self.is_local = target, is_tls, is_local
        #: Of grpc or grpc.aio, and the callables made over it by path; made when they are needed.
        self.channel: Any = None
        self.callables: dict[str, Any] = {}
        self.generation = 0
        self.failure: Optional[KelpError] = None
        self._rests_until = 0.0
        self._failures = 0

    @property
    def rest(self) -> float:
        """For how many seconds it is not to be asked."""
        return 0.0 if self.failure is None else max(0.0, self._rests_until - time.monotonic())

    def failed(self, failure: KelpError) -> None:
        seconds = min(_REST_MAX, _REST * 2**self._failures)
        self.failure = failure
        self.generation += 1
        self._failures = min(self._failures + 1, 10)
        # Clients that lost the same server come back spread over time.
        self._rests_until = time.monotonic() + seconds * random.uniform(0.5, 1)

    def served(self) -> None:
        self.failure, self._failures = None, 0


class Servers:
    def __init__(self, addresses: Sequence[str], tls: bool) -> None:
        if not 1 <= len(addresses) <= _ADDRESSES_MAX:
            raise error("invalidArgument", f"there are {len(addresses)} addresses; give 1 to {_ADDRESSES_MAX}")
        self.all = [_server(address, tls) for address in addresses]
        if len({server.is_tls for server in self.all}) > 1:
            raise error("invalidArgument", "some addresses are with TLS and some without")
        self.are_several = len(self.all) > 1
        self.current = random.randrange(len(self.all))

    def next(self, without: set[Server]) -> Optional[Server]:
        """The first in turn, from the current one on, that does not rest."""
        for step in range(len(self.all)):
            server = self.all[(self.current + step) % len(self.all)]
            if server not in without and server.rest == 0:
                return server
        return None


class Route:
    """The way of one call, or of one stream that goes on, over the servers: each is tried once, then there is a pause."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._tried: set[Server] = set()
        self._writer: Optional[Server] = None
        self._has_failed = False
        self._generation = 0

    @property
    def goes_elsewhere(self) -> bool:
        return self._servers.are_several and self._servers.next(self._tried) is not None

    @property
    def rest(self) -> float:
        return min(server.rest for server in self._servers.all)

    def paused(self) -> None:
        self._tried.clear()

    def begin(self) -> Server:
        """Chooses the server for a try; raises how the last one failed while all rest."""
        servers = self._servers
        if not servers.are_several:
            return servers.all[0]
        writer, self._writer = self._writer, None
        server = writer if writer is not None and writer.rest == 0 and writer not in self._tried else None
        server = server or servers.next(self._tried)
        if server is None:
            self.paused()
            server = servers.next(self._tried)
        if server is None:
            resting = min(servers.all, key=lambda each: each.rest).failure
            code, why = (resting.code, resting.message) if resting else ("unavailable", "none can be reached")
            raise error(code, f"no server is available: {why}")
        self._tried.add(server)
        self._generation = server.generation
        return server

    def served(self, server: Server) -> None:
        server.served()
        if self._has_failed:
            self._servers.current = self._servers.all.index(server)

    def failed(self, server: Server, failure: KelpError) -> None:
        servers = self._servers
        if not servers.are_several:
            return
        self._has_failed = True
        if failure.code == "notWriter":
            address = failure.details.get("writer_address")
            self._writer = next((each for each in servers.all if each.target == address), None)
        elif failure.code in ("unavailable", "recovering", "shuttingDown"):
            # What began before the last failure, and fails too, tells nothing new.
            if self._generation == server.generation:
                server.failed(failure)
            if servers.all[servers.current] is server:
                following = servers.next({server})
                servers.current = servers.all.index(following or server)


def _server(address: str, tls: bool) -> Server:
    if address.startswith("unix:"):
        if tls:
            raise error("invalidArgument", f"{address} is a socket of this machine, which has no TLS")
        return Server(address, False, True)
    scheme, _, place = address.rpartition("://")
    if scheme not in ("", "http", "https") or (scheme == "http" and tls):
        raise error("invalidArgument", f"{address!r} is no address; one is kelp.internal:7379, or with TLS https://...")
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^:/\s\[\]]*)(?::(\d{1,5}))?", place)
    if match is None or place == "":
        raise error("invalidArgument", f"{address!r} is no address; one is kelp.internal:7379 or [::1]:7379")
    target = f"{match[1] or '127.0.0.1'}:{match[2] or _DEFAULT_PORT}"
    return Server(target, tls or scheme == "https", _LOOPBACK.match(target) is not None)
