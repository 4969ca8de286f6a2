//! Functions by what Spark says they give.
use crate::test_session::value;

fn check(cases: &[(&str, &str)]) {
    for (expression, expected) in cases {
        assert_eq!(value(expression), *expected, "{expression}");
    }
}

#[test]
fn texts_are_cut_filled_and_searched() {
    check(&[
        ("trim('  a ')", "a"),
        ("concat('<', ltrim('  a '), '>')", "<a >"),
        ("trim(BOTH 'xy' FROM 'xyaxx')", "a"),
        ("trim(LEADING 'x' FROM 'xax')", "ax"),
        ("btrim('xax', 'x')", "a"),
        ("lpad('hi', 5, '?!')", "?!?hi"),
        ("lpad('hello', 2)", "he"),
        ("rpad('hi', 4, '')", "hi"),
        ("left('Spark', 3)", "Spa"),
        ("right('Spark', 3)", "ark"),
        ("right('Spark', -1)", ""),
        ("overlay('Spark SQL', '_', 6)", "Spark_SQL"),
        ("overlay('Spark SQL' PLACING 'ANSI ' FROM 7 FOR 0)", "Spark ANSI SQL"),
        ("instr('SparkSQL', 'SQL')", "6"),
        ("locate('bar', 'foobarbar', 5)", "7"),
        ("position('bar' IN 'foobar')", "4"),
        ("locate('x', 'abc')", "0"),
        ("contains('abc', 'bc')", "true"),
        ("startswith('abc', 'b')", "false"),
        ("replace('ABCabc', 'abc', 'DEF')", "ABCDEF"),
        ("replace('ABCabc', 'abc')", "ABC"),
        ("translate('AaBbCc', 'abc', '12')", "A1B2C"),
        ("substring_index('www.apache.org', '.', 2)", "www.apache"),
        ("substring_index('www.apache.org', '.', -1)", "org"),
        ("split_part('a.b.c', '.', -1)", "c"),
        ("split_part('a.b.c', '.', 0)", "INVALID_INDEX_OF_ZERO"),
        ("find_in_set('ab', 'abc,b,ab,c,def')", "3"),
        ("levenshtein('kitten', 'sitting')", "3"),
        ("initcap('sPark sql')", "Spark Sql"),
        ("soundex('Miller')", "M460"),
        ("concat_ws('-', 'a', NULL, array('b', NULL), 'c')", "a-b-c"),
        ("elt(2, 'a', 'b')", "b"),
        ("elt(3, 'a', 'b')", "INVALID_ARRAY_INDEX"),
        ("format_string('%05d|%-4s|%.1f', 42, 'x', 2.5D)", "00042|x   |2.5"),
        ("url_encode('a b&c/é')", "a+b%26c%2F%C3%A9"),
        ("url_decode('a+b%26c')", "a b&c"),
        ("reverse('añb')", "bña"),
        ("lpad(NULL, 3)", "NULL"),
    ]);
}

#[test]
fn regular_expressions_are_javas() {
    check(&[
        (r"'Spark123' RLIKE r'\d+$'", "true"),
        (r"regexp_replace('100-200', r'(\d+)', '<$1>')", "<100>-<200>"),
        (r"regexp_extract('100-200', r'(\d+)-(\d+)', 2)", "200"),
        (r"regexp_extract('x', r'(\d+)')", ""),
        (r"regexp_extract('100', r'(\d+)', 2)", "INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX"),
        (r"regexp_extract_all('1-2, 3-4', r'(\d)-(\d)', 2)", "[2, 4]"),
        (r"regexp_count('abab', 'a')", "2"),
        (r"split('oneAtwoBthreeC', '[ABC]')", "[one, two, three, ]"),
        (r"split('oneAtwoBthreeC', '[ABC]', 2)", "[one, twoBthreeC]"),
        (r"split('abc', '')", "[a, b, c]"),
        (r"split('a,b', ',')[1]", "b"),
    ]);
    assert!(value("regexp_like('a', '(?=a)')").contains("look-around"));
}

