"""The client for asyncio. A client belongs to the event loop in which it is first used."""
from __future__ import annotations

import asyncio
import inspect
import weakref
from functools import wraps
from typing import (
    Any,
    AsyncIterator,
    Awaitable,
    Callable,
    Concatenate,
    Coroutine,
    Generator,
    Generic,
    Optional,
    ParamSpec,
    TypeVar,
    Union,
)

import grpc
import grpc.aio

from ._core import Core
from ._effects import Emit, Flow, Next, Op, Open, Sleep, Stopped, Unary, canceled, closed, step
from ._leases import LEAVE_MAX, LeaseState, leader_value, leaders
from ._proto import types_pb2
from ._servers import Server
from ._watch import EventType, WatchState
from .errors import KelpError
from .plain import CREDENTIALS_MAX, callable_of, late_credentials, no_credentials, tls_credentials
from .types import Credentials, CredentialsSource, Duration, Key, Position, Tls, WatchMessage, key_range

P = ParamSpec("P")
T = TypeVar("T")


class _Scope:
    """What is under way, so that another task can end it."""

    def __init__(self) -> None:
        self.stopped: Optional[Stopped] = None
        self._event: Optional[asyncio.Event] = None
        self._call: Any = None

    def cancel(self, reason: Stopped) -> None:
        self.stopped = self.stopped or reason
        if self._event is not None:
            self._event.set()
        if self._call is not None:
            self._call.cancel()

    def begun(self, call: Any) -> Any:
        self._call = call
        return call

    async def sleep(self, seconds: float) -> None:
        self._event = asyncio.Event()
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except asyncio.TimeoutError:
            pass


class _Driven:
    """An operation under way. With `goes_on` a task that is cancelled while it waits takes nothing away: the next one goes on there."""

    def __init__(self, client: AsyncClient, op: Generator[Any, Any, Any], scope: _Scope, goes_on: bool) -> None:
        self._client, self._op, self._scope, self._goes_on = client, op, scope, goes_on
        #: What it asks for, until that has its outcome, which is the answer or the failure.
        self._effect: Any = None
        self._answer: Any = None
        self._failure: Optional[BaseException] = None
        self._waiting: Optional[asyncio.Future[Any]] = None
        self._is_running = False
        #: Once it has ended.
        self.result: Any = None

    async def next(self) -> Optional[Emit[Any]]:
        """What it emits next; None: it has ended."""
        if self._is_running:
            raise RuntimeError("another task waits for what comes next")
        self._is_running = True
        try:
            while True:
                if self._effect is None:
                    answer, failure = self._answer, self._failure
                    self._answer = self._failure = None
                    effect = step(self._op, answer, failure)
                    if isinstance(effect, Emit):
                        return effect
                    self._effect = effect
                await self._await_outcome()
                self._effect = None
        except StopIteration as end:
            self.result = end.value
            return None
        except Stopped as stopped:
            raise stopped.error() from None
        finally:
            self._is_running = False

    async def _await_outcome(self) -> None:
        core, scope = self._client._core, self._scope
        try:
            if core.is_closed:
                raise closed()
            if scope.stopped is None:
                doing = self._client._do(self._effect, scope) if not self._goes_on else self._kept()
                self._answer = await doing
        except asyncio.CancelledError as reason:
            task = asyncio.current_task()
            # By the task, or by what was under way.
            asked = task is not None and task.cancelling() > 0
            if asked and self._goes_on:
                raise
            self._failure = reason if asked else scope.stopped or canceled()
        except BaseException as reason:
            self._failure = closed() if core.is_closed and isinstance(reason, Exception) else reason
        if scope.stopped is not None and self._answer is None and not isinstance(self._failure, asyncio.CancelledError):
            self._failure = scope.stopped

    async def _kept(self) -> Any:
        if self._waiting is None:
            self._waiting = asyncio.ensure_future(self._client._do(self._effect, self._scope))
            self._waiting.add_done_callback(lambda done: done.cancelled() or done.exception())
        # Other than `shield`, this never takes an outcome that it does not give.
        await asyncio.wait([self._waiting])
        waiting, self._waiting = self._waiting, None
        return waiting.result()

    def __del__(self) -> None:
        if self._waiting is not None and not self._waiting.get_loop().is_closed():
            self._waiting.cancel()


