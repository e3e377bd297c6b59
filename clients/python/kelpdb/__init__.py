"""The client of KelpDB, a durable, watchable key-value store: `AsyncClient` for asyncio, `Client` that blocks."""
from .aio import AsyncClient
from .errors import (
    Canceled,
    Closed,
    ConditionFailed,
    DeadlineExceeded,
    HistoryDiffers,
    InvalidArgument,
    KelpError,
    LeaseNotFound,
    LimitReached,
    OtherStore,
    PermissionDenied,
    ReadOnly,
    RevisionCompacted,
    Unauthenticated,
    Unavailable,
)
from .plain import Client
from .types import (
    Current,
    DeleteResult,
    Entry,
    Event,
    Events,
    GetResult,
    IncrementResult,
    Leader,
    Password,
    Position,
    Progress,
    PutResult,
    Restarted,
    Synced,
    Tls,
    Token,
    Txn,
    TxnResult,
)

