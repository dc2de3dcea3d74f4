//! Structured data, by the rules of RFC 6313; each rule beside its twin that breaks it.
#![allow(clippy::unwrap_used)]

use flow_wire::encode::{ListWriter, MessageWriter, TemplateDefinition, header};
use flow_wire::ie::AbstractDataType as T;
use flow_wire::list::{List, ListBudget, ListLimits, ListReader, ListSemantic, SubTemplateList};
use flow_wire::{
    DecodeError, DecodeErrorKind as Kind, Field, FieldSpecifier, Message, Template, TemplateLimits, Timestamp,
    VARIABLE_LENGTH, Value, Version,
};
use hex_literal::hex;
use proptest::prelude::*;

const fn field(id: u16, length: u16) -> FieldSpecifier {
    FieldSpecifier { enterprise_number: 0, id, length }
}

/// 300: two ports. 301: a name, a subTemplateList. 302: a basicList.
const TEMPLATES: &[(u16, &[FieldSpecifier])] = &[
    (300, &[field(7, 2), field(11, 2)]),
    (301, &[field(82, VARIABLE_LENGTH), field(292, VARIABLE_LENGTH)]),
    (302, &[field(291, VARIABLE_LENGTH)]),
];

fn templates() -> Vec<Template> {
    let definitions: Vec<_> = TEMPLATES.iter().map(|(id, fields)| TemplateDefinition::new(*id, fields)).collect();
    let mut writer = MessageWriter::new();
    writer.begin(&header(Version::Ipfix, Timestamp::from_unix_seconds(0), 0, 1)).template_set(&definitions);
    let message = Message::decode(writer.finish().unwrap()).unwrap();
    let set = message.sets().next().unwrap().unwrap();
    let compile = |record| Template::compile(&record, &TemplateLimits::default()).unwrap();
    message.template_records(&set).map(|record| compile(record.unwrap())).collect()
}

/// What the list in these bytes and the lists in it hold, one text a value, and the first error of each list.
fn read(data_type: T, bytes: &[u8], limits: ListLimits) -> (Vec<String>, Vec<DecodeError>) {
    let known = templates();
    let find = |id| known.iter().find(|template| template.id() == id);
    let budget = ListBudget::new(limits);
    let (mut values, mut errors) = (vec![], vec![]);
    match ListReader::new(&find, &budget).read(data_type, bytes) {
        Ok(list) => walk(&list.unwrap(), &mut values, &mut errors),
        Err(error) => errors.push(error),
    }
    (values, errors)
}

fn walk<'a>(list: &List<'a>, values: &mut Vec<String>, errors: &mut Vec<DecodeError>) {
    let reader = list.reader();
    match list {
        List::Basic(list) => list.elements().for_each(|element| match element {
            Ok(field) => visit(reader, field, values, errors),
            Err(error) => errors.push(error),
        }),
        List::SubTemplate(list) => visit_records(list, reader, values, errors),
        List::SubTemplateMulti(list) => list.parts().for_each(|part| match part {
            Ok(part) => visit_records(&part, reader, values, errors),
            Err(error) => errors.push(error),
        }),
        _ => unreachable!(),
    }
}

fn visit_records<'a>(
    list: &SubTemplateList<'a>,
    reader: ListReader<'a>,
    values: &mut Vec<String>,
    errors: &mut Vec<DecodeError>,
) {
    for record in list.records() {
        match record {
            Ok(record) => record.fields().for_each(|field| visit(reader, field, values, errors)),
            Err(error) => errors.push(error),
        }
    }
}

fn visit<'a>(reader: ListReader<'a>, field: Field<'a>, values: &mut Vec<String>, errors: &mut Vec<DecodeError>) {
    match reader.open(&field) {
        Ok(Some(inner)) => walk(&inner, values, errors),
        Ok(None) => values.push(format!("{:?}", field.value())),
        Err(error) => errors.push(error),
    }
}

/// The values of a list of this type without an error.
fn values(data_type: T, bytes: &[u8]) -> Vec<String> {
    let (values, errors) = read(data_type, bytes, ListLimits::default());
    assert_eq!(errors, []);
    values
}

/// The errors of a list of this type, and how many values came before them.
fn errors(data_type: T, bytes: &[u8]) -> (usize, Vec<DecodeError>) {
    let (values, errors) = read(data_type, bytes, ListLimits::default());
    (values.len(), errors)
}

