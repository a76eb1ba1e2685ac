use super::{Unreadable, read};
use crate::api::{FirstPage, Place, RoomStart};
use crate::domain::{Access, Seq};
use crate::protocol::{Author, ErrorBody, ErrorCode, Event, MemberList, MemberView, Page, RoomSummary, ServerFrame};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

/// Every shape that the wire uses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Shapes {
    text: String,
    below: i64,
    above: u64,
    flag: bool,
    maybe: Option<u32>,
    list: Vec<Result<String, u32>>,
    choice: Choice,
    nothing: (),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Choice {
    Unit,
    Holds(Access),
    Fields { name: String, more: Vec<Choice> },
}

fn choices() -> impl Strategy<Value = Choice> {
    let leaf = prop_oneof![Just(Choice::Unit), Just(Choice::Holds(Access::Open))];
    leaf.prop_recursive(3, 8, 3, |inner| {
        (".*", prop::collection::vec(inner, 0..3)).prop_map(|(name, more)| Choice::Fields { name, more })
    })
}

fn shapes() -> impl Strategy<Value = Shapes> {
    let list = prop::collection::vec(prop_oneof![".*".prop_map(Ok), any::<u32>().prop_map(Err)], 0..4);
    (".*", any::<i64>(), any::<u64>(), any::<bool>(), any::<Option<u32>>(), list, choices()).prop_map(
        |(text, below, above, flag, maybe, list, choice)| Shapes {
            text,
            below,
            above,
            flag,
            maybe,
            list,
            choice,
            nothing: (),
        },
    )
}

/// Every character beyond ASCII as `\u`, as other servers write it.
fn in_ascii(json: &str) -> String {
    let escape = |unit: &u16| format!("\\u{unit:04x}");
    let escaped = |c: char| c.encode_utf16(&mut [0; 2]).iter().map(escape).collect();
    json.chars().map(|c| if c.is_ascii() { c.to_string() } else { escaped(c) }).collect()
}

proptest! {
    #[test]
    fn what_serde_json_writes_is_read_as_it_was(shapes in shapes()) {
        for json in [serde_json::to_string(&shapes).unwrap(), serde_json::to_string_pretty(&shapes).unwrap()] {
            prop_assert_eq!(read::<Shapes>(&json), Ok(shapes.clone()));
            prop_assert_eq!(read::<Shapes>(&in_ascii(&json)), Ok(shapes.clone()));
        }
    }

    #[test]
    fn a_text_that_was_cut_off_is_unreadable(shapes in shapes(), at in any::<prop::sample::Index>()) {
        let json = serde_json::to_string(&shapes).unwrap();
        let cut: String = json.chars().take(at.index(json.chars().count())).collect();
        prop_assert_eq!(read::<Shapes>(&cut), Err(Unreadable));
    }

    #[test]
    fn arbitrary_text_never_panics_and_is_never_read_where_serde_json_does_not(text in r#"[\[\]{}:,"\\utfn01\-.e \pL]{0,40}"#) {
        if read::<Vec<String>>(&text).is_ok() {
            prop_assert!(serde_json::from_str::<Vec<String>>(&text).is_ok());
        }
        if read::<i64>(&text).is_ok() {
            prop_assert!(serde_json::from_str::<i64>(&text).is_ok());
        }
        let _ = (read::<ServerFrame>(&text), read::<Event>(&text), read::<Choice>(&text), read::<FirstPage>(&text));
    }
}

#[test]
fn unknown_fields_of_every_type_are_read_over() {
    let author = r#"{"a":1.5e-3,"id":1,"b":[{"c":"\u0000"},null,[]],"name":"민아","d":{},"e":true}"#;
    assert_eq!(read(author), Ok(Author { id: 1, name: "민아".into() }));
}

#[test]
fn a_number_with_a_fraction_is_no_integer() {
    for text in ["1.0", "1e3", "+1", "01x", "-", "", "--1", "18446744073709551616"] {
        assert_eq!(read::<u64>(text), Err(Unreadable), "{text}");
    }
    assert_eq!(read(" -9223372036854775808 "), Ok(i64::MIN));
}

#[test]
fn broken_strings_are_unreadable() {
    for text in [r#""\ud800""#, r#""\ud800\u0041""#, r#""\udc00""#, r#""\x""#, "\"\n\"", r#""\u12"#, r#""\u+123""#] {
        assert_eq!(read::<String>(text), Err(Unreadable), "{text}");
    }
}

#[test]
fn commas_stand_between_values_only() {
    for text in ["[1,]", "[,1]", "[1 2]", "[1,,2]", "[1]]", "[1"] {
        assert_eq!(read::<Vec<u32>>(text), Err(Unreadable), "{text}");
    }
}

#[test]
fn nesting_has_an_end() {
    let deep = format!(r#"{{"id":1,"name":"a","x":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(read::<Author>(&deep), Err(Unreadable));
}

#[test]
fn a_page_is_read_as_it_was_written() {
    let room = RoomSummary {
        slug: "a".into(),
        name: "공지 \"1\"".into(),
        access: Access::Closed,
        member: true,
        manages: false,
        keep_days: None,
        head: Seq(9),
        unread: 0,
    };
    let page = Page { epoch: "e".into(), head: Seq(9), rows: vec![], older: false, progress: Vec::new() };
    let start = Ok(RoomStart { room, page, form_key: "k".into() });
    let first = vec![MemberView { id: 1, name: "민아".into(), joined_at: -1 }];
    let members = Ok(MemberList { count: 1, first });
    let place = Place::Room { slug: "a".into(), start, members };
    let page = FirstPage { app: Err(ErrorBody::new(ErrorCode::Internal, "x")), place };
    assert_eq!(read(&serde_json::to_string(&page).unwrap()), Ok(page));
}