#[test]
fn bytes_are_coded_and_digested() {
    check(&[
        ("hex(255)", "FF"),
        ("hex(-1)", "FFFFFFFFFFFFFFFF"),
        ("hex('Spark')", "537061726B"),
        ("unhex('41F')", "[04 1F]"),
        ("unhex('xy')", "NULL"),
        ("base64('Spark SQL')", "U3BhcmsgU1FM"),
        ("decode(unbase64('U3BhcmsgU1FM'), 'utf-8')", "Spark SQL"),
        ("encode('é', 'ISO-8859-1')", "[E9]"),
        ("encode('a', 'utf-16')", "[FE FF 00 61]"),
        ("decode(X'FF', 'UTF-8')", "MALFORMED_CHARACTER_CODING"),
        ("ascii('A')", "65"),
        ("chr(65)", "A"),
        ("bit_length('é')", "16"),
        ("md5('Spark')", "8cde774d6f7333752ed72cacddb05126"),
        ("sha1('Spark')", "85f5955f4b27a9a4c2aab6ffe5d7189fc298b92c"),
        ("sha2('Spark', 256)", "529bc3b07127ecb7e53a4dcf1991d9152c24537d919178022b2c42657f79a26b"),
        ("crc32('Spark')", "1557323817"),
        ("hash('Spark', array(123), 2)", "-1321691492"),
        ("xxhash64('Spark', array(123), 2)", "5602566077635097486"),
    ]);
}

#[test]
fn numbers_are_rounded_and_shifted() {
    check(&[
        ("abs(-5)", "5"),
        ("abs(-2.50BD)", "2.50"),
        ("abs(CAST('-128' AS TINYINT))", "ARITHMETIC_OVERFLOW"),
        ("round(2.5)", "3"),
        ("round(2.675D, 2)", "2.68"),
        ("bround(2.5)", "2"),
        ("bround(25, -1)", "20"),
        ("round(-2.5D)", "-3.0"),
        ("round(125, -1)", "130"),
        ("round(12.345BD, 1)", "12.3"),
        ("ceil(-0.1)", "0"),
        ("ceil(3.1411D)", "4"),
        ("floor(-0.1BD)", "-1"),
        ("sqrt(4)", "2.0"),
        ("pow(2, 3)", "8.0"),
        ("ln(0)", "NULL"),
        ("log(2, 8)", "3.0"),
        ("sign(-3.5)", "-1.0"),
        ("greatest(10, NULL, 3.5)", "10.0"),
        ("least(1, 2, NULL)", "1"),
        ("isnan(CAST('NaN' AS DOUBLE))", "true"),
        ("isnan(NULL)", "false"),
        ("3 & 5", "1"),
        ("3 | 5", "7"),
        ("3 ^ 5", "6"),
        ("~0", "-1"),
        ("2 << 3", "16"),
        ("-4 >>> 1", "2147483646"),
        ("shiftright(4L, 1)", "2"),
        ("bit_count(255)", "8"),
        ("bin(13)", "1101"),
        ("typeof(array(1L))", "array<bigint>"),
    ]);
}

#[test]
fn csv_is_read_and_written_and_refused_as_spark_does() {
    check(&[
        ("from_csv('1;a', 'a INT, b STRING', map('sep', ';'))", "{1, a}"),
        ("from_csv('1,a', 'STRUCT<a: INT, b: STRING>').b", "a"),
        ("from_csv('26/08/2015', 'd DATE', map('dateFormat', 'dd/MM/yyyy'))", "{2015-08-26}"),
        ("from_csv('1', 'ARRAY<INT>')", "INVALID_SCHEMA.NON_STRUCT_TYPE"),
        ("from_csv('1', 'a ARRAY<INT>')", "UNSUPPORTED_DATATYPE"),
        ("from_csv('1', 'a INT, _corrupt_record INT')", "INVALID_CORRUPT_RECORD_TYPE"),
        ("from_csv('1', 'a INT', map('quote', 'ab'))", "OPTION_VALUE_EXCEEDS_ONE_CHARACTER"),
        ("from_csv('1', 'a INT', map('mode', 'xyz'))", "{1}"),
        ("from_csv('a,b,c', 'a STRING', map('maxColumns', '2'))", "MALFORMED_CSV_RECORD"),
        ("to_csv(named_struct('a', 1, 'b', array(1, NULL)))", "1,\"[1,]\""),
        ("to_csv(struct(NULL AS a))", "NULL"),
        ("to_csv(1)", "DATATYPE_MISMATCH.UNSUPPORTED_INPUT_TYPE"),
        ("schema_of_csv('1|a', map('sep', '|'))", "STRUCT<_c0: INT, _c1: STRING>"),
        ("schema_of_csv(CAST(NULL AS STRING))", "DATATYPE_MISMATCH.UNEXPECTED_NULL"),
    ]);
}

