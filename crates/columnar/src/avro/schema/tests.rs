use super::*;

fn parse(text: &str) -> Schema {
    Schema::parse(text).unwrap()
}

fn refused(text: &str) -> String {
    Schema::parse(text).unwrap_err().to_string()
}

#[test]
fn names_are_resolved_in_the_namespace_around_them() {
    let schema = parse(
        r#"{"type":"record","name":"a.b.Outer","fields":[
            {"name":"inner","type":{"type":"record","name":"Inner","fields":[{"name":"self","type":["null","Outer"]}]}},
            {"name":"again","type":"a.b.Inner"},
            {"name":"other","type":{"type":"enum","name":"E","namespace":"c","symbols":["X"]}},
            {"name":"e","type":"c.E"}]}"#,
    );
    assert_eq!(schema.full_name().as_deref(), Some("a.b.Outer"));
    let names: Vec<String> = schema.names.iter().map(|n| n.name.full()).collect();
    assert_eq!(names, ["a.b.Outer", "a.b.Inner", "c.E"]);
    assert_eq!(Schema::parse(&schema.to_json()).unwrap(), schema);
}

#[test]
fn logical_types_that_do_not_fit_are_as_if_not_there() {
    for text in [
        r#"{"type":"int","logicalType":"timestamp-millis"}"#,
        r#"{"type":"int","logicalType":"what"}"#,
        r#"{"type":"int","logicalType":"time-millis"}"#,
    ] {
        assert_eq!(parse(text).root, Type::Int(None), "{text}");
    }
    let bytes = |more: &str| parse(&format!(r#"{{"type":"bytes","logicalType":"decimal"{more}}}"#)).root;
    assert_eq!(bytes(""), Type::Bytes(None));
    assert_eq!(bytes(r#","precision":0"#), Type::Bytes(None));
    assert_eq!(bytes(r#","precision":2,"scale":3"#), Type::Bytes(None));
    assert_eq!(bytes(r#","precision":4,"scale":2"#), Type::Bytes(Some(Decimal { precision: 4, scale: 2 })));
    let fixed = |size: usize| {
        let text =
            format!(r#"{{"type":"fixed","name":"F","size":{size},"logicalType":"decimal","precision":5}}"#);
        match &parse(&text).names[0].kind {
            Kind::Fixed { decimal, .. } => decimal.is_some(),
            _ => unreachable!(),
        }
    };
    assert!(!fixed(2) && fixed(3), "two bytes hold four digits");
}

#[test]
fn what_is_not_a_schema_is_refused_with_the_place() {
    assert!(refused("nope").contains("not JSON"));
    assert!(refused(r#""nope""#).contains("nope"));
    assert!(refused("1").contains("not a type"));
    assert!(refused(r#"{"type":"record","name":"R"}"#).contains("fields"));
    assert!(refused(r#"{"type":"record","name":"1R","fields":[]}"#).contains("1R"));
    assert!(refused(r#"{"type":"array"}"#).contains("items"));
    assert!(refused(r#"["int",["null"]]"#).contains("union"));
    assert!(refused(r#"["int","int"]"#).contains("two branches"));
    assert!(refused(r#"{"type":"enum","name":"E","symbols":["A","A"]}"#).contains("twice"));
    assert!(refused(r#"{"type":"enum","name":"E","symbols":["A"],"default":"B"}"#).contains("default"));
    assert!(refused(r#"{"type":"fixed","name":"F","size":-1}"#).contains("size"));
    let deep = format!("{}{}{}", r#"{"type":"array","items":"#.repeat(5000), r#""int""#, "}".repeat(5000));
    assert!(refused(&deep).contains("not JSON"));
}

#[test]
fn references_give_their_names() {
    let address = r#"{"type":"record","name":"demo.Address","fields":[{"name":"city","type":"string"}]}"#;
    let customer = r#"{"type":"record","name":"demo.Customer","fields":[{"name":"home","type":"Address"}]}"#;
    let schema = Schema::parse_with_references(customer, &[address.to_owned()]).unwrap();
    assert_eq!(schema.full_name().as_deref(), Some("demo.Customer"));
    assert!(schema.to_json().contains("city"), "what is referred to is written out");
    assert!(Schema::parse(customer).is_err());
}
