"""The plain client: calls that block. One client serves many threads."""
from __future__ import annotations

import threading
import time
import weakref
from functools import wraps
from typing import Any, Callable, Concatenate, Generator, Generic, Iterator, Optional, ParamSpec, TypeVar, Union

import grpc

from ._core import Core
from ._effects import Emit, Flow, Next, Op, Open, Sleep, Stopped, Unary, canceled, closed, step
from ._leases import LEAVE_MAX, LeaseState, leader_value, leaders
from ._proto import types_pb2
from ._servers import Server
from ._watch import EventType, WatchState
from .errors import KelpError, error
from .types import (
    Credentials,
    CredentialsSource,
    Duration,
    Key,
    Position,
    Tls,
    WatchMessage,
    key_range,
    seconds_of,
)

P = ParamSpec("P")
T = TypeVar("T")
#: For so many seconds a call waits at most for the function that gives credentials; then it is called anew.
CREDENTIALS_MAX = 30.0


class _Scope:
    """What is under way, so that another thread can end it."""

    def __init__(self, is_own: bool) -> None:
        #: Whether only closing the client ends it.
        self.is_own = is_own
        self.stopped: Optional[Stopped] = None
        self._event = threading.Event()
        self._call: Any = None

    def cancel(self, reason: Stopped) -> None:
        self.stopped = self.stopped or reason
        self._event.set()
        if self._call is not None:
            self._call.cancel()

    def begun(self, call: Any) -> Any:
        self._call = call
        if self.stopped is not None:
            call.cancel()
        return call

    def sleep(self, seconds: float) -> None:
        self._event.wait(seconds)


class _Question:
    """The function that gives credentials, called in a thread of its own; all calls that need some wait for the same."""

    def __init__(self, generation: int) -> None:
        self.generation = generation
        self.ends_at = time.monotonic() + CREDENTIALS_MAX
        self.failure: Optional[BaseException] = None
        self.is_answered = threading.Event()


class Reader(Generic[T]):
    """An iterator that another thread can close."""

    def __init__(self, client: Client, flow: Flow[T]) -> None:
        self._client, self._scope = client, client._scope()
        self._values = client._drive(flow, self._scope)

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        try:
            value: Any = next(self._values)
        except KelpError as failure:
            if failure.code == "canceled":
                raise StopIteration from None
            raise
        if isinstance(value, KelpError):
            raise value
        return value  # type: ignore[no-any-return]

    def close(self) -> None:
        self._scope.cancel(canceled())

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


Self = TypeVar("Self", bound="Reader[Any]")


class Watch(Reader[WatchMessage]):
    def __init__(self, client: Client, state: WatchState) -> None:
        super().__init__(client, state.messages())
        self._state = state

    @property
    def position(self) -> Optional[Position]:
        """Up to where all has been given: what another watch goes on with by `after`."""
        return self._state.position


class Lease(LeaseState):
    """A lease that a thread renews until it is revoked, closed or lost. Leaving its block revokes it."""

    def __init__(self, client: Client) -> None:
        super().__init__(client._core)
        self._client, self._scope = client, client._scope()
        self._lost_event = threading.Event()
        self.on_lost(lambda _: self._lost_event.set())

    def wait_lost(self, timeout: Optional[float] = None) -> Optional[KelpError]:
        """Waits until it is lost, and says why; None: it was not in that time, or it was given back or closed."""
        self._lost_event.wait(timeout)
        return self.lost

    def revoke(self) -> None:
        """Ends it, and deletes its keys."""
        self.close()
        self._client._run(self._revoke())

    def close(self) -> None:
        """Stops renewing; the lease lives on at the server until its time has passed."""
        self._is_revoked = True
        self._lost_event.set()
        self._scope.cancel(canceled())

    def _begin(self, ttl: Duration) -> None:
        self._client._run(self._grant(ttl))
        run = self._client._run
        threading.Thread(target=lambda: run(self._keep_alive(), self._scope), name="kelpdb lease", daemon=True).start()

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, *_: object) -> None:
        self.revoke()


