//! What tshark makes of a capture of export datagrams.
//!
//! Field values are tshark's; of the Template only the element numbers are used, to tell which clock a time is read
//! from and whether a second counter is the reverse one (RFC 5103).

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail, ensure};
use roxmltree::Node;

use super::{Place, Record};

/// The Private Enterprise Number of reverse Information Elements (RFC 5103 section 6.1).
const REVERSE_PEN: u32 = 29_305;

/// Seconds from 1900, where NTP starts, to 1970.
const NTP_TO_UNIX_SECONDS: i128 = 2_208_988_800;

/// A capture as tshark reads it.
#[derive(Clone, Debug, Default)]
pub struct Capture {
    /// Export datagrams, from any port to 2055.
    pub datagrams: u64,
    /// Flow Data Records in wire order.
    pub records: Vec<Record>,
    /// Where each of `records` lies.
    pub places: Vec<Place>,
    /// Where the options Data Records lie.
    pub options: Vec<Place>,
    /// What tshark could not read, by the number of the datagram.
    pub problems: Vec<(u64, String)>,
}

/// Lets tshark read the capture at `path`, all of it.
///
/// # Errors
///
/// When tshark is missing, calls a datagram malformed, or leaves a part of one unread.
pub fn read(path: &Path) -> anyhow::Result<Capture> {
    let capture = read_what_it_can(path)?;
    if let Some((number, problem)) = capture.problems.first() {
        bail!("{}: datagram {number}: {problem}", path.display());
    }
    Ok(capture)
}

/// The same, with what tshark does not read among [`Capture::problems`].
///
/// # Errors
///
/// When tshark is missing or fails.
pub fn read_what_it_can(path: &Path) -> anyhow::Result<Capture> {
    let arguments = ["-n", "-d", "udp.port==2055,cflow", "-T", "pdml", "-r"];
    let output = Command::new("tshark").args(arguments).arg(path).output().context("run tshark")?;
    ensure!(output.status.success(), "tshark: {}", String::from_utf8_lossy(&output.stderr));
    from_pdml(&String::from_utf8_lossy(&output.stdout)).with_context(|| path.display().to_string())
}

fn from_pdml(text: &str) -> anyhow::Result<Capture> {
    let document = roxmltree::Document::parse(text).context("parse PDML")?;
    let mut dissection = Dissection::default();
    for packet in document.root_element().children().filter(|node| node.has_tag_name("packet")) {
        dissection.capture.datagrams += 1;
        let number = dissection.capture.datagrams;
        if let Err(problem) = dissection.datagram(packet) {
            dissection.capture.problems.push((number, format!("{problem:#}")));
        }
    }
    Ok(dissection.capture)
}

/// Templates and options are kept per exporter address and port and Observation Domain.
type Session = (IpAddr, u16, u32);

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
    /// Where the payload starts in the frame.
    start: usize,
    session: Session,
    /// Export time in Unix nanoseconds.
    time_ns: i128,
    sys_uptime_ms: Option<u32>,
}