#[test]
fn kafkas_own_serializers_are_read_and_written() {
    check(&[
        ("from_kafka(X'FFFFFFFFFFFFFFFE', 'long')", "-2"),
        ("from_kafka(X'0001', 'ShortDeserializer')", "1"),
        ("from_kafka(X'01', 'int')", "NULL"),
        ("from_kafka(X'3FF8000000000000', 'double')", "1.5"),
        ("from_kafka(X'61', 'string')", "a"),
        ("hex(to_kafka(1, 'long'))", "0000000000000001"),
        ("hex(to_kafka(true, 'boolean'))", "01"),
        ("from_kafka(to_kafka(-1.5, 'float'), 'float')", "-1.5"),
        ("from_kafka(X'01', 'int', map('mode', 'DROPMALFORMED'))", "PARSE_MODE_UNSUPPORTED"),
    ]);
}

/// The set describes `message M { int32 i = 1; repeated string s = 2; }` of proto3.
#[test]
fn protobuf_is_read_and_written_by_a_descriptor_set() {
    let set = "X'0A2322190A014D12090A016918012001280512090A0173180220032809620670726F746F33'";
    let read = |bytes: &str, more: &str| value(&format!("from_protobuf({bytes}, 'M', {set}{more})"));
    assert_eq!(read("X'0807120161'", ""), "{7, [a]}");
    assert_eq!(read("X''", ""), "{NULL, []}");
    assert_eq!(read("NULL", ""), "NULL");
    assert_eq!(read("X'08'", ""), "MALFORMED_PROTOBUF_MESSAGE");
    assert_eq!(read("X'08'", ", map('mode', 'PERMISSIVE')"), "NULL");
    assert_eq!(read("X'08'", ", map('mode', 'what')"), "NULL");
    assert_eq!(read("X''", ", map()"), "{NULL, []}");
    assert_eq!(read("X''", ", map('mode', 'DROPMALFORMED')"), "PARSE_MODE_UNSUPPORTED");
    let write = |fields: &str| value(&format!("hex(to_protobuf(named_struct({fields}), 'M', {set}))"));
    assert_eq!(write("'I', 7, 's', array('a')"), "0807120161");
    assert_eq!(write("'i', CAST(NULL AS INT)"), "");
    assert_eq!(write("'x', 7"), "UNABLE_TO_CONVERT_TO_PROTOBUF_MESSAGE_TYPE");
    assert_eq!(write("'i', 'a'"), "UNABLE_TO_CONVERT_TO_PROTOBUF_MESSAGE_TYPE");
    assert_eq!(write("'i', NULL, 's', array('b')"), "120162");
    assert_eq!(value(&format!("from_protobuf(X'', 'N', {set})")), "PROTOBUF_MESSAGE_NOT_FOUND");
    assert_eq!(value("from_protobuf(X'', 'M', '/no/such/file')"), "PROTOBUF_DESCRIPTOR_FILE_NOT_FOUND");
    assert_eq!(value("from_protobuf(X'', 'M', X'FF')"), "CANNOT_PARSE_PROTOBUF_DESCRIPTOR");
    assert_eq!(value("from_protobuf(X'', 'M', 1)"), "DATATYPE_MISMATCH.TYPE_CHECK_FAILURE_WITH_HINT");
    assert_eq!(value("from_protobuf(X'', 1, X'')"), "DATATYPE_MISMATCH.TYPE_CHECK_FAILURE_WITH_HINT");
    assert_eq!(value(&format!("typeof(from_protobuf(X'', 'M', {set}))")), "struct<i:int,s:array<string>>");
    assert!(value("from_protobuf(X'', 'a.Class')").contains("descriptor set"));
}
