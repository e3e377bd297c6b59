from google.protobuf import duration_pb2 as _duration_pb2
from . import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class HashDeleteRequest(_message.Message):
    __slots__ = ["key", "key_bytes", "names"]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    key: str
    key_bytes: bytes
    names: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, key: _Optional[str] = ..., key_bytes: _Optional[bytes] = ..., names: _Optional[_Iterable[bytes]] = ...) -> None: ...

class HashDeleteResponse(_message.Message):
    __slots__ = ["count", "deleted_count", "revision"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    DELETED_COUNT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    count: int
    deleted_count: int
    revision: int
    def __init__(self, revision: _Optional[int] = ..., deleted_count: _Optional[int] = ..., count: _Optional[int] = ...) -> None: ...

class HashField(_message.Message):
    __slots__ = ["name", "value"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: bytes
    value: bytes
    def __init__(self, name: _Optional[bytes] = ..., value: _Optional[bytes] = ...) -> None: ...

class HashGetRequest(_message.Message):
    __slots__ = ["consistency", "key", "key_bytes", "min_revision", "names", "refresh_ttl", "revision"]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    MIN_REVISION_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    REFRESH_TTL_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    consistency: _types_pb2.Consistency
    key: str
    key_bytes: bytes
    min_revision: int
    names: _containers.RepeatedScalarFieldContainer[bytes]
    refresh_ttl: bool
    revision: int
    def __init__(self, key: _Optional[str] = ..., key_bytes: _Optional[bytes] = ..., names: _Optional[_Iterable[bytes]] = ..., revision: _Optional[int] = ..., refresh_ttl: bool = ..., consistency: _Optional[_Union[_types_pb2.Consistency, str]] = ..., min_revision: _Optional[int] = ...) -> None: ...

class HashGetResponse(_message.Message):
    __slots__ = ["count", "fields", "revision"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    count: int
    fields: _containers.RepeatedCompositeFieldContainer[HashField]
    revision: int
    def __init__(self, fields: _Optional[_Iterable[_Union[HashField, _Mapping]]] = ..., count: _Optional[int] = ..., revision: _Optional[int] = ...) -> None: ...

class HashIncrementRequest(_message.Message):
    __slots__ = ["delta", "float_delta", "key", "key_bytes", "name", "ttl"]
    DELTA_FIELD_NUMBER: _ClassVar[int]
    FLOAT_DELTA_FIELD_NUMBER: _ClassVar[int]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TTL_FIELD_NUMBER: _ClassVar[int]
    delta: int
    float_delta: float
    key: str
    key_bytes: bytes
    name: bytes
    ttl: _duration_pb2.Duration
    def __init__(self, key: _Optional[str] = ..., key_bytes: _Optional[bytes] = ..., name: _Optional[bytes] = ..., delta: _Optional[int] = ..., float_delta: _Optional[float] = ..., ttl: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class HashIncrementResponse(_message.Message):
    __slots__ = ["revision", "value"]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    revision: int
    value: bytes
    def __init__(self, revision: _Optional[int] = ..., value: _Optional[bytes] = ...) -> None: ...

class HashScanRequest(_message.Message):
    __slots__ = ["consistency", "key", "key_bytes", "limit", "min_revision", "names_only", "page_token", "revision"]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    MIN_REVISION_FIELD_NUMBER: _ClassVar[int]
    NAMES_ONLY_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    consistency: _types_pb2.Consistency
    key: str
    key_bytes: bytes
    limit: int
    min_revision: int
    names_only: bool
    page_token: str
    revision: int
    def __init__(self, key: _Optional[str] = ..., key_bytes: _Optional[bytes] = ..., limit: _Optional[int] = ..., page_token: _Optional[str] = ..., revision: _Optional[int] = ..., names_only: bool = ..., consistency: _Optional[_Union[_types_pb2.Consistency, str]] = ..., min_revision: _Optional[int] = ...) -> None: ...

class HashScanResponse(_message.Message):
    __slots__ = ["count", "fields", "next_page_token", "revision"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    count: int
    fields: _containers.RepeatedCompositeFieldContainer[HashField]
    next_page_token: str
    revision: int
    def __init__(self, fields: _Optional[_Iterable[_Union[HashField, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., count: _Optional[int] = ..., revision: _Optional[int] = ...) -> None: ...

class HashSetRequest(_message.Message):
    __slots__ = ["fields", "key", "key_bytes", "only_if_absent", "ttl"]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    ONLY_IF_ABSENT_FIELD_NUMBER: _ClassVar[int]
    TTL_FIELD_NUMBER: _ClassVar[int]
    fields: _containers.RepeatedCompositeFieldContainer[HashField]
    key: str
    key_bytes: bytes
    only_if_absent: bool
    ttl: _duration_pb2.Duration
    def __init__(self, key: _Optional[str] = ..., key_bytes: _Optional[bytes] = ..., fields: _Optional[_Iterable[_Union[HashField, _Mapping]]] = ..., only_if_absent: bool = ..., ttl: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class HashSetResponse(_message.Message):
    __slots__ = ["added_count", "count", "revision"]
    ADDED_COUNT_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    added_count: int
    count: int
    revision: int
    def __init__(self, revision: _Optional[int] = ..., added_count: _Optional[int] = ..., count: _Optional[int] = ...) -> None: ...
