//! What must hold for any list.

use std::sync::LazyLock;

use flow_wire::encode::{MessageWriter, TemplateDefinition, header};
use flow_wire::ie::AbstractDataType;
use flow_wire::list::{List, ListBudget, ListLimits, ListReader, SubTemplateList};
use flow_wire::{DecodeError, Field, FieldSpecifier, Message, Template, TemplateLimits, Timestamp, VARIABLE_LENGTH};

const fn field(id: u16, length: u16) -> FieldSpecifier {
    FieldSpecifier { enterprise_number: 0, id, length }
}

/// Plain records, names, and lists of every kind.
const DEFINITIONS: &[TemplateDefinition<'_>] = &[
    TemplateDefinition::new(256, &[field(7, 2), field(11, 2)]),
    TemplateDefinition::new(257, &[field(82, VARIABLE_LENGTH), field(1, 3)]),
    TemplateDefinition::new(258, &[field(291, VARIABLE_LENGTH), field(293, VARIABLE_LENGTH)]),
    TemplateDefinition::new(259, &[field(292, VARIABLE_LENGTH)]),
];

static TEMPLATES: LazyLock<Vec<Template>> = LazyLock::new(|| {
    let mut writer = MessageWriter::new();
    let header = header(flow_wire::Version::Ipfix, Timestamp::UNIX_EPOCH, 0, 0);
    let message = writer.begin(&header).template_set(DEFINITIONS).finish().expect("short Templates");
    let message = Message::decode(message).expect("as written");
    let set = message.sets().flatten().next().expect("one Set");
    let records = message.template_records(&set).flatten();
    records.flat_map(|record| Template::compile(&record, &TemplateLimits::default())).collect()
});

/// A list of any bytes: it is read to its end without a panic and within its budget, and errors lie inside of it.
pub(super) fn list(data_type: AbstractDataType, bytes: &[u8]) {
    let mut limits = ListLimits::default();
    limits.max_elements = 1000;
    let find = |id: u16| TEMPLATES.get(usize::from(id).checked_sub(256)?);
    let budget = ListBudget::new(limits);
    let mut walk = Walk { depth: 0, elements: 0, errors: Vec::new() };
    walk.opened(ListReader::new(&find, &budget).read(data_type, bytes));
    assert!(walk.elements <= limits.max_elements - budget.left(), "each list, value, part and record is counted");
    assert!(walk.errors.iter().all(|error| error.offset <= bytes.len()), "{:?}", walk.errors);
}

struct Walk {
    depth: u8,
    elements: u32,
    errors: Vec<DecodeError>,
}

impl Walk {
    fn opened(&mut self, list: Result<Option<List<'_>>, DecodeError>) {
        match list {
            Ok(Some(list)) => {
                self.elements += 1;
                self.depth += 1;
                assert!(self.depth <= ListLimits::default().max_depth);
                self.list(&list);
                self.depth -= 1;
            }
            Ok(None) => {}
            Err(error) => self.errors.push(error),
        }
    }

    fn list<'a>(&mut self, list: &List<'a>) {
        let reader = list.reader();
        match list {
            List::Basic(list) => list.elements().for_each(|element| self.element(reader, element)),
            List::SubTemplate(list) => self.records(reader, list),
            List::SubTemplateMulti(list) => {
                for part in list.parts() {
                    match part {
                        Ok(part) => {
                            self.elements += 1;
                            self.records(reader, &part);
                        }
                        Err(error) => self.errors.push(error),
                    }
                }
            }
            other => panic!("a list without a rule: {other:?}"),
        }
    }

    fn element<'a>(&mut self, reader: ListReader<'a>, element: Result<Field<'a>, DecodeError>) {
        match element {
            Ok(field) => {
                self.elements += 1;
                self.opened(reader.open(&field));
            }
            Err(error) => self.errors.push(error),
        }
    }

    fn records<'a>(&mut self, reader: ListReader<'a>, list: &SubTemplateList<'a>) {
        for record in list.records() {
            match record {
                Ok(record) => {
                    self.elements += 1;
                    assert_eq!(record.fields().count(), list.template().field_specifiers().len());
                    record.fields().for_each(|field| self.opened(reader.open(&field)));
                }
                Err(error) => self.errors.push(error),
            }
        }
    }
}