/// RFC 6313 section 4.4: five semantics and one for none; other numbers are kept without a name.
#[test]
fn semantics_have_the_names_of_the_registry() {
    let names = ["noneOf", "exactlyOneOf", "oneOrMoreOf", "allOf", "ordered"];
    for number in 0..=255 {
        let list = [&[number][..], &hex!("000a 0002 0001")].concat();
        let (templates, budget) = (|_| None, ListBudget::default());
        let reader = ListReader::new(&templates, &budget);
        let list = reader.read(T::BasicList, &list).unwrap().unwrap();
        assert_eq!(list.semantic(), ListSemantic(number));
        let expected = if number == 255 { Some("undefined") } else { names.get(usize::from(number)).copied() };
        assert_eq!(list.semantic().name(), expected, "{number}");
    }
}

/// RFC 6313 section 4.5.1: semantic, element, its length, the values.
#[test]
fn a_basic_list_holds_values_of_one_element() {
    assert_eq!(values(T::BasicList, &hex!("03 000a 0002 0001 0002")), ["Unsigned(1)", "Unsigned(2)"]);
    assert_eq!(values(T::BasicList, &hex!("03 8001 0002 00007279 0005")), ["Unsigned(5)"]);
    assert_eq!(
        errors(T::BasicList, &hex!("03 000a 0002 0001 00")),
        (1, vec![DecodeError::new(7, Kind::ListTruncated)])
    );
}

/// RFC 6313 section 4.5.1 with RFC 7011 section 7: both forms of a variable length.
#[test]
fn values_of_a_basic_list_may_have_variable_length() {
    let names = values(T::BasicList, &hex!("04 0052 ffff 02 6c6f ff0002 6c31 00"));
    assert_eq!(names, [b"lo", &b"l1"[..], b""].map(|name| format!("{:?}", Value::String(name))));
    for cut in [&hex!("04 0052 ffff 03 6c6f")[..], &hex!("04 0052 ffff ff 00"), &hex!("04 0052 ffff ff")] {
        assert_eq!(errors(T::BasicList, cut), (0, vec![DecodeError::new(5, Kind::ListTruncated)]), "{cut:x?}");
    }
}

#[test]
fn a_list_may_be_empty() {
    for (data_type, bytes) in [
        (T::BasicList, &hex!("00 000a 0004")[..]),
        (T::BasicList, &hex!("00 000a 0000")),
        (T::SubTemplateList, &hex!("00 012c")),
        (T::SubTemplateMultiList, &hex!("00")),
        (T::SubTemplateMultiList, &hex!("00 012c 0004")),
    ] {
        assert_eq!(values(data_type, bytes), [""; 0], "{bytes:x?}");
    }
}

#[test]
fn a_list_without_a_whole_head_is_cut_short() {
    for (data_type, head) in [
        (T::BasicList, &hex!("03 8001 0002 00007279")[..]),
        (T::SubTemplateList, &hex!("03 012c")),
        (T::SubTemplateMultiList, &hex!("03")),
    ] {
        for length in 0..head.len() {
            let error = DecodeError::new(length, Kind::ListTruncated);
            assert_eq!(errors(data_type, &head[..length]), (0, vec![error]), "{data_type:?} of {length} bytes");
        }
    }
}

/// Values without bytes could fill a list for ever.
#[test]
fn values_of_no_bytes_end_a_list() {
    let error = DecodeError::new(5, Kind::ListElementLength(0));
    assert_eq!(errors(T::BasicList, &hex!("03 000a 0000 00")), (0, vec![error]));
}

/// RFC 6313 section 4.5.2: semantic, Template ID, records.
#[test]
fn a_sub_template_list_holds_records_of_one_template() {
    let ports = ["Unsigned(80)", "Unsigned(443)", "Unsigned(53)", "Unsigned(5)"];
    assert_eq!(values(T::SubTemplateList, &hex!("03 012c 0050 01bb 0035 0005")), ports);
    let truncated = DecodeError::new(7, Kind::ListTruncated);
    assert_eq!(errors(T::SubTemplateList, &hex!("03 012c 0050 01bb 0035 00")), (2, vec![truncated]));
    let unknown = DecodeError::new(1, Kind::TemplateUnknown(999));
    assert_eq!(errors(T::SubTemplateList, &hex!("03 03e7 0050 01bb")), (0, vec![unknown]));
}

