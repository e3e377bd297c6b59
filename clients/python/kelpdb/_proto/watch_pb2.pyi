from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from . import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DELETE_REASON_EVICTED: DeleteReason
DELETE_REASON_EXPIRED: DeleteReason
DELETE_REASON_LEASE_EXPIRED: DeleteReason
DELETE_REASON_LEASE_REVOKED: DeleteReason
DELETE_REASON_REQUESTED: DeleteReason
DELETE_REASON_UNSPECIFIED: DeleteReason
DESCRIPTOR: _descriptor.FileDescriptor
EVENT_TYPE_DELETE: EventType
EVENT_TYPE_PUT: EventType
EVENT_TYPE_TOUCH: EventType
EVENT_TYPE_UNSPECIFIED: EventType

class Current(_message.Message):
    __slots__ = ["entries", "revision"]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[_types_pb2.Entry]
    revision: int
    def __init__(self, entries: _Optional[_Iterable[_Union[_types_pb2.Entry, _Mapping]]] = ..., revision: _Optional[int] = ...) -> None: ...

class ElementChange(_message.Message):
    __slots__ = ["is_removed", "name", "score", "value"]
    IS_REMOVED_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    is_removed: bool
    name: bytes
    score: float
    value: bytes
    def __init__(self, name: _Optional[bytes] = ..., value: _Optional[bytes] = ..., score: _Optional[float] = ..., is_removed: bool = ...) -> None: ...

class ElementChanges(_message.Message):
    __slots__ = ["changes", "is_left_out", "is_whole"]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    IS_LEFT_OUT_FIELD_NUMBER: _ClassVar[int]
    IS_WHOLE_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[ElementChange]
    is_left_out: bool
    is_whole: bool
    def __init__(self, changes: _Optional[_Iterable[_Union[ElementChange, _Mapping]]] = ..., is_whole: bool = ..., is_left_out: bool = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ["delete_reason", "elements", "entry", "previous", "replaced_expired", "type"]
    DELETE_REASON_FIELD_NUMBER: _ClassVar[int]
    ELEMENTS_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    REPLACED_EXPIRED_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    delete_reason: DeleteReason
    elements: ElementChanges
    entry: _types_pb2.Entry
    previous: _types_pb2.Entry
    replaced_expired: bool
    type: EventType
    def __init__(self, type: _Optional[_Union[EventType, str]] = ..., entry: _Optional[_Union[_types_pb2.Entry, _Mapping]] = ..., previous: _Optional[_Union[_types_pb2.Entry, _Mapping]] = ..., delete_reason: _Optional[_Union[DeleteReason, str]] = ..., replaced_expired: bool = ..., elements: _Optional[_Union[ElementChanges, _Mapping]] = ...) -> None: ...

class Events(_message.Message):
    __slots__ = ["commit_time", "events", "more_fragments", "revision"]
    COMMIT_TIME_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    MORE_FRAGMENTS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    commit_time: _timestamp_pb2.Timestamp
    events: _containers.RepeatedCompositeFieldContainer[Event]
    more_fragments: bool
    revision: int
    def __init__(self, revision: _Optional[int] = ..., commit_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., events: _Optional[_Iterable[_Union[Event, _Mapping]]] = ..., more_fragments: bool = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ["revision"]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: int
    def __init__(self, revision: _Optional[int] = ...) -> None: ...

class Synced(_message.Message):
    __slots__ = ["revision"]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: int
    def __init__(self, revision: _Optional[int] = ...) -> None: ...

class WatchRequest(_message.Message):
    __slots__ = ["event_types", "incarnation", "include_current", "include_elements", "keys_only", "progress_interval", "ranges", "return_previous", "start_revision", "store_id"]
    EVENT_TYPES_FIELD_NUMBER: _ClassVar[int]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_CURRENT_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_ELEMENTS_FIELD_NUMBER: _ClassVar[int]
    KEYS_ONLY_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    RANGES_FIELD_NUMBER: _ClassVar[int]
    RETURN_PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    START_REVISION_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    event_types: _containers.RepeatedScalarFieldContainer[EventType]
    incarnation: str
    include_current: bool
    include_elements: bool
    keys_only: bool
    progress_interval: _duration_pb2.Duration
    ranges: _containers.RepeatedCompositeFieldContainer[_types_pb2.KeyRange]
    return_previous: bool
    start_revision: int
    store_id: str
    def __init__(self, ranges: _Optional[_Iterable[_Union[_types_pb2.KeyRange, _Mapping]]] = ..., start_revision: _Optional[int] = ..., include_current: bool = ..., event_types: _Optional[_Iterable[_Union[EventType, str]]] = ..., keys_only: bool = ..., return_previous: bool = ..., progress_interval: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., store_id: _Optional[str] = ..., incarnation: _Optional[str] = ..., include_elements: bool = ...) -> None: ...

class WatchResponse(_message.Message):
    __slots__ = ["current", "events", "incarnation", "progress", "store_id", "synced"]
    CURRENT_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    SYNCED_FIELD_NUMBER: _ClassVar[int]
    current: Current
    events: Events
    incarnation: str
    progress: Progress
    store_id: str
    synced: Synced
    def __init__(self, current: _Optional[_Union[Current, _Mapping]] = ..., synced: _Optional[_Union[Synced, _Mapping]] = ..., events: _Optional[_Union[Events, _Mapping]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., store_id: _Optional[str] = ..., incarnation: _Optional[str] = ...) -> None: ...

class EventType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class DeleteReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
