from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Mapping as _Mapping, Optional as _Optional, Union as _Union

CONSISTENCY_LINEARIZABLE: Consistency
CONSISTENCY_LOCAL: Consistency
CONSISTENCY_UNSPECIFIED: Consistency
DESCRIPTOR: _descriptor.FileDescriptor
VALUE_TYPE_BLOOM_FILTER: ValueType
VALUE_TYPE_HASH: ValueType
VALUE_TYPE_LIST: ValueType
VALUE_TYPE_SET: ValueType
VALUE_TYPE_SORTED_SET: ValueType
VALUE_TYPE_STREAM: ValueType
VALUE_TYPE_UNSPECIFIED: ValueType

class Condition(_message.Message):
    __slots__ = ["mod_revision_equals", "must_exist", "must_not_exist"]
    MOD_REVISION_EQUALS_FIELD_NUMBER: _ClassVar[int]
    MUST_EXIST_FIELD_NUMBER: _ClassVar[int]
    MUST_NOT_EXIST_FIELD_NUMBER: _ClassVar[int]
    mod_revision_equals: int
    must_exist: bool
    must_not_exist: bool
    def __init__(self, must_not_exist: bool = ..., must_exist: bool = ..., mod_revision_equals: _Optional[int] = ...) -> None: ...

class Entry(_message.Message):
    __slots__ = ["create_revision", "expire_time", "key", "key_bytes", "lease_id", "mod_revision", "type", "value", "version"]
    CREATE_REVISION_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    LEASE_ID_FIELD_NUMBER: _ClassVar[int]
    MOD_REVISION_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    create_revision: int
    expire_time: _timestamp_pb2.Timestamp
    key: str
    key_bytes: bytes
    lease_id: int
    mod_revision: int
    type: ValueType
    value: bytes
    version: int
    def __init__(self, key: _Optional[str] = ..., value: _Optional[bytes] = ..., create_revision: _Optional[int] = ..., mod_revision: _Optional[int] = ..., version: _Optional[int] = ..., lease_id: _Optional[int] = ..., expire_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., key_bytes: _Optional[bytes] = ..., type: _Optional[_Union[ValueType, str]] = ...) -> None: ...

class KeyRange(_message.Message):
    __slots__ = ["all", "end", "end_bytes", "key", "key_bytes", "prefix", "prefix_bytes", "start", "start_bytes"]
    ALL_FIELD_NUMBER: _ClassVar[int]
    END_BYTES_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    PREFIX_BYTES_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    START_BYTES_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    all: bool
    end: str
    end_bytes: bytes
    key: str
    key_bytes: bytes
    prefix: str
    prefix_bytes: bytes
    start: str
    start_bytes: bytes
    def __init__(self, prefix: _Optional[str] = ..., start: _Optional[str] = ..., end: _Optional[str] = ..., key: _Optional[str] = ..., all: bool = ..., prefix_bytes: _Optional[bytes] = ..., start_bytes: _Optional[bytes] = ..., end_bytes: _Optional[bytes] = ..., key_bytes: _Optional[bytes] = ...) -> None: ...

class Consistency(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class ValueType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