/// The fields of a list's first record lie less than 8 bytes behind the start of the list.
#[test]
fn records_in_lists_are_read_by_locators_too() {
    let known = templates();
    let find = |id| known.iter().find(|template| template.id() == id);
    let budget = ListBudget::default();
    let list = ListReader::new(&find, &budget).read(T::SubTemplateList, &hex!("03 012c 0050 01bb 0035 0005"));
    let Ok(Some(List::SubTemplate(list))) = list else { panic!() };
    let port = list.template().locate(0, 7).unwrap();
    let ports: Vec<_> = list.records().map(|record| record.unwrap().unsigned(port)).collect();
    assert_eq!((list.semantic(), ports), (ListSemantic::ALL_OF, vec![80, 53]));
}

/// RFC 6313 section 4.5.3: parts with a length that covers their Template ID and itself.
#[test]
fn a_multi_list_holds_records_of_several_templates() {
    let list = hex!("03 012c 0008 0001 0002" "012e 000c 07 03 000a 0002 0009" "012c 0004");
    assert_eq!(values(T::SubTemplateMultiList, &list[..21]), ["Unsigned(1)", "Unsigned(2)", "Unsigned(9)"]);
    let past_the_list = hex!("03 012c 0008 0001 0002 012c 0009 0003 0004");
    let truncated = DecodeError::new(9, Kind::ListTruncated);
    assert_eq!(errors(T::SubTemplateMultiList, &past_the_list), (2, vec![truncated]));
    let half_a_header = hex!("03 012c 0008 0001 0002 012c 00");
    assert_eq!(errors(T::SubTemplateMultiList, &half_a_header), (2, vec![truncated]));
}

/// A length of 0 once made collectors loop for ever.
#[test]
fn a_part_shorter_than_its_header_ends_a_multi_list() {
    for length in 0..4 {
        let list = [3, 1, 0x2c, 0, length, 0, 0, 0, 0];
        let error = DecodeError::new(1, Kind::ListElementLength(length.into()));
        assert_eq!(errors(T::SubTemplateMultiList, &list), (0, vec![error]));
    }
}

#[test]
fn a_part_without_its_template_is_stepped_over() {
    let list = hex!("03 03e7 0006 ffff 012c 0008 0001 0002");
    assert_eq!(errors(T::SubTemplateMultiList, &list), (2, vec![DecodeError::new(1, Kind::TemplateUnknown(999))]));
}

/// A basicList of basicLists of ... of one port, `depth` lists deep.
fn nested(depth: usize) -> Vec<u8> {
    let mut bytes = hex!("03 0007 0002 0050").to_vec();
    for _ in 1..depth {
        let mut list = ListWriter::basic(ListSemantic::ALL_OF, &field(291, VARIABLE_LENGTH));
        bytes = list.value(&bytes).as_bytes().to_vec();
    }
    bytes
}

#[test]
fn lists_lie_four_deep_and_no_deeper() {
    assert_eq!(values(T::BasicList, &nested(4)), ["Unsigned(80)"]);
    for depth in [5, 800] {
        assert_eq!(errors(T::BasicList, &nested(depth)), (0, vec![DecodeError::new(0, Kind::ListTooDeep(4))]));
    }
}

#[test]
fn a_template_that_holds_itself_comes_to_an_end() {
    let mut bytes = hex!("03 012d").to_vec();
    for _ in 0..60 {
        let mut list = ListWriter::sub_template(ListSemantic::ALL_OF, 301);
        bytes = list.variable(b"x").variable(&bytes).as_bytes().to_vec();
    }
    assert_eq!(errors(T::SubTemplateList, &bytes), (4, vec![DecodeError::new(0, Kind::ListTooDeep(4))]));
}

/// The list itself counts, so do lists in it, and what they hold.
#[test]
fn the_elements_of_a_whole_tree_are_limited() {
    let list = hex!("03 0123 ffff 07 03 0007 0002 0050 07 03 0007 0002 0035");
    let mut limits = ListLimits::default();
    for (max_elements, found) in [(7, 2), (6, 1), (4, 1), (3, 0), (0, 0)] {
        limits.max_elements = max_elements;
        let (values, errors) = read(T::BasicList, &list, limits);
        assert_eq!(values.len(), found, "{max_elements} elements");
        assert!(errors.iter().all(|error| error.kind == Kind::ListTooLong(max_elements)), "{errors:?}");
        assert_eq!(errors.is_empty(), max_elements == 7);
    }
}

#[test]
fn what_is_no_list_is_not_opened() {
    let budget = ListBudget::default();
    let reader = ListReader::new(&|_| None, &budget);
    assert!(reader.read(T::OctetArray, &hex!("03 0007 0002 0050")).unwrap().is_none());
    assert_eq!(budget.left(), ListLimits::default().max_elements);
}