class Reader(Generic[T]):
    """An async iterator that another task can close. A wait for the next that is cancelled, or too long for `wait_for`, loses nothing."""

    def __init__(self, client: AsyncClient, flow: Flow[T]) -> None:
        self._scope = client._scope()
        self._driven = _Driven(client, flow, self._scope, True)

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        try:
            emitted = await self._driven.next()
        except KelpError as failure:
            if failure.code == "canceled":
                raise StopAsyncIteration from None
            raise
        if emitted is None:
            raise StopAsyncIteration
        if isinstance(emitted.value, KelpError):
            raise emitted.value
        return emitted.value  # type: ignore[no-any-return]

    async def aclose(self) -> None:
        self._scope.cancel(canceled())

    async def __aenter__(self: Self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


Self = TypeVar("Self", bound="Reader[Any]")


class Watch(Reader[WatchMessage]):
    def __init__(self, client: AsyncClient, state: WatchState) -> None:
        super().__init__(client, state.messages())
        self._state = state

    @property
    def position(self) -> Optional[Position]:
        """Up to where all has been given: what another watch goes on with by `after`."""
        return self._state.position


class Lease(LeaseState):
    """A lease that is renewed until it is revoked, closed or lost. Leaving its block revokes it."""

    def __init__(self, client: AsyncClient) -> None:
        super().__init__(client._core)
        self._client, self._scope = client, client._scope()
        self._lost_event = asyncio.Event()
        self.on_lost(lambda _: self._lost_event.set())
        self._task: Optional[asyncio.Task[None]] = None

    async def wait_lost(self) -> Optional[KelpError]:
        """Waits until it is lost, and says why; None: it was given back, or closed."""
        await self._lost_event.wait()
        return self.lost

    async def revoke(self) -> None:
        """Ends it, and deletes its keys."""
        self.close()
        await self._client._run(self._revoke())

    def close(self) -> None:
        """Stops renewing; the lease lives on at the server until its time has passed."""
        self._is_revoked = True
        self._lost_event.set()
        self._scope.cancel(canceled())

    async def _begin(self, ttl: Duration) -> None:
        await self._client._run(self._grant(ttl))
        self._task = asyncio.create_task(self._client._run(self._keep_alive(), self._scope))


class Held(Lease):
    """A lock, or the leadership of an election, by a lease that is renewed. Leaving its block gives it back."""

    async def release(self) -> None:
        """Gives it back: the next one has it at once."""
        await self.revoke()


class Leadership(Held):
    """The leadership of an election."""

    resign = Held.release

    async def proclaim(self, value: object) -> None:
        """Tells `leaders` another value. Raises LeaseNotFound when it leads no more."""
        await self._client._run(self._proclaim(leader_value(value)))


ALease = TypeVar("ALease", bound=Lease)
AHeld = TypeVar("AHeld", bound=Held)


class _Opening(Generic[ALease]):
    """`await` it for a handle, or `async with` it."""

    def __init__(self, opening: Coroutine[Any, Any, ALease]) -> None:
        self._opening = opening
        self._lease: Optional[ALease] = None

    def __await__(self) -> Generator[Any, None, ALease]:
        return self._opening.__await__()

    async def __aenter__(self) -> ALease:
        self._lease = await self._opening
        return self._lease

    async def __aexit__(self, *_: object) -> None:
        if self._lease is not None:
            await self._lease.revoke()


def _call(op: Callable[Concatenate[Core, P], Op[T]]) -> Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, T]]:
    @wraps(op)
    async def method(self: AsyncClient, /, *args: P.args, **options: P.kwargs) -> T:
        return await self._run(op(self._core, *args, **options))

    return method


def _read(op: Callable[Concatenate[Core, P], Flow[T]]) -> Callable[Concatenate[AsyncClient, P], Reader[T]]:
    @wraps(op)
    def method(self: AsyncClient, /, *args: P.args, **options: P.kwargs) -> Reader[T]:
        return Reader(self, op(self._core, *args, **options))

    return method


