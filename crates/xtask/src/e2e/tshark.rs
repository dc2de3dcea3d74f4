//! What tshark makes of a capture of export datagrams, as records with the keys of `decode --format jsonl`.
//!
//! Field values are tshark's; of the Template only the element numbers are used, to tell which clock a time is read
//! from and whether a second counter is the reverse one (RFC 5103).

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail, ensure};
use roxmltree::Node;
use serde::{Deserialize, Serialize};

/// The Private Enterprise Number of reverse Information Elements (RFC 5103 section 6.1).
const REVERSE_PEN: u32 = 29_305;

/// Seconds from 1900, where NTP starts, to 1970.
const NTP_TO_UNIX_SECONDS: i128 = 2_208_988_800;

/// One flow Data Record; absent is what the record does not have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Record {
    /// Number of the datagram in its capture, from 1.
    pub packet: u64,
    pub version: u16,
    pub domain: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub src: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dst: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sport: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dport: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proto: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packets: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_if: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_if: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub src_as: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dst_as: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nexthop: Option<IpAddr>,
    /// Unix milliseconds, rounded down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rev_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rev_packets: Option<u64>,
}

/// A capture as tshark reads it.
#[derive(Clone, Debug, Default)]
pub(super) struct Capture {
    pub datagrams: u64,
    /// Flow Data Records in wire order.
    pub records: Vec<Record>,
    pub options_records: u64,
}

/// Lets tshark read the capture at `path`.
///
/// # Errors
///
/// When tshark is missing, calls a datagram malformed, or leaves a part of one unread.
pub(super) fn read(path: &Path) -> anyhow::Result<Capture> {
    let output = Command::new("tshark").args(["-n", "-T", "pdml", "-r"]).arg(path).output().context("run tshark")?;
    ensure!(output.status.success(), "tshark: {}", String::from_utf8_lossy(&output.stderr));
    from_pdml(std::str::from_utf8(&output.stdout)?).with_context(|| path.display().to_string())
}

fn from_pdml(text: &str) -> anyhow::Result<Capture> {
    let document = roxmltree::Document::parse(text).context("parse PDML")?;
    let mut dissection = Dissection::default();
    for packet in document.root_element().children().filter(|node| node.has_tag_name("packet")) {
        dissection.capture.datagrams += 1;
        let number = dissection.capture.datagrams;
        dissection.datagram(packet).with_context(|| format!("datagram {number}"))?;
    }
    Ok(dissection.capture)
}

/// Templates and options are kept per exporter port and Observation Domain.
type Session = (u16, u32);

/// Enterprise number, 0 for IANA, and element number.
type Element = (u32, u16);

#[derive(Default)]
struct Dissection {
    capture: Capture,
    /// `None` for an options Template.
    templates: HashMap<(Session, u16), Option<Vec<Element>>>,
    /// systemInitTimeMilliseconds of the latest options record.
    system_init_ms: HashMap<Session, i128>,
}

/// What the message header says that records need.
struct Header {
    version: u16,
    session: Session,
    /// Export time in Unix nanoseconds.
    time_ns: i128,
    sys_uptime_ms: Option<u32>,
}