/// A list, as it is made for [`written_lists_are_read_again`]: values of a basicList, or records of Template 301 with a
/// list each, or parts of records of Template 300.
#[derive(Clone, Debug)]
enum Made {
    Names(Vec<Vec<u8>>),
    Ports(Vec<u16>),
    Records(Vec<(Vec<u8>, Vec<[u16; 2]>)>),
    Parts(Vec<Vec<[u16; 2]>>),
}

impl Made {
    fn data_type(&self) -> T {
        match self {
            Self::Names(_) | Self::Ports(_) => T::BasicList,
            Self::Records(_) => T::SubTemplateList,
            Self::Parts(_) => T::SubTemplateMultiList,
        }
    }

    fn write(&self) -> (Vec<u8>, Vec<String>) {
        let semantic = ListSemantic::ORDERED;
        let ports = |list: &mut ListWriter, values: &mut Vec<String>, records: &[[u16; 2]]| {
            for port in records.as_flattened() {
                list.value(&port.to_be_bytes());
                values.push(format!("{:?}", Value::Unsigned((*port).into())));
            }
        };
        let name = |name: &[u8]| format!("{:?}", Value::read(T::String, name));
        let mut values = vec![];
        let list = match self {
            Self::Names(names) => {
                let mut list = ListWriter::basic(semantic, &field(82, VARIABLE_LENGTH));
                for bytes in names {
                    list.value(bytes);
                    values.push(name(bytes));
                }
                list
            }
            Self::Ports(all) => {
                let reverse = FieldSpecifier { enterprise_number: 29305, id: 7, length: 2 };
                let mut list = ListWriter::basic(semantic, &reverse);
                for port in all {
                    list.value(&port.to_be_bytes());
                    values.push(format!("{:?}", Value::Unsigned((*port).into())));
                }
                list
            }
            Self::Records(records) => {
                let mut list = ListWriter::sub_template(semantic, 301);
                for (bytes, inner) in records {
                    values.push(name(bytes));
                    let mut inner_list = ListWriter::sub_template(semantic, 300);
                    ports(&mut inner_list, &mut values, inner);
                    list.variable(bytes).variable(inner_list.as_bytes());
                }
                list
            }
            Self::Parts(parts) => {
                let mut list = ListWriter::sub_template_multi(semantic);
                for part in parts {
                    ports(list.part(300), &mut values, part);
                }
                list
            }
        };
        (list.as_bytes().to_vec(), values)
    }
}

fn made() -> impl Strategy<Value = Made> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..300);
    let ports = || proptest::collection::vec(any::<[u16; 2]>(), 0..5);
    prop_oneof![
        proptest::collection::vec(bytes(), 0..5).prop_map(Made::Names),
        proptest::collection::vec(any::<u16>(), 0..9).prop_map(Made::Ports),
        proptest::collection::vec((bytes(), ports()), 0..5).prop_map(Made::Records),
        proptest::collection::vec(ports(), 0..5).prop_map(Made::Parts),
    ]
}

proptest! {
    #[test]
    fn written_lists_are_read_again(list in made()) {
        let (bytes, values) = list.write();
        prop_assert_eq!(read(list.data_type(), &bytes, ListLimits::default()), (values, vec![]));
    }

    /// Heads that make sense, then anything: no panic, and the budget holds.
    #[test]
    fn any_bytes_end_within_the_budget(
        head in prop_oneof![
            Just(hex!("03 0123 ffff").to_vec()), Just(hex!("03 0124 ffff").to_vec()), Just(hex!("03 0125 ffff").to_vec()),
            Just(hex!("03 012d").to_vec()), Just(hex!("03 012e").to_vec()), Just(hex!("03").to_vec()), Just(vec![]),
        ],
        tail in proptest::collection::vec(prop_oneof![0..8_u8, any::<u8>(), Just(0x2c), Just(0x2d), Just(255)], 0..200),
        max_elements in 0..40_u32,
    ) {
        let bytes = [head, tail].concat();
        let mut limits = ListLimits::default();
        limits.max_elements = max_elements;
        for data_type in [T::BasicList, T::SubTemplateList, T::SubTemplateMultiList] {
            // A record of Template 301 is one element and has two values.
            let (values, errors) = read(data_type, &bytes, limits);
            prop_assert!(values.len() <= 2 * max_elements as usize);
            prop_assert!(errors.iter().all(|error| error.offset <= bytes.len()));
        }
    }
}