class AsyncClient:
    """See the README. `addresses`: one, or several servers of one store; `127.0.0.1:7379` unless given."""

    def __init__(
        self,
        *addresses: str,
        tls: Union[bool, Tls] = False,
        credentials: Union[Credentials, CredentialsSource, Callable[[], Awaitable[Credentials]], None] = None,
        deadline: Duration = 10.0,
        retries: Optional[int] = None,
        allow_plaintext_credentials: bool = False,
    ) -> None:
        given: Any = credentials
        self._core = Core(addresses, tls, given, deadline, retries, allow_plaintext_credentials)
        self._scopes: weakref.WeakSet[_Scope] = weakref.WeakSet()
        self._asking = asyncio.Lock()

    get = _call(Core.get)
    put = _call(Core.put)
    delete = _call(Core.delete)
    increment = _call(Core.increment)
    txn = _call(Core.txn)
    scan = _read(Core.scan)
    leaders = _read(leaders)

    def watch(
        self,
        prefix: Optional[Key] = None,
        *,
        key: Optional[Key] = None,
        start: Optional[Key] = None,
        end: Optional[Key] = None,
        start_revision: int = 0,
        include_current: bool = False,
        event_types: tuple[EventType, ...] = (),
        keys_only: bool = False,
        return_previous: bool = False,
        restart_when_lost: bool = False,
        after: Optional[Position] = None,
    ) -> Watch:
        """The changes of a range, or of all keys: from now on, from a revision, behind the present entries, or `after` a position."""
        options: dict[str, Any] = dict(start_revision=start_revision, include_current=include_current, after=after)
        options.update(event_types=event_types, keys_only=keys_only, return_previous=return_previous)
        ranges: list[types_pb2.KeyRange] = [key_range(prefix, start, end, key)]
        return Watch(self, WatchState(self._core, ranges, restart_when_lost=restart_when_lost, **options))

    def lease(self, ttl: Duration) -> _Opening[Lease]:
        """A lease that is renewed from now on."""

        async def opening() -> Lease:
            lease = Lease(self)
            await lease._begin(ttl)
            return lease

        return _Opening(opening())

    def lock(self, name: str, *, ttl: Duration = 10.0) -> _Opening[Held]:
        """Waits for a lock that one holds at a time, in the order in which they came; `asyncio.timeout` limits the wait."""
        return _Opening(self._hold(Held(self), name, "lock", b"", ttl))

    def elect(self, name: str, value: object, *, ttl: Duration = 10.0) -> _Opening[Leadership]:
        """Waits until it leads. `value`, written as JSON, is what `leaders` shows of it."""
        return _Opening(self._hold(Leadership(self), name, "candidate", leader_value(value), ttl))

    async def _hold(self, held: AHeld, name: str, kind: str, value: bytes, ttl: Duration) -> AHeld:
        scope = self._scope()
        await held._begin(ttl)
        held.on_lost(lambda reason: scope.cancel(Stopped(reason)))
        try:
            await self._run(held._hold(name, kind, value), scope)
            return held
        except BaseException:
            held.close()
            try:
                await self._run(held._revoke(min(LEAVE_MAX, self._core.deadline)))
            except KelpError:
                pass  # Its time to live ends it.
            raise

    async def close(self) -> None:
        self._core.is_closed = True
        for scope in list(self._scopes):
            scope.cancel(closed())
        for server in self._core.servers.all:
            if server.channel is not None:
                await server.channel.close()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _scope(self) -> _Scope:
        scope = _Scope()
        self._scopes.add(scope)
        return scope

    async def _run(self, op: Op[T], scope: Optional[_Scope] = None) -> T:
        driven = _Driven(self, op, scope or self._scope(), False)
        try:
            while await driven.next() is not None:
                pass
            return driven.result  # type: ignore[no-any-return]
        finally:
            op.close()

    async def _do(self, effect: Any, scope: _Scope) -> Any:
        if isinstance(effect, Sleep):
            return await scope.sleep(effect.seconds)
        if isinstance(effect, Unary):
            call = self._callable(effect.server, effect.method, False)
            return await scope.begun(call(effect.request, timeout=effect.timeout, metadata=self._core.metadata))
        if isinstance(effect, Open):
            call = self._callable(effect.server, effect.method, True)
            return scope.begun(call(effect.request, metadata=self._core.metadata))
        if isinstance(effect, Next):
            message = await effect.stream.read()
            return None if message is grpc.aio.EOF else message
        limit = asyncio.timeout(max(0.001, min(effect.timeout, CREDENTIALS_MAX)))
        try:
            async with limit, self._asking:  # The question of another call counts, too.
                if self._core.generation == effect.generation:
                    await self._ask()
        except TimeoutError:
            if limit.expired():
                raise late_credentials(effect.timeout) from None
            raise

    async def _ask(self) -> None:
        source: Any = self._core.source
        try:
            given = source()
            if inspect.isawaitable(given):
                given = await given
            self._core.given(given)
        except Exception as reason:
            raise no_credentials(reason) from reason

    def _callable(self, server: Server, method: Any, is_stream: bool) -> Any:
        if server.channel is None:
            options = self._core.channel_options()
            if server.is_tls:
                credentials = tls_credentials(self._core.tls)
                server.channel = grpc.aio.secure_channel(server.target, credentials, options)
            else:
                server.channel = grpc.aio.insecure_channel(server.target, options)
        return callable_of(server, method, is_stream)