impl Dissection {
    fn datagram(&mut self, packet: Node<'_, '_>) -> anyhow::Result<()> {
        let malformed = packet.descendants().any(|node| node.attribute("name") == Some("_ws.malformed"));
        ensure!(!malformed, "tshark calls it malformed");
        let protocol = packet.children().find(|node| node.attribute("name") == Some("cflow"));
        let protocol = protocol.context("tshark sees no NetFlow in it")?;
        let header = Header {
            version: number(protocol, "cflow.version")?.context("no version")?,
            session: (
                number(packet, "udp.srcport")?.context("no UDP port")?,
                match number::<u32>(protocol, "cflow.engine_type")? {
                    Some(engine_type) => engine_type * 256 + number(protocol, "cflow.engine_id")?.unwrap_or(0),
                    None => number(protocol, "cflow.source_id")?.or(number(protocol, "cflow.od_id")?).unwrap_or(0),
                },
            ),
            time_ns: number::<i128>(protocol, "cflow.unix_secs")?
                .or(number(protocol, "cflow.exporttime")?)
                .context("no export time")?
                * 1_000_000_000
                + number::<i128>(protocol, "cflow.unix_nsecs")?.unwrap_or(0),
            sys_uptime_ms: raw(protocol, "cflow.sysuptime")?.map(|millis| millis as u32),
        };
        let mut end = 0;
        for part in protocol.children().filter(Node::is_element) {
            end = end.max(attribute(part, "pos")? + attribute(part, "size")?);
            let title = part.attribute("show").unwrap_or_default();
            if title.starts_with("pdu ") {
                let record = self.record(part, &header, None)?;
                self.capture.records.push(record);
            } else if title.starts_with("Set ") || title.starts_with("FlowSet ") {
                self.set(part, &header)?;
            }
        }
        let len = attribute(protocol, "pos")? + attribute(protocol, "size")?;
        ensure!(end == len, "tshark read {end} of {len} bytes");
        Ok(())
    }

