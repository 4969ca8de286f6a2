//! Files that are imported by everybody and registered by nobody: those of `google/protobuf`, and of `google/type` and
//! `confluent/type` what Confluent's registry knows by itself.
//!
//! Names and numbers are those that the messages have on the wire. A file that is not here, such as
//! `google/protobuf/descriptor.proto`, is imported for options only.

/// Paths and texts.
const FILES: [(&str, &str); 12] = [
    (
        "google/protobuf/timestamp.proto",
        r#"syntax = "proto3"; package google.protobuf; message Timestamp { int64 seconds = 1; int32 nanos = 2; }"#,
    ),
    (
        "google/protobuf/duration.proto",
        r#"syntax = "proto3"; package google.protobuf; message Duration { int64 seconds = 1; int32 nanos = 2; }"#,
    ),
    (
        "google/protobuf/any.proto",
        r#"syntax = "proto3"; package google.protobuf; message Any { string type_url = 1; bytes value = 2; }"#,
    ),
    ("google/protobuf/empty.proto", r#"syntax = "proto3"; package google.protobuf; message Empty {}"#),
    (
        "google/protobuf/field_mask.proto",
        r#"syntax = "proto3"; package google.protobuf; message FieldMask { repeated string paths = 1; }"#,
    ),
    (
        "google/protobuf/struct.proto",
        r#"syntax = "proto3"; package google.protobuf;
        message Struct { map<string, Value> fields = 1; }
        message Value {
          oneof kind {
            NullValue null_value = 1; double number_value = 2; string string_value = 3; bool bool_value = 4;
            Struct struct_value = 5; ListValue list_value = 6;
          }
        }
        enum NullValue { NULL_VALUE = 0; }
        message ListValue { repeated Value values = 1; }"#,
    ),
    (
        "google/protobuf/wrappers.proto",
        r#"syntax = "proto3"; package google.protobuf;
        message DoubleValue { double value = 1; } message FloatValue { float value = 1; }
        message Int64Value { int64 value = 1; } message UInt64Value { uint64 value = 1; }
        message Int32Value { int32 value = 1; } message UInt32Value { uint32 value = 1; }
        message BoolValue { bool value = 1; } message StringValue { string value = 1; }
        message BytesValue { bytes value = 1; }"#,
    ),
    (
        "google/type/date.proto",
        r#"syntax = "proto3"; package google.type; message Date { int32 year = 1; int32 month = 2; int32 day = 3; }"#,
    ),
    (
        "google/type/timeofday.proto",
        r#"syntax = "proto3"; package google.type;
        message TimeOfDay { int32 hours = 1; int32 minutes = 2; int32 seconds = 3; int32 nanos = 4; }"#,
    ),
    (
        "google/type/money.proto",
        r#"syntax = "proto3"; package google.type;
        message Money { string currency_code = 1; int64 units = 2; int32 nanos = 3; }"#,
    ),
    (
        "google/type/latlng.proto",
        r#"syntax = "proto3"; package google.type; message LatLng { double latitude = 1; double longitude = 2; }"#,
    ),
    (
        "confluent/type/decimal.proto",
        r#"syntax = "proto3"; package confluent.type;
        message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }"#,
    ),
];

/// The text of a file.
pub(in crate::protobuf) fn text(path: &str) -> Option<&'static str> {
    FILES.iter().find(|(known, _)| *known == path).map(|(_, text)| *text)
}

/// Whether every registry knows the file, so that it is not registered.
pub(in crate::protobuf) fn is_known(path: &str) -> bool {
    path.starts_with("google/protobuf/")
}