impl Dissection {
    fn datagram(&mut self, packet: Node<'_, '_>) -> anyhow::Result<()> {
        let protocol = packet.children().find(|node| node.attribute("name") == Some("cflow"));
        let protocol = protocol.context("tshark sees no NetFlow in it")?;
        let header = header(packet, protocol)?;
        let mut end = 0;
        for part in protocol.children().filter(Node::is_element) {
            end = end.max(attribute(part, "pos")? + attribute(part, "size")?);
            let title = part.attribute("show").unwrap_or_default();
            if title.starts_with("pdu ") {
                self.flow(part, &header, None)?;
            } else if title.starts_with("Set ") || title.starts_with("FlowSet ") {
                self.set(part, &header)?;
            }
        }
        let malformed = packet.descendants().any(|node| node.attribute("name") == Some("_ws.malformed"));
        ensure!(!malformed, "tshark calls it malformed");
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
                let template = self.templates.get(&(header.session, set_id)).cloned();
                match template.with_context(|| format!("tshark reads Set {set_id} without its Template"))? {
                    Some(elements) => self.flow(part, header, Some((set_id, elements.as_slice())))?,
                    None => {
                        self.capture.options.push(self.place(part, header)?);
                        if let Some(millis) = raw(part, "cflow.sys_init_time")? {
                            self.system_init_ms.insert(header.session, millis.into());
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn flow(&mut self, flow: Node<'_, '_>, header: &Header, template: Option<(u16, &[Element])>) -> anyhow::Result<()> {
        let (record, place) = (self.record(flow, header, template)?, self.place(flow, header)?);
        self.capture.records.push(record);
        self.capture.places.push(place);
        Ok(())
    }

    fn place(&self, flow: Node<'_, '_>, header: &Header) -> anyhow::Result<Place> {
        let range = |node| anyhow::Ok((attribute(node, "pos")?.wrapping_sub(header.start), attribute(node, "size")?));
        let fields = flow.descendants().filter(|node| *node != flow).flat_map(range).collect();
        Ok(Place { packet: self.capture.datagrams, start: range(flow)?.0, fields })
    }

    fn record(
        &self,
        flow: Node<'_, '_>,
        header: &Header,
        template: Option<(u16, &[Element])>,
    ) -> anyhow::Result<Record> {
        // tshark calls an element and its reverse by the same name; the reverse comes second.
        let reverse = |names: [(&str, u16); 2]| {
            let has = |element| template.is_some_and(|(_, elements)| elements.contains(&element));
            let name = names.into_iter().find(|(_, id)| has((REVERSE_PEN, *id)));
            name.map_or(Ok(None), |(name, id)| nth_number(flow, name, usize::from(has((0, id)))))
        };
        Ok(Record {
            packet: self.capture.datagrams,
            version: header.version,
            domain: header.session.2,
            template: template.map(|(template_id, _)| template_id),
            src: address(flow, "cflow.srcaddr", "cflow.srcaddrv6")?,
            dst: address(flow, "cflow.dstaddr", "cflow.dstaddrv6")?,
            sport: number(flow, "cflow.srcport")?,
            dport: number(flow, "cflow.dstport")?,
            proto: number(flow, "cflow.protocol")?,
            bytes: first_that_counts(flow, &OCTETS)?,
            packets: first_that_counts(flow, &PACKETS)?,
            in_if: number(flow, "cflow.inputint")?,
            out_if: number(flow, "cflow.outputint")?,
            src_as: number(flow, "cflow.srcas")?,
            dst_as: number(flow, "cflow.dstas")?,
            nexthop: address(flow, "cflow.nexthop", "cflow.nexthopv6")?,
            start_ms: self.time(flow, header, template, &START)?,
            end_ms: self.time(flow, header, template, &END)?,
            rev_bytes: reverse([("cflow.octets", 1), ("cflow.permanent_octets", 85)])?,
            rev_packets: reverse([("cflow.packets", 2), ("cflow.permanent_packets", 86)])?,
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
        let names = end.names.map(Some);
        let mut nodes = flow.descendants().filter(|node| names.contains(&node.attribute("name")));
        let Some((value, clock)) = (match template {
            None => nodes.next().map(|node| (node, Clock::SysUptime)),
            Some((_, elements)) => {
                let clock = |element: &Element| end.clocks.iter().position(|(id, _)| *element == (0, *id));
                let best = nodes.zip(elements.iter().filter_map(clock)).min_by_key(|(_, rank)| *rank);
                best.map(|(node, rank)| (node, end.clocks[rank].1))
            }
        }) else {
            return Ok(None);
        };
        let Some(value) = value_of(value)? else { return Ok(None) };
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
                None => {
                    let here = raw(flow, "cflow.sys_init_time")?.map(i128::from);
                    match here.or_else(|| self.system_init_ms.get(&header.session).copied()) {
                        // So do those of softflowd for flows that began before it did.
                        Some(system_init_ms) => {
                            let nanos = (system_init_ms + wide) * 1_000_000;
                            if nanos > header.time_ns + (1_000_000 << 31) { nanos - (1_000_000 << 32) } else { nanos }
                        }
                        None => return Ok(None),
                    }
                }
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

/// What the headers of a datagram say.
fn header(packet: Node<'_, '_>, protocol: Node<'_, '_>) -> anyhow::Result<Header> {
    let version: u16 = number(protocol, "cflow.version")?.context("no version")?;
    let domain = match version {
        5 => {
            256 * number::<u32>(protocol, "cflow.engine_type")?.unwrap_or(0)
                + number(protocol, "cflow.engine_id")?.unwrap_or(0)
        }
        _ => number(protocol, "cflow.source_id")?.or(number(protocol, "cflow.od_id")?).unwrap_or(0),
    };
    let source = number(packet, "ip.src")?.or(number(packet, "ipv6.src")?).context("no IP address")?;
    let seconds = number::<i128>(protocol, "cflow.unix_secs")?.or(number(protocol, "cflow.exporttime")?);
    let nanos = number::<i128>(protocol, "cflow.unix_nsecs")?.unwrap_or(0);
    Ok(Header {
        version,
        start: attribute(protocol, "pos")?,
        session: (source, number(packet, "udp.srcport")?.context("no UDP port")?, domain),
        time_ns: seconds.context("no export time")? * 1_000_000_000 + nanos,
        sys_uptime_ms: raw(protocol, "cflow.sysuptime")?.map(|millis| millis as u32),
    })
}

/// tshark's names of the counters, in the order in which the first that is not zero counts.
const OCTETS: [&str; 5] = [
    "cflow.octets",
    "cflow.permanent_octets",
    "cflow.initiator_octets",
    "cflow.post_octets",
    "cflow.post_total_octets",
];
const PACKETS: [&str; 5] = [
    "cflow.packets",
    "cflow.permanent_packets",
    "cflow.initiator_packets",
    "cflow.post_packets",
    "cflow.post_total_packets",
];

fn first_that_counts(flow: Node<'_, '_>, names: &[&str]) -> anyhow::Result<Option<u64>> {
    let mut found = None;
    for name in names {
        match number(flow, name)? {
            Some(0) => found = found.or(Some(0)),
            Some(counter) => return Ok(Some(counter)),
            None => {}
        }
    }
    Ok(found)
}

/// The elements of a Template, in order.
fn elements(template: Node<'_, '_>) -> anyhow::Result<Vec<Element>> {
    let is_field = |node: &Node<'_, '_>| node.attribute("show").is_some_and(|show| show.starts_with("Field ("));
    let fields = template.children().filter(is_field);
    fields
        .map(|field| {
            // Each enterprise has a name of its own for it.
            let is_type = |node: &Node<'_, '_>| {
                let name = node.attribute("name").unwrap_or_default();
                name.starts_with("cflow.template_") && name.contains("_field_type")
            };
            let element = field.descendants().find(is_type).context("a field without a type").and_then(show_number)?;
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
    nth(node, name, 0).map_or(Ok(None), value_of)
}

fn value_of(node: Node<'_, '_>) -> anyhow::Result<Option<u64>> {
    let Some(value) = node.attribute("value") else { return Ok(None) };
    Ok(Some(u64::from_str_radix(value, 16).with_context(|| format!("{:?}", node.attribute("name")))?))
}

fn attribute(node: Node<'_, '_>, name: &str) -> anyhow::Result<usize> {
    Ok(node.attribute(name).with_context(|| format!("no {name}"))?.parse()?)
}

/// The address, of whichever family the record has; of two the first that is set.
fn address(node: Node<'_, '_>, v4: &str, v6: &str) -> anyhow::Result<Option<IpAddr>> {
    let nodes = node.descendants().filter(|node| node.attribute("name").is_some_and(|name| name == v4 || name == v6));
    let found: Vec<IpAddr> = nodes.map(show_number).collect::<anyhow::Result<_>>()?;
    Ok(found.into_iter().min_by_key(IpAddr::is_unspecified))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A v5 datagram of one record, flow start 1.5 s before the export and end after `sysUptime` had wrapped.
    const V5: &str = r#"<pdml><packet>
        <proto name="ip"><field name="ip.src" show="192.0.2.9" value="c0000209"/></proto>
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
        let problems = |text: &str| from_pdml(text).unwrap().problems;
        let short = problems(&V5.replace(r#"pos="42" size="72""#, r#"pos="42" size="120""#));
        assert_eq!(short, [(1, "tshark read 114 of 162 bytes".to_owned())]);
        let malformed = problems(&V5.replace("cflow.srcaddr", "_ws.malformed"));
        assert_eq!(malformed, [(1, "tshark calls it malformed".to_owned())]);
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