    fn set(&mut self, set: Node<'_, '_>, header: &Header) -> anyhow::Result<()> {
        let set_id: u16 = number(set, "cflow.flowset_id")?.context("a Set without an id")?;
        for part in set.children() {
            let title = part.attribute("show").unwrap_or_default();
            if title.starts_with("Template (") || title.starts_with("Options Template (") {
                let template_id = title.split("(Id = ").nth(1).and_then(|rest| rest.split([',', ')']).next());
                let template_id = template_id.context("a Template without an id")?.trim().parse()?;
                let elements = if title.starts_with("Options") { None } else { Some(elements(part)?) };
                self.templates.insert((header.session, template_id), elements);
            } else if title.starts_with("Flow ") {
                let template = self.templates.get(&(header.session, set_id));
                match template.with_context(|| format!("tshark reads Set {set_id} without its Template"))? {
                    Some(elements) => {
                        let record = self.record(part, header, Some((set_id, elements.as_slice())))?;
                        self.capture.records.push(record);
                    }
                    None => {
                        self.capture.options_records += 1;
                        if let Some(millis) = raw(part, "cflow.sys_init_time")? {
                            self.system_init_ms.insert(header.session, millis.into());
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn record(
        &self,
        flow: Node<'_, '_>,
        header: &Header,
        template: Option<(u16, &[Element])>,
    ) -> anyhow::Result<Record> {
        let biflow = template.is_some_and(|(_, elements)| elements.contains(&(REVERSE_PEN, 1)));
        let reverse = |name| if biflow { nth_number(flow, name, 1) } else { Ok(None) };
        Ok(Record {
            packet: self.capture.datagrams,
            version: header.version,
            domain: header.session.1,
            template: template.map(|(template_id, _)| template_id),
            src: address(flow, "cflow.srcaddr", "cflow.srcaddrv6")?,
            dst: address(flow, "cflow.dstaddr", "cflow.dstaddrv6")?,
            sport: number(flow, "cflow.srcport")?,
            dport: number(flow, "cflow.dstport")?,
            proto: number(flow, "cflow.protocol")?,
            bytes: number(flow, "cflow.octets")?,
            packets: number(flow, "cflow.packets")?,
            in_if: number(flow, "cflow.inputint")?,
            out_if: number(flow, "cflow.outputint")?,
            src_as: number(flow, "cflow.srcas")?,
            dst_as: number(flow, "cflow.dstas")?,
            nexthop: address(flow, "cflow.nexthop", "cflow.nexthopv6")?,
            start_ms: self.time(flow, header, template, &START)?,
            end_ms: self.time(flow, header, template, &END)?,
            rev_bytes: reverse("cflow.octets")?,
            rev_packets: reverse("cflow.packets")?,
        })
    }

    /// Unix milliseconds of one end of a flow.
    fn time(
        &self,
        flow: Node<'_, '_>,
        header: &Header,
        template: Option<(u16, &[Element])>,
        end: &FlowEnd,
    ) -> anyhow::Result<Option<i64>> {
        let Some(value) = raw(flow, end.names[0])?.or(raw(flow, end.names[1])?) else { return Ok(None) };
        let clock = match template {
            None => Clock::SysUptime,
            Some((_, elements)) => {
                let known = end.clocks.iter().find(|(element, _)| elements.contains(&(0, *element)));
                known.context("a time of an element that is not known here")?.1
            }
        };
        let wide = i128::from(value);
        let nanos = match clock {
            Clock::Seconds => wide * 1_000_000_000,
            Clock::Milliseconds => wide * 1_000_000,
            Clock::Ntp => {
                ((wide >> 32) - NTP_TO_UNIX_SECONDS) * 1_000_000_000 + (((wide & 0xffff_ffff) * 1_000_000_000) >> 32)
            }
            Clock::SysUptime => match header.sys_uptime_ms {
                // 32 bits of milliseconds wrap after 49.7 days: the signed difference is the age.
                Some(uptime) => header.time_ns - i128::from(uptime.wrapping_sub(value as u32) as i32) * 1_000_000,
                None => match self.system_init_ms.get(&header.session) {
                    Some(system_init_ms) => (system_init_ms + wide) * 1_000_000,
                    None => return Ok(None),
                },
            },
        };
        Ok(Some(i64::try_from(nanos.div_euclid(1_000_000))?))
    }
}

#[derive(Clone, Copy)]
enum Clock {
    Seconds,
    Milliseconds,
    Ntp,
    SysUptime,
}

/// tshark's two names for one end of a flow, and the elements that may hold it, best first.
struct FlowEnd {
    names: [&'static str; 2],
    clocks: [(u16, Clock); 5],
}

const START: FlowEnd = FlowEnd {
    names: ["cflow.timestart", "cflow.abstimestart"],
    clocks: [
        (152, Clock::Milliseconds),
        (156, Clock::Ntp),
        (154, Clock::Ntp),
        (150, Clock::Seconds),
        (22, Clock::SysUptime),
    ],
};

const END: FlowEnd = FlowEnd {
    names: ["cflow.timeend", "cflow.abstimeend"],
    clocks: [
        (153, Clock::Milliseconds),
        (157, Clock::Ntp),
        (155, Clock::Ntp),
        (151, Clock::Seconds),
        (21, Clock::SysUptime),
    ],
};

/// The elements of a Template, in order.
fn elements(template: Node<'_, '_>) -> anyhow::Result<Vec<Element>> {
    let is_field = |node: &Node<'_, '_>| node.attribute("show").is_some_and(|show| show.starts_with("Field ("));
    let fields = template.children().filter(is_field);
    fields
        .map(|field| {
            let ipfix = number(field, "cflow.template_ipfix_field_type")?;
            let element = ipfix.or(number(field, "cflow.template_field_type")?).context("a field without a type")?;
            Ok((number(field, "cflow.template_ipfix_field_pen")?.unwrap_or(0), element))
        })
        .collect()
}

fn nth<'a, 'input>(node: Node<'a, 'input>, name: &str, n: usize) -> Option<Node<'a, 'input>> {
    node.descendants().filter(|node| node.attribute("name") == Some(name)).nth(n)
}

fn number<T: std::str::FromStr>(node: Node<'_, '_>, name: &str) -> anyhow::Result<Option<T>> {
    nth_number(node, name, 0)
}

fn nth_number<T: std::str::FromStr>(node: Node<'_, '_>, name: &str, n: usize) -> anyhow::Result<Option<T>> {
    nth(node, name, n).map(show_number).transpose().with_context(|| name.to_owned())
}

fn show_number<T: std::str::FromStr>(node: Node<'_, '_>) -> anyhow::Result<T> {
    let show = node.attribute("show").context("no value shown")?;
    match show.parse() {
        Ok(value) => Ok(value),
        Err(_) => bail!("{show:?} is not the number it should be"),
    }
}

/// The bytes of a field as one big-endian number.
fn raw(node: Node<'_, '_>, name: &str) -> anyhow::Result<Option<u64>> {
    let Some(value) = nth(node, name, 0).and_then(|node| node.attribute("value")) else { return Ok(None) };
    Ok(Some(u64::from_str_radix(value, 16).with_context(|| name.to_owned())?))
}

fn attribute(node: Node<'_, '_>, name: &str) -> anyhow::Result<usize> {
    Ok(node.attribute(name).with_context(|| format!("no {name}"))?.parse()?)
}

/// The address, of whichever family the record has.
fn address(node: Node<'_, '_>, v4: &str, v6: &str) -> anyhow::Result<Option<IpAddr>> {
    let (v4, v6) = (number(node, v4)?, number(node, v6)?);
    ensure!(v4.is_none() || v6.is_none(), "addresses of both families in one record");
    Ok(v4.or(v6))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A v5 datagram of one record, flow start 1.5 s before the export and end after `sysUptime` had wrapped.
    const V5: &str = r#"<pdml><packet>
        <proto name="udp"><field name="udp.srcport" show="40000" value="9c40"/></proto>
        <proto name="cflow" pos="42" size="72">
          <field name="cflow.version" pos="42" size="2" show="5" value="0005"/>
          <field name="cflow.sysuptime" pos="46" size="4" show="0.500000000" value="000001f4"/>
          <field name="cflow.timestamp" pos="50" size="8">
            <field name="cflow.unix_secs" pos="50" size="4" show="1700000000" value="6553f100"/>
            <field name="cflow.unix_nsecs" pos="54" size="4" show="250000000" value="0ee6b280"/>
          </field>
          <field name="cflow.engine_type" pos="62" size="1" show="2" value="02"/>
          <field name="cflow.engine_id" pos="63" size="1" show="7" value="07"/>
          <field name="" show="pdu 1/1" pos="66" size="48">
            <field name="cflow.srcaddr" pos="66" size="4" show="192.0.2.1" value="c0000201"/>
            <field name="cflow.octets" pos="86" size="4" show="1500" value="000005dc"/>
            <field name="cflow.timedelta" pos="90" size="8" show="1.400000000">
              <field name="cflow.timestart" pos="90" size="4" show="4294966.296000000" value="fffffc18"/>
              <field name="cflow.timeend" pos="94" size="4" show="0.400000000" value="00000190"/>
            </field>
          </field>
        </proto></packet></pdml>"#;

    #[test]
    fn reads_a_record_and_resolves_times_across_the_wrap() {
        let capture = from_pdml(V5).unwrap();
        let want = Record {
            packet: 1,
            version: 5,
            domain: 2 * 256 + 7,
            src: Some("192.0.2.1".parse().unwrap()),
            bytes: Some(1500),
            start_ms: Some(1_699_999_998_750),
            end_ms: Some(1_700_000_000_150),
            ..Record::default()
        };
        assert_eq!(capture.records, [want]);
    }

    #[test]
    fn does_not_accept_a_datagram_that_tshark_left_unread() {
        let error = from_pdml(&V5.replace(r#"pos="42" size="72""#, r#"pos="42" size="120""#)).unwrap_err();
        assert_eq!(format!("{error:#}"), "datagram 1: tshark read 114 of 162 bytes");
        let error = from_pdml(&V5.replace("cflow.srcaddr", "_ws.malformed")).unwrap_err();
        assert_eq!(format!("{error:#}"), "datagram 1: tshark calls it malformed");
    }

    /// Elements 1 and 2 a second time, with the Private Enterprise Number of RFC 5103, are the reverse counters.
    #[test]
    fn tells_reverse_elements_by_their_enterprise() {
        let field = |element: u32, pen: &str| {
            format!(
                r#"<field show="Field (1/4)"><field name="cflow.template_ipfix_pen_provided" show="1"/>
                   <field name="cflow.template_ipfix_field_type" show="{element}"/>{pen}</field>"#
            )
        };
        let pen = r#"<field name="cflow.template_ipfix_field_pen" show="29305"/>"#;
        let text = format!("<field>{}{}</field>", field(1, ""), field(1, pen));
        let document = roxmltree::Document::parse(&text).unwrap();
        assert_eq!(elements(document.root_element()).unwrap(), [(0, 1), (REVERSE_PEN, 1)]);
    }
}