class Held(Lease):
    """A lock, or the leadership of an election, by a lease that is renewed. Leaving its block gives it back."""

    def __enter__(self: AHeld) -> AHeld:
        return self

    def release(self) -> None:
        """Gives it back: the next one has it at once."""
        self.revoke()


AHeld = TypeVar("AHeld", bound=Held)


class Leadership(Held):
    """The leadership of an election."""

    resign = Held.release

    def proclaim(self, value: object) -> None:
        """Tells `leaders` another value. Raises LeaseNotFound when it leads no more."""
        self._client._run(self._proclaim(leader_value(value)))


def _call(op: Callable[Concatenate[Core, P], Op[T]]) -> Callable[Concatenate[Client, P], T]:
    @wraps(op)
    def method(self: Client, /, *args: P.args, **options: P.kwargs) -> T:
        return self._run(op(self._core, *args, **options))

    return method


def _read(op: Callable[Concatenate[Core, P], Flow[T]]) -> Callable[Concatenate[Client, P], Reader[T]]:
    @wraps(op)
    def method(self: Client, /, *args: P.args, **options: P.kwargs) -> Reader[T]:
        return Reader(self, op(self._core, *args, **options))

    return method


class Client:
    """See the README. `addresses`: one, or several servers of one store; `127.0.0.1:7379` unless given."""

    def __init__(
        self,
        *addresses: str,
        tls: Union[bool, Tls] = False,
        credentials: Union[Credentials, CredentialsSource, None] = None,
        deadline: Duration = 10.0,
        retries: Optional[int] = None,
        allow_plaintext_credentials: bool = False,
    ) -> None:
        self._core = Core(addresses, tls, credentials, deadline, retries, allow_plaintext_credentials)
        self._scopes: weakref.WeakSet[_Scope] = weakref.WeakSet()
        self._lock, self._asking = threading.Lock(), threading.Lock()
        #: Guarded, as are the credentials, by `_asking`, which is never held for long.
        self._question: Optional[_Question] = None

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

    def lease(self, ttl: Duration) -> Lease:
        """A lease that is renewed from now on."""
        lease = Lease(self)
        lease._begin(ttl)
        return lease

    def lock(self, name: str, *, ttl: Duration = 10.0, timeout: Optional[Duration] = None) -> Held:
        """Waits for a lock that one holds at a time, in the order in which they came. `timeout`: raises DeadlineExceeded."""
        return self._hold(Held(self), name, "lock", b"", ttl, timeout)

    def elect(self, name: str, value: object, *, ttl: Duration = 10.0, timeout: Optional[Duration] = None) -> Leadership:
        """Waits until it leads. `value`, written as JSON, is what `leaders` shows of it."""
        return self._hold(Leadership(self), name, "candidate", leader_value(value), ttl, timeout)

    def _hold(self, held: AHeld, name: str, kind: str, value: bytes, ttl: Duration, timeout: Optional[Duration]) -> AHeld:
        scope = self._scope()
        taking = held._hold(name, kind, value)
        held._begin(ttl)
        held.on_lost(lambda reason: scope.cancel(Stopped(reason)))
        late = Stopped(error("deadlineExceeded", f"{name} was not free in time"))
        timer = None if timeout is None else threading.Timer(seconds_of(timeout), scope.cancel, [late])
        try:
            if timer is not None:
                timer.start()
            self._run(taking, scope)
            return held
        except BaseException:
            held.close()
            try:
                self._run(held._revoke(min(LEAVE_MAX, self._core.deadline)))
            except KelpError:
                pass  # Its time to live ends it.
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def close(self) -> None:
        self._core.is_closed = True
        with self._lock:
            scopes = list(self._scopes)
        for scope in scopes:
            scope.cancel(closed())
        for server in self._core.servers.all:
            if server.channel is not None:
                server.channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _scope(self, is_own: bool = False) -> _Scope:
        scope = _Scope(is_own)
        with self._lock:
            self._scopes.add(scope)
        return scope

    def _run(self, op: Op[T], scope: Optional[_Scope] = None) -> T:
        driven = self._drive(op, scope or self._scope(True))
        while True:
            try:
                next(driven)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]

    def _drive(self, op: Generator[Any, Any, Any], scope: _Scope) -> Generator[Any, None, Any]:
        """Does what it asks for, and yields what it emits."""
        answer: Any = None
        failure: Optional[BaseException] = None
        try:
            while True:
                try:
                    effect = step(op, answer, failure)
                except StopIteration as end:
                    return end.value
                answer = failure = None
                if isinstance(effect, Emit):
                    yield effect.value
                    continue
                try:
                    if self._core.is_closed:
                        raise closed()
                    if scope.stopped is None:
                        answer = self._do(effect, scope)
                except BaseException as reason:
                    failure = closed() if self._core.is_closed and isinstance(reason, Exception) else reason
                if scope.stopped is not None and answer is None:
                    failure = scope.stopped
        except Stopped as stopped:
            raise stopped.error() from None
        finally:
            op.close()

    def _do(self, effect: Any, scope: _Scope) -> Any:
        if isinstance(effect, Sleep):
            return scope.sleep(effect.seconds)
        if isinstance(effect, Unary):
            call = self._callable(effect.server, effect.method, False)
            if scope.is_own:  # Far cheaper than a future.
                return call(effect.request, timeout=effect.timeout, metadata=self._core.metadata)
            future = call.future(effect.request, timeout=effect.timeout, metadata=self._core.metadata)
            try:
                return scope.begun(future).result()
            except grpc.FutureCancelledError:
                raise canceled() from None
        if isinstance(effect, Open):
            call = self._callable(effect.server, effect.method, True)
            return scope.begun(call(effect.request, metadata=self._core.metadata))
        if isinstance(effect, Next):
            return next(effect.stream, None)
        return self._ask(effect.generation, effect.timeout)

    def _ask(self, generation: int, timeout: float) -> None:
        with self._asking:
            if self._core.generation != generation:
                return
            question = self._question
            if question is None or time.monotonic() >= question.ends_at:
                question = _Question(generation)
                thread = threading.Thread(target=self._answer, args=[question], name="kelpdb credentials", daemon=True)
                thread.start()
                self._question = question
        if not question.is_answered.wait(max(0.0, min(timeout, CREDENTIALS_MAX))):
            raise late_credentials(timeout)
        if question.failure is not None:
            raise no_credentials(question.failure) from question.failure

    def _answer(self, question: _Question) -> None:
        source: Any = self._core.source
        try:
            given = source()
            with self._asking:
                if self._core.generation == question.generation:
                    self._core.given(given)
        except BaseException as reason:
            question.failure = reason
        with self._asking:
            if self._question is question:
                self._question = None
        question.is_answered.set()

    def _callable(self, server: Server, method: Any, is_stream: bool) -> Any:
        with self._lock:
            if server.channel is None:
                options = self._core.channel_options()
                if server.is_tls:
                    server.channel = grpc.secure_channel(server.target, tls_credentials(self._core.tls), options)
                else:
                    server.channel = grpc.insecure_channel(server.target, options)
                # gRPC sends and reads only while it is asked for something. By this it always is: it sees at once that a connection
                # broke, and one that it begins while no call is under way comes about.
                server.channel.subscribe(_ignored)
            return callable_of(server, method, is_stream)


def _ignored(_: grpc.ChannelConnectivity) -> None:
    pass


def callable_of(server: Server, method: Any, is_stream: bool) -> Any:
    if method.path not in server.callables:
        make = server.channel.unary_stream if is_stream else server.channel.unary_unary
        server.callables[method.path] = make(method.path, method.serialize, method.reply.FromString)
    return server.callables[method.path]


def tls_credentials(tls: Tls) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(tls.ca, tls.key, tls.cert)


def late_credentials(timeout: float) -> KelpError:
    """The function has given nothing until the deadline of the call, or for the longest that one waits for it."""
    if timeout > CREDENTIALS_MAX:
        return no_credentials(TimeoutError(f"it gave nothing within {CREDENTIALS_MAX:.0f} s"))
    failure = error("deadlineExceeded", "no credentials in time: the function credentials has given nothing yet")
    failure._lacks_credentials = True
    return failure


def no_credentials(reason: BaseException) -> KelpError:
    failure = error("unauthenticated", f"no credentials: the function credentials failed: {reason}")
    failure._lacks_credentials = True
    return failure
