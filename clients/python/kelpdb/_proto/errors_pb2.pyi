from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
ERROR_REASON_CONDITION_FAILED: ErrorReason
ERROR_REASON_DAMAGED: ErrorReason
ERROR_REASON_HISTORY_DIFFERS: ErrorReason
ERROR_REASON_INDEX_OUT_OF_RANGE: ErrorReason
ERROR_REASON_INTEGER_OVERFLOW: ErrorReason
ERROR_REASON_INVALID_ARGUMENT: ErrorReason
ERROR_REASON_KEY_NOT_FOUND: ErrorReason
ERROR_REASON_LEASE_EXISTS: ErrorReason
ERROR_REASON_LEASE_NOT_FOUND: ErrorReason
ERROR_REASON_LIMIT_REACHED: ErrorReason
ERROR_REASON_NAME_NOT_FOUND: ErrorReason
ERROR_REASON_NAME_TAKEN: ErrorReason
ERROR_REASON_NOT_AN_INTEGER: ErrorReason
ERROR_REASON_NOT_A_FLOAT: ErrorReason
ERROR_REASON_NOT_A_NUMBER: ErrorReason
ERROR_REASON_NOT_CLUSTERED: ErrorReason
ERROR_REASON_NOT_HANDED_OVER: ErrorReason
ERROR_REASON_NOT_WRITER: ErrorReason
ERROR_REASON_NO_TIME_TO_LIVE: ErrorReason
ERROR_REASON_OTHER_STORE: ErrorReason
ERROR_REASON_PARTLY_DELETED: ErrorReason
ERROR_REASON_PERMISSION_DENIED: ErrorReason
ERROR_REASON_READ_FAILED: ErrorReason
ERROR_REASON_READ_ONLY: ErrorReason
ERROR_REASON_RECOVERING: ErrorReason
ERROR_REASON_REVISION_COMPACTED: ErrorReason
ERROR_REASON_REVISION_FUTURE: ErrorReason
ERROR_REASON_SHUTTING_DOWN: ErrorReason
ERROR_REASON_SLOW_WATCHER: ErrorReason
ERROR_REASON_SNAPSHOT_FAILED: ErrorReason
ERROR_REASON_STORAGE_FAILED: ErrorReason
ERROR_REASON_UNAUTHENTICATED: ErrorReason
ERROR_REASON_UNSPECIFIED: ErrorReason
ERROR_REASON_WRONG_TYPE: ErrorReason

class ConditionFailed(_message.Message):
    __slots__ = ["current_mod_revision"]
    CURRENT_MOD_REVISION_FIELD_NUMBER: _ClassVar[int]
    current_mod_revision: int
    def __init__(self, current_mod_revision: _Optional[int] = ...) -> None: ...

class ErrorDetail(_message.Message):
    __slots__ = ["condition_failed", "history_differs", "not_writer", "other_store", "partly_deleted", "reason", "revision_out_of_range", "watch_ended"]
    CONDITION_FAILED_FIELD_NUMBER: _ClassVar[int]
    HISTORY_DIFFERS_FIELD_NUMBER: _ClassVar[int]
    NOT_WRITER_FIELD_NUMBER: _ClassVar[int]
    OTHER_STORE_FIELD_NUMBER: _ClassVar[int]
    PARTLY_DELETED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REVISION_OUT_OF_RANGE_FIELD_NUMBER: _ClassVar[int]
    WATCH_ENDED_FIELD_NUMBER: _ClassVar[int]
    condition_failed: ConditionFailed
    history_differs: HistoryDiffers
    not_writer: NotWriter
    other_store: OtherStore
    partly_deleted: PartlyDeleted
    reason: ErrorReason
    revision_out_of_range: RevisionOutOfRange
    watch_ended: WatchEnded
    def __init__(self, reason: _Optional[_Union[ErrorReason, str]] = ..., condition_failed: _Optional[_Union[ConditionFailed, _Mapping]] = ..., revision_out_of_range: _Optional[_Union[RevisionOutOfRange, _Mapping]] = ..., watch_ended: _Optional[_Union[WatchEnded, _Mapping]] = ..., other_store: _Optional[_Union[OtherStore, _Mapping]] = ..., history_differs: _Optional[_Union[HistoryDiffers, _Mapping]] = ..., partly_deleted: _Optional[_Union[PartlyDeleted, _Mapping]] = ..., not_writer: _Optional[_Union[NotWriter, _Mapping]] = ...) -> None: ...

class HistoryDiffers(_message.Message):
    __slots__ = ["incarnation", "newest_revision", "requested_incarnation", "requested_revision", "shared_incarnation", "shared_revision"]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    NEWEST_REVISION_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_INCARNATION_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_REVISION_FIELD_NUMBER: _ClassVar[int]
    SHARED_INCARNATION_FIELD_NUMBER: _ClassVar[int]
    SHARED_REVISION_FIELD_NUMBER: _ClassVar[int]
    incarnation: str
    newest_revision: int
    requested_incarnation: str
    requested_revision: int
    shared_incarnation: str
    shared_revision: int
    def __init__(self, requested_revision: _Optional[int] = ..., requested_incarnation: _Optional[str] = ..., incarnation: _Optional[str] = ..., shared_revision: _Optional[int] = ..., shared_incarnation: _Optional[str] = ..., newest_revision: _Optional[int] = ...) -> None: ...

class NotWriter(_message.Message):
    __slots__ = ["writer_address"]
    WRITER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    writer_address: str
    def __init__(self, writer_address: _Optional[str] = ...) -> None: ...

class OtherStore(_message.Message):
    __slots__ = ["requested_store_id", "store_id"]
    REQUESTED_STORE_ID_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    requested_store_id: str
    store_id: str
    def __init__(self, requested_store_id: _Optional[str] = ..., store_id: _Optional[str] = ...) -> None: ...

class PartlyDeleted(_message.Message):
    __slots__ = ["deleted_count", "first_revision", "revision"]
    DELETED_COUNT_FIELD_NUMBER: _ClassVar[int]
    FIRST_REVISION_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    deleted_count: int
    first_revision: int
    revision: int
    def __init__(self, first_revision: _Optional[int] = ..., revision: _Optional[int] = ..., deleted_count: _Optional[int] = ...) -> None: ...

class RevisionOutOfRange(_message.Message):
    __slots__ = ["newest_revision", "oldest_revision", "requested_revision"]
    NEWEST_REVISION_FIELD_NUMBER: _ClassVar[int]
    OLDEST_REVISION_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_REVISION_FIELD_NUMBER: _ClassVar[int]
    newest_revision: int
    oldest_revision: int
    requested_revision: int
    def __init__(self, requested_revision: _Optional[int] = ..., oldest_revision: _Optional[int] = ..., newest_revision: _Optional[int] = ...) -> None: ...

class WatchEnded(_message.Message):
    __slots__ = ["resume_revision"]
    RESUME_REVISION_FIELD_NUMBER: _ClassVar[int]
    resume_revision: int
    def __init__(self, resume_revision: _Optional[int] = ...) -> None: ...

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
