//! Tables of Information Elements. Made by `cargo xtask codegen` from `crates/flow-wire/registry`; edit those.

use super::{AbstractDataType as T, InformationElement, Semantics as S, Units as U, element};

/// IANA IPFIX Information Elements, by id.
pub(super) static IANA: [Option<InformationElement>; 534] = [
    None,
    Some(element(0, 1, "octetDeltaCount", T::Unsigned64, S::DeltaCounter, U::Octets)),
    Some(element(0, 2, "packetDeltaCount", T::Unsigned64, S::DeltaCounter, U::Packets)),
    Some(element(0, 3, "deltaFlowCount", T::Unsigned64, S::DeltaCounter, U::Flows)),
    Some(element(0, 4, "protocolIdentifier", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 5, "ipClassOfService", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 6, "tcpControlBits", T::Unsigned16, S::Flags, U::None)),
    Some(element(0, 7, "sourceTransportPort", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 8, "sourceIPv4Address", T::Ipv4Address, S::Default, U::None)),
    Some(element(0, 9, "sourceIPv4PrefixLength", T::Unsigned8, S::Default, U::Bits)),
    Some(element(0, 10, "ingressInterface", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 11, "destinationTransportPort", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 12, "destinationIPv4Address", T::Ipv4Address, S::Default, U::None)),
    Some(element(0, 13, "destinationIPv4PrefixLength", T::Unsigned8, S::Default, U::Bits)),
    Some(element(0, 14, "egressInterface", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 15, "ipNextHopIPv4Address", T::Ipv4Address, S::Default, U::None)),
    Some(element(0, 16, "bgpSourceAsNumber", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 17, "bgpDestinationAsNumber", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 18, "bgpNextHopIPv4Address", T::Ipv4Address, S::Default, U::None)),
    Some(element(0, 19, "postMCastPacketDeltaCount", T::Unsigned64, S::DeltaCounter, U::Packets)),
    Some(element(0, 20, "postMCastOctetDeltaCount", T::Unsigned64, S::DeltaCounter, U::Octets)),
    Some(element(0, 21, "flowEndSysUpTime", T::Unsigned32, S::Default, U::Milliseconds)),
    Some(element(0, 22, "flowStartSysUpTime", T::Unsigned32, S::Default, U::Milliseconds)),
    Some(element(0, 23, "postOctetDeltaCount", T::Unsigned64, S::DeltaCounter, U::Octets)),
    Some(element(0, 24, "postPacketDeltaCount", T::Unsigned64, S::DeltaCounter, U::Packets)),
    Some(element(0, 25, "minimumIpTotalLength", T::Unsigned64, S::Default, U::Octets)),
    Some(element(0, 26, "maximumIpTotalLength", T::Unsigned64, S::Default, U::Octets)),
    Some(element(0, 27, "sourceIPv6Address", T::Ipv6Address, S::Default, U::None)),
    Some(element(0, 28, "destinationIPv6Address", T::Ipv6Address, S::Default, U::None)),
    Some(element(0, 29, "sourceIPv6PrefixLength", T::Unsigned8, S::Default, U::Bits)),
    Some(element(0, 30, "destinationIPv6PrefixLength", T::Unsigned8, S::Default, U::Bits)),
    Some(element(0, 31, "flowLabelIPv6", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 32, "icmpTypeCodeIPv4", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 33, "igmpType", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 34, "samplingInterval", T::Unsigned32, S::Quantity, U::Packets)),
    Some(element(0, 35, "samplingAlgorithm", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 36, "flowActiveTimeout", T::Unsigned16, S::Default, U::Seconds)),
    Some(element(0, 37, "flowIdleTimeout", T::Unsigned16, S::Default, U::Seconds)),
    Some(element(0, 38, "engineType", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 39, "engineId", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 40, "exportedOctetTotalCount", T::Unsigned64, S::TotalCounter, U::Octets)),
    Some(element(0, 41, "exportedMessageTotalCount", T::Unsigned64, S::TotalCounter, U::Messages)),
    Some(element(0, 42, "exportedFlowRecordTotalCount", T::Unsigned64, S::TotalCounter, U::Flows)),
    Some(element(0, 43, "ipv4RouterSc", T::Ipv4Address, S::Default, U::None)),
    Some(element(0, 44, "sourceIPv4Prefix", T::Ipv4Address, S::Default, U::None)),
    Some(element(0, 45, "destinationIPv4Prefix", T::Ipv4Address, S::Default, U::None)),
    Some(element(0, 46, "mplsTopLabelType", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 47, "mplsTopLabelIPv4Address", T::Ipv4Address, S::Default, U::None)),
    Some(element(0, 48, "samplerId", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 49, "samplerMode", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 50, "samplerRandomInterval", T::Unsigned32, S::Quantity, U::None)),
    Some(element(0, 51, "classId", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 52, "minimumTTL", T::Unsigned8, S::Default, U::Hops)),
    Some(element(0, 53, "maximumTTL", T::Unsigned8, S::Default, U::Hops)),
    Some(element(0, 54, "fragmentIdentification", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 55, "postIpClassOfService", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 56, "sourceMacAddress", T::MacAddress, S::Default, U::None)),
    Some(element(0, 57, "postDestinationMacAddress", T::MacAddress, S::Default, U::None)),
    Some(element(0, 58, "vlanId", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 59, "postVlanId", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 60, "ipVersion", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 61, "flowDirection", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 62, "ipNextHopIPv6Address", T::Ipv6Address, S::Default, U::None)),
    Some(element(0, 63, "bgpNextHopIPv6Address", T::Ipv6Address, S::Default, U::None)),
    Some(element(0, 64, "ipv6ExtensionHeaders", T::Unsigned32, S::Flags, U::None)),
    None,
    None,
    None,
    None,
    None,
    Some(element(0, 70, "mplsTopLabelStackSection", T::OctetArray, S::Default, U::None)),
    Some(element(0, 71, "mplsLabelStackSection2", T::OctetArray, S::Default, U::None)),
    Some(element(0, 72, "mplsLabelStackSection3", T::OctetArray, S::Default, U::None)),
    Some(element(0, 73, "mplsLabelStackSection4", T::OctetArray, S::Default, U::None)),
    Some(element(0, 74, "mplsLabelStackSection5", T::OctetArray, S::Default, U::None)),
    Some(element(0, 75, "mplsLabelStackSection6", T::OctetArray, S::Default, U::None)),
    Some(element(0, 76, "mplsLabelStackSection7", T::OctetArray, S::Default, U::None)),
    Some(element(0, 77, "mplsLabelStackSection8", T::OctetArray, S::Default, U::None)),
    Some(element(0, 78, "mplsLabelStackSection9", T::OctetArray, S::Default, U::None)),
    Some(element(0, 79, "mplsLabelStackSection10", T::OctetArray, S::Default, U::None)),
    Some(element(0, 80, "destinationMacAddress", T::MacAddress, S::Default, U::None)),
    Some(element(0, 81, "postSourceMacAddress", T::MacAddress, S::Default, U::None)),
    Some(element(0, 82, "interfaceName", T::String, S::Default, U::None)),
    Some(element(0, 83, "interfaceDescription", T::String, S::Default, U::None)),
    Some(element(0, 84, "samplerName", T::String, S::Default, U::None)),
    Some(element(0, 85, "octetTotalCount", T::Unsigned64, S::TotalCounter, U::Octets)),
    Some(element(0, 86, "packetTotalCount", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(0, 87, "flagsAndSamplerId", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 88, "fragmentOffset", T::Unsigned16, S::Quantity, U::None)),
    Some(element(0, 89, "forwardingStatus", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 90, "mplsVpnRouteDistinguisher", T::OctetArray, S::Default, U::None)),
    Some(element(0, 91, "mplsTopLabelPrefixLength", T::Unsigned8, S::Quantity, U::Bits)),
    Some(element(0, 92, "srcTrafficIndex", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 93, "dstTrafficIndex", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 94, "applicationDescription", T::String, S::Default, U::None)),
    Some(element(0, 95, "applicationId", T::OctetArray, S::Default, U::None)),
    Some(element(0, 96, "applicationName", T::String, S::Default, U::None)),
    None,
    Some(element(0, 98, "postIpDiffServCodePoint", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 99, "multicastReplicationFactor", T::Unsigned32, S::Quantity, U::None)),
    Some(element(0, 100, "className", T::String, S::Default, U::None)),
    Some(element(0, 101, "classificationEngineId", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 102, "layer2packetSectionOffset", T::Unsigned16, S::Quantity, U::None)),
    Some(element(0, 103, "layer2packetSectionSize", T::Unsigned16, S::Quantity, U::None)),
    Some(element(0, 104, "layer2packetSectionData", T::OctetArray, S::Default, U::None)),
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    Some(element(0, 128, "bgpNextAdjacentAsNumber", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 129, "bgpPrevAdjacentAsNumber", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 130, "exporterIPv4Address", T::Ipv4Address, S::Default, U::None)),
    Some(element(0, 131, "exporterIPv6Address", T::Ipv6Address, S::Default, U::None)),
    Some(element(0, 132, "droppedOctetDeltaCount", T::Unsigned64, S::DeltaCounter, U::Octets)),
    Some(element(0, 133, "droppedPacketDeltaCount", T::Unsigned64, S::DeltaCounter, U::Packets)),
    Some(element(0, 134, "droppedOctetTotalCount", T::Unsigned64, S::TotalCounter, U::Octets)),
    Some(element(0, 135, "droppedPacketTotalCount", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(0, 136, "flowEndReason", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 137, "commonPropertiesId", T::Unsigned64, S::Identifier, U::None)),
    Some(element(0, 138, "observationPointId", T::Unsigned64, S::Identifier, U::None)),
    Some(element(0, 139, "icmpTypeCodeIPv6", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 140, "mplsTopLabelIPv6Address", T::Ipv6Address, S::Default, U::None)),
    Some(element(0, 141, "lineCardId", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 142, "portId", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 143, "meteringProcessId", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 144, "exportingProcessId", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 145, "templateId", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 146, "wlanChannelId", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 147, "wlanSSID", T::String, S::Default, U::None)),
    Some(element(0, 148, "flowId", T::Unsigned64, S::Identifier, U::None)),
    Some(element(0, 149, "observationDomainId", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 150, "flowStartSeconds", T::DateTimeSeconds, S::Default, U::Seconds)),
    Some(element(0, 151, "flowEndSeconds", T::DateTimeSeconds, S::Default, U::Seconds)),
    Some(element(0, 152, "flowStartMilliseconds", T::DateTimeMilliseconds, S::Default, U::Milliseconds)),
    Some(element(0, 153, "flowEndMilliseconds", T::DateTimeMilliseconds, S::Default, U::Milliseconds)),
    Some(element(0, 154, "flowStartMicroseconds", T::DateTimeMicroseconds, S::Default, U::Microseconds)),
    Some(element(0, 155, "flowEndMicroseconds", T::DateTimeMicroseconds, S::Default, U::Microseconds)),
    Some(element(0, 156, "flowStartNanoseconds", T::DateTimeNanoseconds, S::Default, U::Nanoseconds)),
    Some(element(0, 157, "flowEndNanoseconds", T::DateTimeNanoseconds, S::Default, U::Nanoseconds)),
    Some(element(0, 158, "flowStartDeltaMicroseconds", T::Unsigned32, S::Default, U::Microseconds)),
    Some(element(0, 159, "flowEndDeltaMicroseconds", T::Unsigned32, S::Default, U::Microseconds)),
    Some(element(0, 160, "systemInitTimeMilliseconds", T::DateTimeMilliseconds, S::Default, U::Milliseconds)),
    Some(element(0, 161, "flowDurationMilliseconds", T::Unsigned32, S::Default, U::Milliseconds)),
    Some(element(0, 162, "flowDurationMicroseconds", T::Unsigned32, S::Default, U::Microseconds)),
    Some(element(0, 163, "observedFlowTotalCount", T::Unsigned64, S::TotalCounter, U::Flows)),
    Some(element(0, 164, "ignoredPacketTotalCount", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(0, 165, "ignoredOctetTotalCount", T::Unsigned64, S::TotalCounter, U::Octets)),
    Some(element(0, 166, "notSentFlowTotalCount", T::Unsigned64, S::TotalCounter, U::Flows)),
    Some(element(0, 167, "notSentPacketTotalCount", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(0, 168, "notSentOctetTotalCount", T::Unsigned64, S::TotalCounter, U::Octets)),
    Some(element(0, 169, "destinationIPv6Prefix", T::Ipv6Address, S::Default, U::None)),
    Some(element(0, 170, "sourceIPv6Prefix", T::Ipv6Address, S::Default, U::None)),
    Some(element(0, 171, "postOctetTotalCount", T::Unsigned64, S::TotalCounter, U::Octets)),
    Some(element(0, 172, "postPacketTotalCount", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(0, 173, "flowKeyIndicator", T::Unsigned64, S::Flags, U::None)),
    Some(element(0, 174, "postMCastPacketTotalCount", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(0, 175, "postMCastOctetTotalCount", T::Unsigned64, S::TotalCounter, U::Octets)),
    Some(element(0, 176, "icmpTypeIPv4", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 177, "icmpCodeIPv4", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 178, "icmpTypeIPv6", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 179, "icmpCodeIPv6", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 180, "udpSourcePort", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 181, "udpDestinationPort", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 182, "tcpSourcePort", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 183, "tcpDestinationPort", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 184, "tcpSequenceNumber", T::Unsigned32, S::Default, U::None)),
    Some(element(0, 185, "tcpAcknowledgementNumber", T::Unsigned32, S::Default, U::None)),
    Some(element(0, 186, "tcpWindowSize", T::Unsigned16, S::Default, U::None)),
    Some(element(0, 187, "tcpUrgentPointer", T::Unsigned16, S::Default, U::None)),
    Some(element(0, 188, "tcpHeaderLength", T::Unsigned8, S::Default, U::Octets)),
    Some(element(0, 189, "ipHeaderLength", T::Unsigned8, S::Default, U::Octets)),
    Some(element(0, 190, "totalLengthIPv4", T::Unsigned16, S::Default, U::Octets)),
    Some(element(0, 191, "payloadLengthIPv6", T::Unsigned16, S::Default, U::Octets)),
    Some(element(0, 192, "ipTTL", T::Unsigned8, S::Default, U::Hops)),
    Some(element(0, 193, "nextHeaderIPv6", T::Unsigned8, S::Default, U::None)),
    Some(element(0, 194, "mplsPayloadLength", T::Unsigned32, S::Default, U::Octets)),
    Some(element(0, 195, "ipDiffServCodePoint", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 196, "ipPrecedence", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 197, "fragmentFlags", T::Unsigned8, S::Flags, U::None)),
    Some(element(0, 198, "octetDeltaSumOfSquares", T::Unsigned64, S::Default, U::None)),
    Some(element(0, 199, "octetTotalSumOfSquares", T::Unsigned64, S::Default, U::Octets)),
    Some(element(0, 200, "mplsTopLabelTTL", T::Unsigned8, S::Default, U::Hops)),
    Some(element(0, 201, "mplsLabelStackLength", T::Unsigned32, S::Default, U::Octets)),
    Some(element(0, 202, "mplsLabelStackDepth", T::Unsigned32, S::Default, U::Entries)),
    Some(element(0, 203, "mplsTopLabelExp", T::Unsigned8, S::Flags, U::None)),
    Some(element(0, 204, "ipPayloadLength", T::Unsigned32, S::Default, U::Octets)),
    Some(element(0, 205, "udpMessageLength", T::Unsigned16, S::Default, U::Octets)),
    Some(element(0, 206, "isMulticast", T::Unsigned8, S::Flags, U::None)),
    Some(element(0, 207, "ipv4IHL", T::Unsigned8, S::Default, U::FourOctetWords)),
    Some(element(0, 208, "ipv4Options", T::Unsigned32, S::Flags, U::None)),
    Some(element(0, 209, "tcpOptions", T::Unsigned64, S::Flags, U::None)),
    Some(element(0, 210, "paddingOctets", T::OctetArray, S::Default, U::None)),
    Some(element(0, 211, "collectorIPv4Address", T::Ipv4Address, S::Default, U::None)),
    Some(element(0, 212, "collectorIPv6Address", T::Ipv6Address, S::Default, U::None)),
    Some(element(0, 213, "exportInterface", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 214, "exportProtocolVersion", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 215, "exportTransportProtocol", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 216, "collectorTransportPort", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 217, "exporterTransportPort", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 218, "tcpSynTotalCount", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(0, 219, "tcpFinTotalCount", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(0, 220, "tcpRstTotalCount", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(0, 221, "tcpPshTotalCount", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(0, 222, "tcpAckTotalCount", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(0, 223, "tcpUrgTotalCount", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(0, 224, "ipTotalLength", T::Unsigned64, S::Default, U::Octets)),
    Some(element(0, 225, "postNATSourceIPv4Address", T::Ipv4Address, S::Default, U::None)),
    Some(element(0, 226, "postNATDestinationIPv4Address", T::Ipv4Address, S::Default, U::None)),
    Some(element(0, 227, "postNAPTSourceTransportPort", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 228, "postNAPTDestinationTransportPort", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 229, "natOriginatingAddressRealm", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 230, "natEvent", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 231, "initiatorOctets", T::Unsigned64, S::DeltaCounter, U::Octets)),
    Some(element(0, 232, "responderOctets", T::Unsigned64, S::DeltaCounter, U::Octets)),
    Some(element(0, 233, "firewallEvent", T::Unsigned8, S::Default, U::None)),
    Some(element(0, 234, "ingressVRFID", T::Unsigned32, S::Default, U::None)),
    Some(element(0, 235, "egressVRFID", T::Unsigned32, S::Default, U::None)),
    Some(element(0, 236, "VRFname", T::String, S::Default, U::None)),
    Some(element(0, 237, "postMplsTopLabelExp", T::Unsigned8, S::Flags, U::None)),
    Some(element(0, 238, "tcpWindowScale", T::Unsigned16, S::Default, U::None)),
    Some(element(0, 239, "biflowDirection", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 240, "ethernetHeaderLength", T::Unsigned8, S::Quantity, U::Octets)),
    Some(element(0, 241, "ethernetPayloadLength", T::Unsigned16, S::Quantity, U::Octets)),
    Some(element(0, 242, "ethernetTotalLength", T::Unsigned16, S::Quantity, U::Octets)),
    Some(element(0, 243, "dot1qVlanId", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 244, "dot1qPriority", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 245, "dot1qCustomerVlanId", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 246, "dot1qCustomerPriority", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 247, "metroEvcId", T::String, S::Default, U::None)),
    Some(element(0, 248, "metroEvcType", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 249, "pseudoWireId", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 250, "pseudoWireType", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 251, "pseudoWireControlWord", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 252, "ingressPhysicalInterface", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 253, "egressPhysicalInterface", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 254, "postDot1qVlanId", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 255, "postDot1qCustomerVlanId", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 256, "ethernetType", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 257, "postIpPrecedence", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 258, "collectionTimeMilliseconds", T::DateTimeMilliseconds, S::Default, U::Milliseconds)),
    Some(element(0, 259, "exportSctpStreamId", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 260, "maxExportSeconds", T::DateTimeSeconds, S::Default, U::Seconds)),
    Some(element(0, 261, "maxFlowEndSeconds", T::DateTimeSeconds, S::Default, U::Seconds)),
    Some(element(0, 262, "messageMD5Checksum", T::OctetArray, S::Default, U::None)),
    Some(element(0, 263, "messageScope", T::Unsigned8, S::Default, U::None)),
    Some(element(0, 264, "minExportSeconds", T::DateTimeSeconds, S::Default, U::Seconds)),
    Some(element(0, 265, "minFlowStartSeconds", T::DateTimeSeconds, S::Default, U::Seconds)),
    Some(element(0, 266, "opaqueOctets", T::OctetArray, S::Default, U::None)),
    Some(element(0, 267, "sessionScope", T::Unsigned8, S::Default, U::None)),
    Some(element(0, 268, "maxFlowEndMicroseconds", T::DateTimeMicroseconds, S::Default, U::Microseconds)),
    Some(element(0, 269, "maxFlowEndMilliseconds", T::DateTimeMilliseconds, S::Default, U::Milliseconds)),
    Some(element(0, 270, "maxFlowEndNanoseconds", T::DateTimeNanoseconds, S::Default, U::Nanoseconds)),
    Some(element(0, 271, "minFlowStartMicroseconds", T::DateTimeMicroseconds, S::Default, U::Microseconds)),
    Some(element(0, 272, "minFlowStartMilliseconds", T::DateTimeMilliseconds, S::Default, U::Milliseconds)),
    Some(element(0, 273, "minFlowStartNanoseconds", T::DateTimeNanoseconds, S::Default, U::Nanoseconds)),
    Some(element(0, 274, "collectorCertificate", T::OctetArray, S::Default, U::None)),
    Some(element(0, 275, "exporterCertificate", T::OctetArray, S::Default, U::None)),
    Some(element(0, 276, "dataRecordsReliability", T::Boolean, S::Default, U::None)),
    Some(element(0, 277, "observationPointType", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 278, "newConnectionDeltaCount", T::Unsigned32, S::DeltaCounter, U::None)),
    Some(element(0, 279, "connectionSumDurationSeconds", T::Unsigned64, S::Default, U::Seconds)),
    Some(element(0, 280, "connectionTransactionId", T::Unsigned64, S::Identifier, U::None)),
    Some(element(0, 281, "postNATSourceIPv6Address", T::Ipv6Address, S::Default, U::None)),
    Some(element(0, 282, "postNATDestinationIPv6Address", T::Ipv6Address, S::Default, U::None)),
    Some(element(0, 283, "natPoolId", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 284, "natPoolName", T::String, S::Default, U::None)),
    Some(element(0, 285, "anonymizationFlags", T::Unsigned16, S::Flags, U::None)),
    Some(element(0, 286, "anonymizationTechnique", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 287, "informationElementIndex", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 288, "p2pTechnology", T::String, S::Default, U::None)),
    Some(element(0, 289, "tunnelTechnology", T::String, S::Default, U::None)),
    Some(element(0, 290, "encryptedTechnology", T::String, S::Default, U::None)),
    Some(element(0, 291, "basicList", T::BasicList, S::List, U::None)),
    Some(element(0, 292, "subTemplateList", T::SubTemplateList, S::List, U::None)),
    Some(element(0, 293, "subTemplateMultiList", T::SubTemplateMultiList, S::List, U::None)),
    Some(element(0, 294, "bgpValidityState", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 295, "IPSecSPI", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 296, "greKey", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 297, "natType", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 298, "initiatorPackets", T::Unsigned64, S::DeltaCounter, U::Packets)),
    Some(element(0, 299, "responderPackets", T::Unsigned64, S::DeltaCounter, U::Packets)),
    Some(element(0, 300, "observationDomainName", T::String, S::Default, U::None)),
    Some(element(0, 301, "selectionSequenceId", T::Unsigned64, S::Identifier, U::None)),
    Some(element(0, 302, "selectorId", T::Unsigned64, S::Identifier, U::None)),
    Some(element(0, 303, "informationElementId", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 304, "selectorAlgorithm", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 305, "samplingPacketInterval", T::Unsigned32, S::Quantity, U::Packets)),
    Some(element(0, 306, "samplingPacketSpace", T::Unsigned32, S::Quantity, U::Packets)),
    Some(element(0, 307, "samplingTimeInterval", T::Unsigned32, S::Quantity, U::Microseconds)),
    Some(element(0, 308, "samplingTimeSpace", T::Unsigned32, S::Quantity, U::Microseconds)),
    Some(element(0, 309, "samplingSize", T::Unsigned32, S::Quantity, U::Packets)),
    Some(element(0, 310, "samplingPopulation", T::Unsigned32, S::Quantity, U::Packets)),
    Some(element(0, 311, "samplingProbability", T::Float64, S::Quantity, U::None)),
    Some(element(0, 312, "dataLinkFrameSize", T::Unsigned16, S::Quantity, U::None)),
    Some(element(0, 313, "ipHeaderPacketSection", T::OctetArray, S::Default, U::None)),
    Some(element(0, 314, "ipPayloadPacketSection", T::OctetArray, S::Default, U::None)),
    Some(element(0, 315, "dataLinkFrameSection", T::OctetArray, S::Default, U::None)),
    Some(element(0, 316, "mplsLabelStackSection", T::OctetArray, S::Default, U::None)),
    Some(element(0, 317, "mplsPayloadPacketSection", T::OctetArray, S::Default, U::None)),
    Some(element(0, 318, "selectorIdTotalPktsObserved", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(0, 319, "selectorIdTotalPktsSelected", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(0, 320, "absoluteError", T::Float64, S::Quantity, U::Inferred)),
    Some(element(0, 321, "relativeError", T::Float64, S::Quantity, U::None)),
    Some(element(0, 322, "observationTimeSeconds", T::DateTimeSeconds, S::Default, U::Seconds)),
    Some(element(0, 323, "observationTimeMilliseconds", T::DateTimeMilliseconds, S::Default, U::Milliseconds)),
    Some(element(0, 324, "observationTimeMicroseconds", T::DateTimeMicroseconds, S::Default, U::Microseconds)),
    Some(element(0, 325, "observationTimeNanoseconds", T::DateTimeNanoseconds, S::Default, U::Nanoseconds)),
    Some(element(0, 326, "digestHashValue", T::Unsigned64, S::Quantity, U::None)),
    Some(element(0, 327, "hashIPPayloadOffset", T::Unsigned64, S::Quantity, U::None)),
    Some(element(0, 328, "hashIPPayloadSize", T::Unsigned64, S::Quantity, U::None)),
    Some(element(0, 329, "hashOutputRangeMin", T::Unsigned64, S::Quantity, U::None)),
    Some(element(0, 330, "hashOutputRangeMax", T::Unsigned64, S::Quantity, U::None)),
    Some(element(0, 331, "hashSelectedRangeMin", T::Unsigned64, S::Quantity, U::None)),
    Some(element(0, 332, "hashSelectedRangeMax", T::Unsigned64, S::Quantity, U::None)),
    Some(element(0, 333, "hashDigestOutput", T::Boolean, S::Default, U::None)),
    Some(element(0, 334, "hashInitialiserValue", T::Unsigned64, S::Quantity, U::None)),
    Some(element(0, 335, "selectorName", T::String, S::Default, U::None)),
    Some(element(0, 336, "upperCILimit", T::Float64, S::Quantity, U::None)),
    Some(element(0, 337, "lowerCILimit", T::Float64, S::Quantity, U::None)),
    Some(element(0, 338, "confidenceLevel", T::Float64, S::Quantity, U::None)),
    Some(element(0, 339, "informationElementDataType", T::Unsigned8, S::Default, U::None)),
    Some(element(0, 340, "informationElementDescription", T::String, S::Default, U::None)),
    Some(element(0, 341, "informationElementName", T::String, S::Default, U::None)),
    Some(element(0, 342, "informationElementRangeBegin", T::Unsigned64, S::Quantity, U::None)),
    Some(element(0, 343, "informationElementRangeEnd", T::Unsigned64, S::Quantity, U::None)),
    Some(element(0, 344, "informationElementSemantics", T::Unsigned8, S::Default, U::None)),
    Some(element(0, 345, "informationElementUnits", T::Unsigned16, S::Default, U::None)),
    Some(element(0, 346, "privateEnterpriseNumber", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 347, "virtualStationInterfaceId", T::OctetArray, S::Default, U::None)),
    Some(element(0, 348, "virtualStationInterfaceName", T::String, S::Default, U::None)),
    Some(element(0, 349, "virtualStationUUID", T::OctetArray, S::Default, U::None)),
    Some(element(0, 350, "virtualStationName", T::String, S::Default, U::None)),
    Some(element(0, 351, "layer2SegmentId", T::Unsigned64, S::Identifier, U::None)),
    Some(element(0, 352, "layer2OctetDeltaCount", T::Unsigned64, S::DeltaCounter, U::Octets)),
    Some(element(0, 353, "layer2OctetTotalCount", T::Unsigned64, S::TotalCounter, U::Octets)),
    Some(element(0, 354, "ingressUnicastPacketTotalCount", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(0, 355, "ingressMulticastPacketTotalCount", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(0, 356, "ingressBroadcastPacketTotalCount", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(0, 357, "egressUnicastPacketTotalCount", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(0, 358, "egressBroadcastPacketTotalCount", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(0, 359, "monitoringIntervalStartMilliSeconds", T::DateTimeMilliseconds, S::Default, U::Milliseconds)),
    Some(element(0, 360, "monitoringIntervalEndMilliSeconds", T::DateTimeMilliseconds, S::Default, U::Milliseconds)),
    Some(element(0, 361, "portRangeStart", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 362, "portRangeEnd", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 363, "portRangeStepSize", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 364, "portRangeNumPorts", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 365, "staMacAddress", T::MacAddress, S::Default, U::None)),
    Some(element(0, 366, "staIPv4Address", T::Ipv4Address, S::Default, U::None)),
    Some(element(0, 367, "wtpMacAddress", T::MacAddress, S::Default, U::None)),
    Some(element(0, 368, "ingressInterfaceType", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 369, "egressInterfaceType", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 370, "rtpSequenceNumber", T::Unsigned16, S::Default, U::None)),
    Some(element(0, 371, "userName", T::String, S::Default, U::None)),
    Some(element(0, 372, "applicationCategoryName", T::String, S::Default, U::None)),
    Some(element(0, 373, "applicationSubCategoryName", T::String, S::Default, U::None)),
    Some(element(0, 374, "applicationGroupName", T::String, S::Default, U::None)),
    Some(element(0, 375, "originalFlowsPresent", T::Unsigned64, S::DeltaCounter, U::Flows)),
    Some(element(0, 376, "originalFlowsInitiated", T::Unsigned64, S::DeltaCounter, U::Flows)),
    Some(element(0, 377, "originalFlowsCompleted", T::Unsigned64, S::DeltaCounter, U::Flows)),
    Some(element(0, 378, "distinctCountOfSourceIPAddress", T::Unsigned64, S::TotalCounter, U::None)),
    Some(element(0, 379, "distinctCountOfDestinationIPAddress", T::Unsigned64, S::TotalCounter, U::None)),
    Some(element(0, 380, "distinctCountOfSourceIPv4Address", T::Unsigned32, S::TotalCounter, U::None)),
    Some(element(0, 381, "distinctCountOfDestinationIPv4Address", T::Unsigned32, S::TotalCounter, U::None)),
    Some(element(0, 382, "distinctCountOfSourceIPv6Address", T::Unsigned64, S::TotalCounter, U::None)),
    Some(element(0, 383, "distinctCountOfDestinationIPv6Address", T::Unsigned64, S::TotalCounter, U::None)),
    Some(element(0, 384, "valueDistributionMethod", T::Unsigned8, S::Default, U::None)),
    Some(element(0, 385, "rfc3550JitterMilliseconds", T::Unsigned32, S::Quantity, U::Milliseconds)),
    Some(element(0, 386, "rfc3550JitterMicroseconds", T::Unsigned32, S::Quantity, U::Microseconds)),
    Some(element(0, 387, "rfc3550JitterNanoseconds", T::Unsigned32, S::Quantity, U::Nanoseconds)),
    Some(element(0, 388, "dot1qDEI", T::Boolean, S::Default, U::None)),
    Some(element(0, 389, "dot1qCustomerDEI", T::Boolean, S::Default, U::None)),
    Some(element(0, 390, "flowSelectorAlgorithm", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 391, "flowSelectedOctetDeltaCount", T::Unsigned64, S::DeltaCounter, U::Octets)),
    Some(element(0, 392, "flowSelectedPacketDeltaCount", T::Unsigned64, S::DeltaCounter, U::Packets)),
    Some(element(0, 393, "flowSelectedFlowDeltaCount", T::Unsigned64, S::DeltaCounter, U::Flows)),
    Some(element(0, 394, "selectorIDTotalFlowsObserved", T::Unsigned64, S::Default, U::Flows)),
    Some(element(0, 395, "selectorIDTotalFlowsSelected", T::Unsigned64, S::Default, U::Flows)),
    Some(element(0, 396, "samplingFlowInterval", T::Unsigned64, S::Default, U::Flows)),
    Some(element(0, 397, "samplingFlowSpacing", T::Unsigned64, S::Default, U::Flows)),
    Some(element(0, 398, "flowSamplingTimeInterval", T::Unsigned64, S::Default, U::Microseconds)),
    Some(element(0, 399, "flowSamplingTimeSpacing", T::Unsigned64, S::Default, U::Microseconds)),
    Some(element(0, 400, "hashFlowDomain", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 401, "transportOctetDeltaCount", T::Unsigned64, S::DeltaCounter, U::Octets)),
    Some(element(0, 402, "transportPacketDeltaCount", T::Unsigned64, S::DeltaCounter, U::Packets)),
    Some(element(0, 403, "originalExporterIPv4Address", T::Ipv4Address, S::Default, U::None)),
    Some(element(0, 404, "originalExporterIPv6Address", T::Ipv6Address, S::Default, U::None)),
    Some(element(0, 405, "originalObservationDomainId", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 406, "intermediateProcessId", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 407, "ignoredDataRecordTotalCount", T::Unsigned64, S::TotalCounter, U::None)),
    Some(element(0, 408, "dataLinkFrameType", T::Unsigned16, S::Flags, U::None)),
    Some(element(0, 409, "sectionOffset", T::Unsigned16, S::Quantity, U::None)),
    Some(element(0, 410, "sectionExportedOctets", T::Unsigned16, S::Quantity, U::None)),
    Some(element(0, 411, "dot1qServiceInstanceTag", T::OctetArray, S::Default, U::None)),
    Some(element(0, 412, "dot1qServiceInstanceId", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 413, "dot1qServiceInstancePriority", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 414, "dot1qCustomerSourceMacAddress", T::MacAddress, S::Default, U::None)),
    Some(element(0, 415, "dot1qCustomerDestinationMacAddress", T::MacAddress, S::Default, U::None)),
    None,
    Some(element(0, 417, "postLayer2OctetDeltaCount", T::Unsigned64, S::DeltaCounter, U::Octets)),
    Some(element(0, 418, "postMCastLayer2OctetDeltaCount", T::Unsigned64, S::DeltaCounter, U::Octets)),
    None,
    Some(element(0, 420, "postLayer2OctetTotalCount", T::Unsigned64, S::TotalCounter, U::Octets)),
    Some(element(0, 421, "postMCastLayer2OctetTotalCount", T::Unsigned64, S::TotalCounter, U::Octets)),
    Some(element(0, 422, "minimumLayer2TotalLength", T::Unsigned64, S::Default, U::Octets)),
    Some(element(0, 423, "maximumLayer2TotalLength", T::Unsigned64, S::Default, U::Octets)),
    Some(element(0, 424, "droppedLayer2OctetDeltaCount", T::Unsigned64, S::DeltaCounter, U::Octets)),
    Some(element(0, 425, "droppedLayer2OctetTotalCount", T::Unsigned64, S::TotalCounter, U::Octets)),
    Some(element(0, 426, "ignoredLayer2OctetTotalCount", T::Unsigned64, S::TotalCounter, U::Octets)),
    Some(element(0, 427, "notSentLayer2OctetTotalCount", T::Unsigned64, S::TotalCounter, U::Octets)),
    Some(element(0, 428, "layer2OctetDeltaSumOfSquares", T::Unsigned64, S::DeltaCounter, U::Octets)),
    Some(element(0, 429, "layer2OctetTotalSumOfSquares", T::Unsigned64, S::TotalCounter, U::Octets)),
    Some(element(0, 430, "layer2FrameDeltaCount", T::Unsigned64, S::DeltaCounter, U::Frames)),
    Some(element(0, 431, "layer2FrameTotalCount", T::Unsigned64, S::TotalCounter, U::Frames)),
    Some(element(0, 432, "pseudoWireDestinationIPv4Address", T::Ipv4Address, S::Default, U::None)),
    Some(element(0, 433, "ignoredLayer2FrameTotalCount", T::Unsigned64, S::TotalCounter, U::Frames)),
    Some(element(0, 434, "mibObjectValueInteger", T::Signed32, S::Quantity, U::None)),
    Some(element(0, 435, "mibObjectValueOctetString", T::OctetArray, S::Default, U::None)),
    Some(element(0, 436, "mibObjectValueOID", T::OctetArray, S::Default, U::None)),
    Some(element(0, 437, "mibObjectValueBits", T::OctetArray, S::Flags, U::None)),
    Some(element(0, 438, "mibObjectValueIPAddress", T::Ipv4Address, S::Default, U::None)),
    Some(element(0, 439, "mibObjectValueCounter", T::Unsigned64, S::SnmpCounter, U::None)),
    Some(element(0, 440, "mibObjectValueGauge", T::Unsigned32, S::SnmpGauge, U::None)),
    Some(element(0, 441, "mibObjectValueTimeTicks", T::Unsigned32, S::Quantity, U::None)),
    Some(element(0, 442, "mibObjectValueUnsigned", T::Unsigned32, S::Quantity, U::None)),
    Some(element(0, 443, "mibObjectValueTable", T::SubTemplateList, S::List, U::None)),
    Some(element(0, 444, "mibObjectValueRow", T::SubTemplateList, S::List, U::None)),
    Some(element(0, 445, "mibObjectIdentifier", T::OctetArray, S::Default, U::None)),
    Some(element(0, 446, "mibSubIdentifier", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 447, "mibIndexIndicator", T::Unsigned64, S::Flags, U::None)),
    Some(element(0, 448, "mibCaptureTimeSemantics", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 449, "mibContextEngineID", T::OctetArray, S::Default, U::None)),
    Some(element(0, 450, "mibContextName", T::String, S::Default, U::None)),
    Some(element(0, 451, "mibObjectName", T::String, S::Default, U::None)),
    Some(element(0, 452, "mibObjectDescription", T::String, S::Default, U::None)),
    Some(element(0, 453, "mibObjectSyntax", T::String, S::Default, U::None)),
    Some(element(0, 454, "mibModuleName", T::String, S::Default, U::None)),
    Some(element(0, 455, "mobileIMSI", T::String, S::Default, U::None)),
    Some(element(0, 456, "mobileMSISDN", T::String, S::Default, U::None)),
    Some(element(0, 457, "httpStatusCode", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 458, "sourceTransportPortsLimit", T::Unsigned16, S::Quantity, U::Ports)),
    Some(element(0, 459, "httpRequestMethod", T::String, S::Default, U::None)),
    Some(element(0, 460, "httpRequestHost", T::String, S::Default, U::None)),
    Some(element(0, 461, "httpRequestTarget", T::String, S::Default, U::None)),
    Some(element(0, 462, "httpMessageVersion", T::String, S::Default, U::None)),
    Some(element(0, 463, "natInstanceID", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 464, "internalAddressRealm", T::OctetArray, S::Identifier, U::None)),
    Some(element(0, 465, "externalAddressRealm", T::OctetArray, S::Identifier, U::None)),
    Some(element(0, 466, "natQuotaExceededEvent", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 467, "natThresholdEvent", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 468, "httpUserAgent", T::String, S::Default, U::None)),
    Some(element(0, 469, "httpContentType", T::String, S::Default, U::None)),
    Some(element(0, 470, "httpReasonPhrase", T::String, S::Default, U::None)),
    Some(element(0, 471, "maxSessionEntries", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 472, "maxBIBEntries", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 473, "maxEntriesPerUser", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 474, "maxSubscribers", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 475, "maxFragmentsPendingReassembly", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 476, "addressPoolHighThreshold", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 477, "addressPoolLowThreshold", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 478, "addressPortMappingHighThreshold", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 479, "addressPortMappingLowThreshold", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 480, "addressPortMappingPerUserHighThreshold", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 481, "globalAddressMappingHighThreshold", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 482, "vpnIdentifier", T::OctetArray, S::Default, U::None)),
    Some(element(0, 483, "bgpCommunity", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 484, "bgpSourceCommunityList", T::BasicList, S::List, U::None)),
    Some(element(0, 485, "bgpDestinationCommunityList", T::BasicList, S::List, U::None)),
    Some(element(0, 486, "bgpExtendedCommunity", T::OctetArray, S::Default, U::None)),
    Some(element(0, 487, "bgpSourceExtendedCommunityList", T::BasicList, S::List, U::None)),
    Some(element(0, 488, "bgpDestinationExtendedCommunityList", T::BasicList, S::List, U::None)),
    Some(element(0, 489, "bgpLargeCommunity", T::OctetArray, S::Default, U::None)),
    Some(element(0, 490, "bgpSourceLargeCommunityList", T::BasicList, S::List, U::None)),
    Some(element(0, 491, "bgpDestinationLargeCommunityList", T::BasicList, S::List, U::None)),
    Some(element(0, 492, "srhFlagsIPv6", T::Unsigned8, S::Flags, U::None)),
    Some(element(0, 493, "srhTagIPv6", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 494, "srhSegmentIPv6", T::Ipv6Address, S::Default, U::None)),
    Some(element(0, 495, "srhActiveSegmentIPv6", T::Ipv6Address, S::Default, U::None)),
    Some(element(0, 496, "srhSegmentIPv6BasicList", T::BasicList, S::List, U::None)),
    Some(element(0, 497, "srhSegmentIPv6ListSection", T::OctetArray, S::Default, U::None)),
    Some(element(0, 498, "srhSegmentsIPv6Left", T::Unsigned8, S::Quantity, U::None)),
    Some(element(0, 499, "srhIPv6Section", T::OctetArray, S::Default, U::None)),
    Some(element(0, 500, "srhIPv6ActiveSegmentType", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 501, "srhSegmentIPv6LocatorLength", T::Unsigned8, S::Default, U::None)),
    Some(element(0, 502, "srhSegmentIPv6EndpointBehavior", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 503, "transportChecksum", T::Unsigned16, S::Default, U::None)),
    Some(element(0, 504, "icmpHeaderPacketSection", T::OctetArray, S::Default, U::None)),
    Some(element(0, 505, "gtpuFlags", T::Unsigned8, S::Flags, U::None)),
    Some(element(0, 506, "gtpuMsgType", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 507, "gtpuTEid", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 508, "gtpuSequenceNum", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 509, "gtpuQFI", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 510, "gtpuPduType", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 511, "bgpSourceAsPathList", T::BasicList, S::List, U::None)),
    Some(element(0, 512, "bgpDestinationAsPathList", T::BasicList, S::List, U::None)),
    Some(element(0, 513, "ipv6ExtensionHeaderType", T::Unsigned8, S::Identifier, U::None)),
    Some(element(0, 514, "ipv6ExtensionHeaderCount", T::Unsigned8, S::TotalCounter, U::None)),
    Some(element(0, 515, "ipv6ExtensionHeadersFull", T::Unsigned256, S::Flags, U::None)),
    Some(element(0, 516, "ipv6ExtensionHeaderTypeCountList", T::SubTemplateList, S::List, U::None)),
    Some(element(0, 517, "ipv6ExtensionHeadersLimit", T::Boolean, S::Default, U::None)),
    Some(element(0, 518, "ipv6ExtensionHeadersChainLength", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 519, "ipv6ExtensionHeaderChainLengthList", T::SubTemplateList, S::List, U::None)),
    Some(element(0, 520, "tcpOptionsFull", T::Unsigned256, S::Flags, U::None)),
    Some(element(0, 521, "tcpSharedOptionExID16", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 522, "tcpSharedOptionExID32", T::Unsigned32, S::Identifier, U::None)),
    Some(element(0, 523, "tcpSharedOptionExID16List", T::BasicList, S::List, U::None)),
    Some(element(0, 524, "tcpSharedOptionExID32List", T::BasicList, S::List, U::None)),
    Some(element(0, 525, "udpSafeOptions", T::Unsigned256, S::Flags, U::None)),
    Some(element(0, 526, "udpUnsafeOptions", T::Unsigned64, S::Flags, U::None)),
    Some(element(0, 527, "udpExID", T::Unsigned16, S::Identifier, U::None)),
    Some(element(0, 528, "udpSafeExIDList", T::BasicList, S::List, U::None)),
    Some(element(0, 529, "udpUnsafeExIDList", T::BasicList, S::List, U::None)),
    Some(element(0, 530, "pathDelayMeanDeltaMicroseconds", T::Unsigned32, S::DeltaCounter, U::None)),
    Some(element(0, 531, "pathDelayMinDeltaMicroseconds", T::Unsigned32, S::DeltaCounter, U::None)),
    Some(element(0, 532, "pathDelayMaxDeltaMicroseconds", T::Unsigned32, S::DeltaCounter, U::None)),
    Some(element(0, 533, "pathDelaySumDeltaMicroseconds", T::Unsigned64, S::DeltaCounter, U::None)),
];

/// Reverse IANA elements (RFC 5103), by id.
pub(super) static IANA_REVERSE: [Option<InformationElement>; 534] = [
    None,
    Some(element(29305, 1, "reverseOctetDeltaCount", T::Unsigned64, S::DeltaCounter, U::Octets)),
    Some(element(29305, 2, "reversePacketDeltaCount", T::Unsigned64, S::DeltaCounter, U::Packets)),
    Some(element(29305, 3, "reverseDeltaFlowCount", T::Unsigned64, S::DeltaCounter, U::Flows)),
    Some(element(29305, 4, "reverseProtocolIdentifier", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 5, "reverseIpClassOfService", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 6, "reverseTcpControlBits", T::Unsigned16, S::Flags, U::None)),
    Some(element(29305, 7, "reverseSourceTransportPort", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 8, "reverseSourceIPv4Address", T::Ipv4Address, S::Default, U::None)),
    Some(element(29305, 9, "reverseSourceIPv4PrefixLength", T::Unsigned8, S::Default, U::Bits)),
    Some(element(29305, 10, "reverseIngressInterface", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 11, "reverseDestinationTransportPort", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 12, "reverseDestinationIPv4Address", T::Ipv4Address, S::Default, U::None)),
    Some(element(29305, 13, "reverseDestinationIPv4PrefixLength", T::Unsigned8, S::Default, U::Bits)),
    Some(element(29305, 14, "reverseEgressInterface", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 15, "reverseIpNextHopIPv4Address", T::Ipv4Address, S::Default, U::None)),
    Some(element(29305, 16, "reverseBgpSourceAsNumber", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 17, "reverseBgpDestinationAsNumber", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 18, "reverseBgpNextHopIPv4Address", T::Ipv4Address, S::Default, U::None)),
    Some(element(29305, 19, "reversePostMCastPacketDeltaCount", T::Unsigned64, S::DeltaCounter, U::Packets)),
    Some(element(29305, 20, "reversePostMCastOctetDeltaCount", T::Unsigned64, S::DeltaCounter, U::Octets)),
    Some(element(29305, 21, "reverseFlowEndSysUpTime", T::Unsigned32, S::Default, U::Milliseconds)),
    Some(element(29305, 22, "reverseFlowStartSysUpTime", T::Unsigned32, S::Default, U::Milliseconds)),
    Some(element(29305, 23, "reversePostOctetDeltaCount", T::Unsigned64, S::DeltaCounter, U::Octets)),
    Some(element(29305, 24, "reversePostPacketDeltaCount", T::Unsigned64, S::DeltaCounter, U::Packets)),
    Some(element(29305, 25, "reverseMinimumIpTotalLength", T::Unsigned64, S::Default, U::Octets)),
    Some(element(29305, 26, "reverseMaximumIpTotalLength", T::Unsigned64, S::Default, U::Octets)),
    Some(element(29305, 27, "reverseSourceIPv6Address", T::Ipv6Address, S::Default, U::None)),
    Some(element(29305, 28, "reverseDestinationIPv6Address", T::Ipv6Address, S::Default, U::None)),
    Some(element(29305, 29, "reverseSourceIPv6PrefixLength", T::Unsigned8, S::Default, U::Bits)),
    Some(element(29305, 30, "reverseDestinationIPv6PrefixLength", T::Unsigned8, S::Default, U::Bits)),
    Some(element(29305, 31, "reverseFlowLabelIPv6", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 32, "reverseIcmpTypeCodeIPv4", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 33, "reverseIgmpType", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 34, "reverseSamplingInterval", T::Unsigned32, S::Quantity, U::Packets)),
    Some(element(29305, 35, "reverseSamplingAlgorithm", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 36, "reverseFlowActiveTimeout", T::Unsigned16, S::Default, U::Seconds)),
    Some(element(29305, 37, "reverseFlowIdleTimeout", T::Unsigned16, S::Default, U::Seconds)),
    Some(element(29305, 38, "reverseEngineType", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 39, "reverseEngineId", T::Unsigned8, S::Identifier, U::None)),
    None,
    None,
    None,
    Some(element(29305, 43, "reverseIpv4RouterSc", T::Ipv4Address, S::Default, U::None)),
    Some(element(29305, 44, "reverseSourceIPv4Prefix", T::Ipv4Address, S::Default, U::None)),
    Some(element(29305, 45, "reverseDestinationIPv4Prefix", T::Ipv4Address, S::Default, U::None)),
    Some(element(29305, 46, "reverseMplsTopLabelType", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 47, "reverseMplsTopLabelIPv4Address", T::Ipv4Address, S::Default, U::None)),
    Some(element(29305, 48, "reverseSamplerId", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 49, "reverseSamplerMode", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 50, "reverseSamplerRandomInterval", T::Unsigned32, S::Quantity, U::None)),
    Some(element(29305, 51, "reverseClassId", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 52, "reverseMinimumTTL", T::Unsigned8, S::Default, U::Hops)),
    Some(element(29305, 53, "reverseMaximumTTL", T::Unsigned8, S::Default, U::Hops)),
    Some(element(29305, 54, "reverseFragmentIdentification", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 55, "reversePostIpClassOfService", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 56, "reverseSourceMacAddress", T::MacAddress, S::Default, U::None)),
    Some(element(29305, 57, "reversePostDestinationMacAddress", T::MacAddress, S::Default, U::None)),
    Some(element(29305, 58, "reverseVlanId", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 59, "reversePostVlanId", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 60, "reverseIpVersion", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 61, "reverseFlowDirection", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 62, "reverseIpNextHopIPv6Address", T::Ipv6Address, S::Default, U::None)),
    Some(element(29305, 63, "reverseBgpNextHopIPv6Address", T::Ipv6Address, S::Default, U::None)),
    Some(element(29305, 64, "reverseIpv6ExtensionHeaders", T::Unsigned32, S::Flags, U::None)),
    None,
    None,
    None,
    None,
    None,
    Some(element(29305, 70, "reverseMplsTopLabelStackSection", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 71, "reverseMplsLabelStackSection2", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 72, "reverseMplsLabelStackSection3", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 73, "reverseMplsLabelStackSection4", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 74, "reverseMplsLabelStackSection5", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 75, "reverseMplsLabelStackSection6", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 76, "reverseMplsLabelStackSection7", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 77, "reverseMplsLabelStackSection8", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 78, "reverseMplsLabelStackSection9", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 79, "reverseMplsLabelStackSection10", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 80, "reverseDestinationMacAddress", T::MacAddress, S::Default, U::None)),
    Some(element(29305, 81, "reversePostSourceMacAddress", T::MacAddress, S::Default, U::None)),
    Some(element(29305, 82, "reverseInterfaceName", T::String, S::Default, U::None)),
    Some(element(29305, 83, "reverseInterfaceDescription", T::String, S::Default, U::None)),
    Some(element(29305, 84, "reverseSamplerName", T::String, S::Default, U::None)),
    Some(element(29305, 85, "reverseOctetTotalCount", T::Unsigned64, S::TotalCounter, U::Octets)),
    Some(element(29305, 86, "reversePacketTotalCount", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(29305, 87, "reverseFlagsAndSamplerId", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 88, "reverseFragmentOffset", T::Unsigned16, S::Quantity, U::None)),
    Some(element(29305, 89, "reverseForwardingStatus", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 90, "reverseMplsVpnRouteDistinguisher", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 91, "reverseMplsTopLabelPrefixLength", T::Unsigned8, S::Quantity, U::Bits)),
    Some(element(29305, 92, "reverseSrcTrafficIndex", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 93, "reverseDstTrafficIndex", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 94, "reverseApplicationDescription", T::String, S::Default, U::None)),
    Some(element(29305, 95, "reverseApplicationId", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 96, "reverseApplicationName", T::String, S::Default, U::None)),
    None,
    Some(element(29305, 98, "reversePostIpDiffServCodePoint", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 99, "reverseMulticastReplicationFactor", T::Unsigned32, S::Quantity, U::None)),
    Some(element(29305, 100, "reverseClassName", T::String, S::Default, U::None)),
    Some(element(29305, 101, "reverseClassificationEngineId", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 102, "reverseLayer2packetSectionOffset", T::Unsigned16, S::Quantity, U::None)),
    Some(element(29305, 103, "reverseLayer2packetSectionSize", T::Unsigned16, S::Quantity, U::None)),
    Some(element(29305, 104, "reverseLayer2packetSectionData", T::OctetArray, S::Default, U::None)),
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    Some(element(29305, 128, "reverseBgpNextAdjacentAsNumber", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 129, "reverseBgpPrevAdjacentAsNumber", T::Unsigned32, S::Identifier, U::None)),
    None,
    None,
    Some(element(29305, 132, "reverseDroppedOctetDeltaCount", T::Unsigned64, S::DeltaCounter, U::Octets)),
    Some(element(29305, 133, "reverseDroppedPacketDeltaCount", T::Unsigned64, S::DeltaCounter, U::Packets)),
    Some(element(29305, 134, "reverseDroppedOctetTotalCount", T::Unsigned64, S::TotalCounter, U::Octets)),
    Some(element(29305, 135, "reverseDroppedPacketTotalCount", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(29305, 136, "reverseFlowEndReason", T::Unsigned8, S::Identifier, U::None)),
    None,
    Some(element(29305, 138, "reverseObservationPointId", T::Unsigned64, S::Identifier, U::None)),
    Some(element(29305, 139, "reverseIcmpTypeCodeIPv6", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 140, "reverseMplsTopLabelIPv6Address", T::Ipv6Address, S::Default, U::None)),
    Some(element(29305, 141, "reverseLineCardId", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 142, "reversePortId", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 143, "reverseMeteringProcessId", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 144, "reverseExportingProcessId", T::Unsigned32, S::Identifier, U::None)),
    None,
    Some(element(29305, 146, "reverseWlanChannelId", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 147, "reverseWlanSSID", T::String, S::Default, U::None)),
    None,
    None,
    Some(element(29305, 150, "reverseFlowStartSeconds", T::DateTimeSeconds, S::Default, U::Seconds)),
    Some(element(29305, 151, "reverseFlowEndSeconds", T::DateTimeSeconds, S::Default, U::Seconds)),
    Some(element(29305, 152, "reverseFlowStartMilliseconds", T::DateTimeMilliseconds, S::Default, U::Milliseconds)),
    Some(element(29305, 153, "reverseFlowEndMilliseconds", T::DateTimeMilliseconds, S::Default, U::Milliseconds)),
    Some(element(29305, 154, "reverseFlowStartMicroseconds", T::DateTimeMicroseconds, S::Default, U::Microseconds)),
    Some(element(29305, 155, "reverseFlowEndMicroseconds", T::DateTimeMicroseconds, S::Default, U::Microseconds)),
    Some(element(29305, 156, "reverseFlowStartNanoseconds", T::DateTimeNanoseconds, S::Default, U::Nanoseconds)),
    Some(element(29305, 157, "reverseFlowEndNanoseconds", T::DateTimeNanoseconds, S::Default, U::Nanoseconds)),
    Some(element(29305, 158, "reverseFlowStartDeltaMicroseconds", T::Unsigned32, S::Default, U::Microseconds)),
    Some(element(29305, 159, "reverseFlowEndDeltaMicroseconds", T::Unsigned32, S::Default, U::Microseconds)),
    Some(element(
        29305,
        160,
        "reverseSystemInitTimeMilliseconds",
        T::DateTimeMilliseconds,
        S::Default,
        U::Milliseconds,
    )),
    Some(element(29305, 161, "reverseFlowDurationMilliseconds", T::Unsigned32, S::Default, U::Milliseconds)),
    Some(element(29305, 162, "reverseFlowDurationMicroseconds", T::Unsigned32, S::Default, U::Microseconds)),
    None,
    None,
    None,
    None,
    None,
    None,
    Some(element(29305, 169, "reverseDestinationIPv6Prefix", T::Ipv6Address, S::Default, U::None)),
    Some(element(29305, 170, "reverseSourceIPv6Prefix", T::Ipv6Address, S::Default, U::None)),
    Some(element(29305, 171, "reversePostOctetTotalCount", T::Unsigned64, S::TotalCounter, U::Octets)),
    Some(element(29305, 172, "reversePostPacketTotalCount", T::Unsigned64, S::TotalCounter, U::Packets)),
    None,
    Some(element(29305, 174, "reversePostMCastPacketTotalCount", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(29305, 175, "reversePostMCastOctetTotalCount", T::Unsigned64, S::TotalCounter, U::Octets)),
    Some(element(29305, 176, "reverseIcmpTypeIPv4", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 177, "reverseIcmpCodeIPv4", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 178, "reverseIcmpTypeIPv6", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 179, "reverseIcmpCodeIPv6", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 180, "reverseUdpSourcePort", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 181, "reverseUdpDestinationPort", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 182, "reverseTcpSourcePort", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 183, "reverseTcpDestinationPort", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 184, "reverseTcpSequenceNumber", T::Unsigned32, S::Default, U::None)),
    Some(element(29305, 185, "reverseTcpAcknowledgementNumber", T::Unsigned32, S::Default, U::None)),
    Some(element(29305, 186, "reverseTcpWindowSize", T::Unsigned16, S::Default, U::None)),
    Some(element(29305, 187, "reverseTcpUrgentPointer", T::Unsigned16, S::Default, U::None)),
    Some(element(29305, 188, "reverseTcpHeaderLength", T::Unsigned8, S::Default, U::Octets)),
    Some(element(29305, 189, "reverseIpHeaderLength", T::Unsigned8, S::Default, U::Octets)),
    Some(element(29305, 190, "reverseTotalLengthIPv4", T::Unsigned16, S::Default, U::Octets)),
    Some(element(29305, 191, "reversePayloadLengthIPv6", T::Unsigned16, S::Default, U::Octets)),
    Some(element(29305, 192, "reverseIpTTL", T::Unsigned8, S::Default, U::Hops)),
    Some(element(29305, 193, "reverseNextHeaderIPv6", T::Unsigned8, S::Default, U::None)),
    Some(element(29305, 194, "reverseMplsPayloadLength", T::Unsigned32, S::Default, U::Octets)),
    Some(element(29305, 195, "reverseIpDiffServCodePoint", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 196, "reverseIpPrecedence", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 197, "reverseFragmentFlags", T::Unsigned8, S::Flags, U::None)),
    Some(element(29305, 198, "reverseOctetDeltaSumOfSquares", T::Unsigned64, S::Default, U::None)),
    Some(element(29305, 199, "reverseOctetTotalSumOfSquares", T::Unsigned64, S::Default, U::Octets)),
    Some(element(29305, 200, "reverseMplsTopLabelTTL", T::Unsigned8, S::Default, U::Hops)),
    Some(element(29305, 201, "reverseMplsLabelStackLength", T::Unsigned32, S::Default, U::Octets)),
    Some(element(29305, 202, "reverseMplsLabelStackDepth", T::Unsigned32, S::Default, U::Entries)),
    Some(element(29305, 203, "reverseMplsTopLabelExp", T::Unsigned8, S::Flags, U::None)),
    Some(element(29305, 204, "reverseIpPayloadLength", T::Unsigned32, S::Default, U::Octets)),
    Some(element(29305, 205, "reverseUdpMessageLength", T::Unsigned16, S::Default, U::Octets)),
    Some(element(29305, 206, "reverseIsMulticast", T::Unsigned8, S::Flags, U::None)),
    Some(element(29305, 207, "reverseIpv4IHL", T::Unsigned8, S::Default, U::FourOctetWords)),
    Some(element(29305, 208, "reverseIpv4Options", T::Unsigned32, S::Flags, U::None)),
    Some(element(29305, 209, "reverseTcpOptions", T::Unsigned64, S::Flags, U::None)),
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    Some(element(29305, 218, "reverseTcpSynTotalCount", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(29305, 219, "reverseTcpFinTotalCount", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(29305, 220, "reverseTcpRstTotalCount", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(29305, 221, "reverseTcpPshTotalCount", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(29305, 222, "reverseTcpAckTotalCount", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(29305, 223, "reverseTcpUrgTotalCount", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(29305, 224, "reverseIpTotalLength", T::Unsigned64, S::Default, U::Octets)),
    Some(element(29305, 225, "reversePostNATSourceIPv4Address", T::Ipv4Address, S::Default, U::None)),
    Some(element(29305, 226, "reversePostNATDestinationIPv4Address", T::Ipv4Address, S::Default, U::None)),
    Some(element(29305, 227, "reversePostNAPTSourceTransportPort", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 228, "reversePostNAPTDestinationTransportPort", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 229, "reverseNatOriginatingAddressRealm", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 230, "reverseNatEvent", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 231, "reverseInitiatorOctets", T::Unsigned64, S::DeltaCounter, U::Octets)),
    Some(element(29305, 232, "reverseResponderOctets", T::Unsigned64, S::DeltaCounter, U::Octets)),
    Some(element(29305, 233, "reverseFirewallEvent", T::Unsigned8, S::Default, U::None)),
    Some(element(29305, 234, "reverseIngressVRFID", T::Unsigned32, S::Default, U::None)),
    Some(element(29305, 235, "reverseEgressVRFID", T::Unsigned32, S::Default, U::None)),
    Some(element(29305, 236, "reverseVRFname", T::String, S::Default, U::None)),
    Some(element(29305, 237, "reversePostMplsTopLabelExp", T::Unsigned8, S::Flags, U::None)),
    Some(element(29305, 238, "reverseTcpWindowScale", T::Unsigned16, S::Default, U::None)),
    None,
    Some(element(29305, 240, "reverseEthernetHeaderLength", T::Unsigned8, S::Quantity, U::Octets)),
    Some(element(29305, 241, "reverseEthernetPayloadLength", T::Unsigned16, S::Quantity, U::Octets)),
    Some(element(29305, 242, "reverseEthernetTotalLength", T::Unsigned16, S::Quantity, U::Octets)),
    Some(element(29305, 243, "reverseDot1qVlanId", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 244, "reverseDot1qPriority", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 245, "reverseDot1qCustomerVlanId", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 246, "reverseDot1qCustomerPriority", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 247, "reverseMetroEvcId", T::String, S::Default, U::None)),
    Some(element(29305, 248, "reverseMetroEvcType", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 249, "reversePseudoWireId", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 250, "reversePseudoWireType", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 251, "reversePseudoWireControlWord", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 252, "reverseIngressPhysicalInterface", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 253, "reverseEgressPhysicalInterface", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 254, "reversePostDot1qVlanId", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 255, "reversePostDot1qCustomerVlanId", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 256, "reverseEthernetType", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 257, "reversePostIpPrecedence", T::Unsigned8, S::Identifier, U::None)),
    Some(element(
        29305,
        258,
        "reverseCollectionTimeMilliseconds",
        T::DateTimeMilliseconds,
        S::Default,
        U::Milliseconds,
    )),
    Some(element(29305, 259, "reverseExportSctpStreamId", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 260, "reverseMaxExportSeconds", T::DateTimeSeconds, S::Default, U::Seconds)),
    Some(element(29305, 261, "reverseMaxFlowEndSeconds", T::DateTimeSeconds, S::Default, U::Seconds)),
    Some(element(29305, 262, "reverseMessageMD5Checksum", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 263, "reverseMessageScope", T::Unsigned8, S::Default, U::None)),
    Some(element(29305, 264, "reverseMinExportSeconds", T::DateTimeSeconds, S::Default, U::Seconds)),
    Some(element(29305, 265, "reverseMinFlowStartSeconds", T::DateTimeSeconds, S::Default, U::Seconds)),
    Some(element(29305, 266, "reverseOpaqueOctets", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 267, "reverseSessionScope", T::Unsigned8, S::Default, U::None)),
    Some(element(29305, 268, "reverseMaxFlowEndMicroseconds", T::DateTimeMicroseconds, S::Default, U::Microseconds)),
    Some(element(29305, 269, "reverseMaxFlowEndMilliseconds", T::DateTimeMilliseconds, S::Default, U::Milliseconds)),
    Some(element(29305, 270, "reverseMaxFlowEndNanoseconds", T::DateTimeNanoseconds, S::Default, U::Nanoseconds)),
    Some(element(29305, 271, "reverseMinFlowStartMicroseconds", T::DateTimeMicroseconds, S::Default, U::Microseconds)),
    Some(element(29305, 272, "reverseMinFlowStartMilliseconds", T::DateTimeMilliseconds, S::Default, U::Milliseconds)),
    Some(element(29305, 273, "reverseMinFlowStartNanoseconds", T::DateTimeNanoseconds, S::Default, U::Nanoseconds)),
    Some(element(29305, 274, "reverseCollectorCertificate", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 275, "reverseExporterCertificate", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 276, "reverseDataRecordsReliability", T::Boolean, S::Default, U::None)),
    Some(element(29305, 277, "reverseObservationPointType", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 278, "reverseNewConnectionDeltaCount", T::Unsigned32, S::DeltaCounter, U::None)),
    Some(element(29305, 279, "reverseConnectionSumDurationSeconds", T::Unsigned64, S::Default, U::Seconds)),
    Some(element(29305, 280, "reverseConnectionTransactionId", T::Unsigned64, S::Identifier, U::None)),
    Some(element(29305, 281, "reversePostNATSourceIPv6Address", T::Ipv6Address, S::Default, U::None)),
    Some(element(29305, 282, "reversePostNATDestinationIPv6Address", T::Ipv6Address, S::Default, U::None)),
    Some(element(29305, 283, "reverseNatPoolId", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 284, "reverseNatPoolName", T::String, S::Default, U::None)),
    Some(element(29305, 285, "reverseAnonymizationFlags", T::Unsigned16, S::Flags, U::None)),
    Some(element(29305, 286, "reverseAnonymizationTechnique", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 287, "reverseInformationElementIndex", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 288, "reverseP2pTechnology", T::String, S::Default, U::None)),
    Some(element(29305, 289, "reverseTunnelTechnology", T::String, S::Default, U::None)),
    Some(element(29305, 290, "reverseEncryptedTechnology", T::String, S::Default, U::None)),
    Some(element(29305, 291, "reverseBasicList", T::BasicList, S::List, U::None)),
    Some(element(29305, 292, "reverseSubTemplateList", T::SubTemplateList, S::List, U::None)),
    Some(element(29305, 293, "reverseSubTemplateMultiList", T::SubTemplateMultiList, S::List, U::None)),
    Some(element(29305, 294, "reverseBgpValidityState", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 295, "reverseIPSecSPI", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 296, "reverseGreKey", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 297, "reverseNatType", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 298, "reverseInitiatorPackets", T::Unsigned64, S::DeltaCounter, U::Packets)),
    Some(element(29305, 299, "reverseResponderPackets", T::Unsigned64, S::DeltaCounter, U::Packets)),
    Some(element(29305, 300, "reverseObservationDomainName", T::String, S::Default, U::None)),
    Some(element(29305, 301, "reverseSelectionSequenceId", T::Unsigned64, S::Identifier, U::None)),
    Some(element(29305, 302, "reverseSelectorId", T::Unsigned64, S::Identifier, U::None)),
    Some(element(29305, 303, "reverseInformationElementId", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 304, "reverseSelectorAlgorithm", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 305, "reverseSamplingPacketInterval", T::Unsigned32, S::Quantity, U::Packets)),
    Some(element(29305, 306, "reverseSamplingPacketSpace", T::Unsigned32, S::Quantity, U::Packets)),
    Some(element(29305, 307, "reverseSamplingTimeInterval", T::Unsigned32, S::Quantity, U::Microseconds)),
    Some(element(29305, 308, "reverseSamplingTimeSpace", T::Unsigned32, S::Quantity, U::Microseconds)),
    Some(element(29305, 309, "reverseSamplingSize", T::Unsigned32, S::Quantity, U::Packets)),
    Some(element(29305, 310, "reverseSamplingPopulation", T::Unsigned32, S::Quantity, U::Packets)),
    Some(element(29305, 311, "reverseSamplingProbability", T::Float64, S::Quantity, U::None)),
    Some(element(29305, 312, "reverseDataLinkFrameSize", T::Unsigned16, S::Quantity, U::None)),
    Some(element(29305, 313, "reverseIpHeaderPacketSection", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 314, "reverseIpPayloadPacketSection", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 315, "reverseDataLinkFrameSection", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 316, "reverseMplsLabelStackSection", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 317, "reverseMplsPayloadPacketSection", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 318, "reverseSelectorIdTotalPktsObserved", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(29305, 319, "reverseSelectorIdTotalPktsSelected", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(29305, 320, "reverseAbsoluteError", T::Float64, S::Quantity, U::Inferred)),
    Some(element(29305, 321, "reverseRelativeError", T::Float64, S::Quantity, U::None)),
    Some(element(29305, 322, "reverseObservationTimeSeconds", T::DateTimeSeconds, S::Default, U::Seconds)),
    Some(element(
        29305,
        323,
        "reverseObservationTimeMilliseconds",
        T::DateTimeMilliseconds,
        S::Default,
        U::Milliseconds,
    )),
    Some(element(
        29305,
        324,
        "reverseObservationTimeMicroseconds",
        T::DateTimeMicroseconds,
        S::Default,
        U::Microseconds,
    )),
    Some(element(29305, 325, "reverseObservationTimeNanoseconds", T::DateTimeNanoseconds, S::Default, U::Nanoseconds)),
    Some(element(29305, 326, "reverseDigestHashValue", T::Unsigned64, S::Quantity, U::None)),
    Some(element(29305, 327, "reverseHashIPPayloadOffset", T::Unsigned64, S::Quantity, U::None)),
    Some(element(29305, 328, "reverseHashIPPayloadSize", T::Unsigned64, S::Quantity, U::None)),
    Some(element(29305, 329, "reverseHashOutputRangeMin", T::Unsigned64, S::Quantity, U::None)),
    Some(element(29305, 330, "reverseHashOutputRangeMax", T::Unsigned64, S::Quantity, U::None)),
    Some(element(29305, 331, "reverseHashSelectedRangeMin", T::Unsigned64, S::Quantity, U::None)),
    Some(element(29305, 332, "reverseHashSelectedRangeMax", T::Unsigned64, S::Quantity, U::None)),
    Some(element(29305, 333, "reverseHashDigestOutput", T::Boolean, S::Default, U::None)),
    Some(element(29305, 334, "reverseHashInitialiserValue", T::Unsigned64, S::Quantity, U::None)),
    Some(element(29305, 335, "reverseSelectorName", T::String, S::Default, U::None)),
    Some(element(29305, 336, "reverseUpperCILimit", T::Float64, S::Quantity, U::None)),
    Some(element(29305, 337, "reverseLowerCILimit", T::Float64, S::Quantity, U::None)),
    Some(element(29305, 338, "reverseConfidenceLevel", T::Float64, S::Quantity, U::None)),
    Some(element(29305, 339, "reverseInformationElementDataType", T::Unsigned8, S::Default, U::None)),
    Some(element(29305, 340, "reverseInformationElementDescription", T::String, S::Default, U::None)),
    Some(element(29305, 341, "reverseInformationElementName", T::String, S::Default, U::None)),
    Some(element(29305, 342, "reverseInformationElementRangeBegin", T::Unsigned64, S::Quantity, U::None)),
    Some(element(29305, 343, "reverseInformationElementRangeEnd", T::Unsigned64, S::Quantity, U::None)),
    Some(element(29305, 344, "reverseInformationElementSemantics", T::Unsigned8, S::Default, U::None)),
    Some(element(29305, 345, "reverseInformationElementUnits", T::Unsigned16, S::Default, U::None)),
    Some(element(29305, 346, "reversePrivateEnterpriseNumber", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 347, "reverseVirtualStationInterfaceId", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 348, "reverseVirtualStationInterfaceName", T::String, S::Default, U::None)),
    Some(element(29305, 349, "reverseVirtualStationUUID", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 350, "reverseVirtualStationName", T::String, S::Default, U::None)),
    Some(element(29305, 351, "reverseLayer2SegmentId", T::Unsigned64, S::Identifier, U::None)),
    Some(element(29305, 352, "reverseLayer2OctetDeltaCount", T::Unsigned64, S::DeltaCounter, U::Octets)),
    Some(element(29305, 353, "reverseLayer2OctetTotalCount", T::Unsigned64, S::TotalCounter, U::Octets)),
    Some(element(29305, 354, "reverseIngressUnicastPacketTotalCount", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(29305, 355, "reverseIngressMulticastPacketTotalCount", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(29305, 356, "reverseIngressBroadcastPacketTotalCount", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(29305, 357, "reverseEgressUnicastPacketTotalCount", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(29305, 358, "reverseEgressBroadcastPacketTotalCount", T::Unsigned64, S::TotalCounter, U::Packets)),
    Some(element(
        29305,
        359,
        "reverseMonitoringIntervalStartMilliSeconds",
        T::DateTimeMilliseconds,
        S::Default,
        U::Milliseconds,
    )),
    Some(element(
        29305,
        360,
        "reverseMonitoringIntervalEndMilliSeconds",
        T::DateTimeMilliseconds,
        S::Default,
        U::Milliseconds,
    )),
    Some(element(29305, 361, "reversePortRangeStart", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 362, "reversePortRangeEnd", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 363, "reversePortRangeStepSize", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 364, "reversePortRangeNumPorts", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 365, "reverseStaMacAddress", T::MacAddress, S::Default, U::None)),
    Some(element(29305, 366, "reverseStaIPv4Address", T::Ipv4Address, S::Default, U::None)),
    Some(element(29305, 367, "reverseWtpMacAddress", T::MacAddress, S::Default, U::None)),
    Some(element(29305, 368, "reverseIngressInterfaceType", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 369, "reverseEgressInterfaceType", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 370, "reverseRtpSequenceNumber", T::Unsigned16, S::Default, U::None)),
    Some(element(29305, 371, "reverseUserName", T::String, S::Default, U::None)),
    Some(element(29305, 372, "reverseApplicationCategoryName", T::String, S::Default, U::None)),
    Some(element(29305, 373, "reverseApplicationSubCategoryName", T::String, S::Default, U::None)),
    Some(element(29305, 374, "reverseApplicationGroupName", T::String, S::Default, U::None)),
    Some(element(29305, 375, "reverseOriginalFlowsPresent", T::Unsigned64, S::DeltaCounter, U::Flows)),
    Some(element(29305, 376, "reverseOriginalFlowsInitiated", T::Unsigned64, S::DeltaCounter, U::Flows)),
    Some(element(29305, 377, "reverseOriginalFlowsCompleted", T::Unsigned64, S::DeltaCounter, U::Flows)),
    Some(element(29305, 378, "reverseDistinctCountOfSourceIPAddress", T::Unsigned64, S::TotalCounter, U::None)),
    Some(element(29305, 379, "reverseDistinctCountOfDestinationIPAddress", T::Unsigned64, S::TotalCounter, U::None)),
    Some(element(29305, 380, "reverseDistinctCountOfSourceIPv4Address", T::Unsigned32, S::TotalCounter, U::None)),
    Some(element(29305, 381, "reverseDistinctCountOfDestinationIPv4Address", T::Unsigned32, S::TotalCounter, U::None)),
    Some(element(29305, 382, "reverseDistinctCountOfSourceIPv6Address", T::Unsigned64, S::TotalCounter, U::None)),
    Some(element(29305, 383, "reverseDistinctCountOfDestinationIPv6Address", T::Unsigned64, S::TotalCounter, U::None)),
    Some(element(29305, 384, "reverseValueDistributionMethod", T::Unsigned8, S::Default, U::None)),
    Some(element(29305, 385, "reverseRfc3550JitterMilliseconds", T::Unsigned32, S::Quantity, U::Milliseconds)),
    Some(element(29305, 386, "reverseRfc3550JitterMicroseconds", T::Unsigned32, S::Quantity, U::Microseconds)),
    Some(element(29305, 387, "reverseRfc3550JitterNanoseconds", T::Unsigned32, S::Quantity, U::Nanoseconds)),
    Some(element(29305, 388, "reverseDot1qDEI", T::Boolean, S::Default, U::None)),
    Some(element(29305, 389, "reverseDot1qCustomerDEI", T::Boolean, S::Default, U::None)),
    Some(element(29305, 390, "reverseFlowSelectorAlgorithm", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 391, "reverseFlowSelectedOctetDeltaCount", T::Unsigned64, S::DeltaCounter, U::Octets)),
    Some(element(29305, 392, "reverseFlowSelectedPacketDeltaCount", T::Unsigned64, S::DeltaCounter, U::Packets)),
    Some(element(29305, 393, "reverseFlowSelectedFlowDeltaCount", T::Unsigned64, S::DeltaCounter, U::Flows)),
    Some(element(29305, 394, "reverseSelectorIDTotalFlowsObserved", T::Unsigned64, S::Default, U::Flows)),
    Some(element(29305, 395, "reverseSelectorIDTotalFlowsSelected", T::Unsigned64, S::Default, U::Flows)),
    Some(element(29305, 396, "reverseSamplingFlowInterval", T::Unsigned64, S::Default, U::Flows)),
    Some(element(29305, 397, "reverseSamplingFlowSpacing", T::Unsigned64, S::Default, U::Flows)),
    Some(element(29305, 398, "reverseFlowSamplingTimeInterval", T::Unsigned64, S::Default, U::Microseconds)),
    Some(element(29305, 399, "reverseFlowSamplingTimeSpacing", T::Unsigned64, S::Default, U::Microseconds)),
    Some(element(29305, 400, "reverseHashFlowDomain", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 401, "reverseTransportOctetDeltaCount", T::Unsigned64, S::DeltaCounter, U::Octets)),
    Some(element(29305, 402, "reverseTransportPacketDeltaCount", T::Unsigned64, S::DeltaCounter, U::Packets)),
    Some(element(29305, 403, "reverseOriginalExporterIPv4Address", T::Ipv4Address, S::Default, U::None)),
    Some(element(29305, 404, "reverseOriginalExporterIPv6Address", T::Ipv6Address, S::Default, U::None)),
    Some(element(29305, 405, "reverseOriginalObservationDomainId", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 406, "reverseIntermediateProcessId", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 407, "reverseIgnoredDataRecordTotalCount", T::Unsigned64, S::TotalCounter, U::None)),
    Some(element(29305, 408, "reverseDataLinkFrameType", T::Unsigned16, S::Flags, U::None)),
    Some(element(29305, 409, "reverseSectionOffset", T::Unsigned16, S::Quantity, U::None)),
    Some(element(29305, 410, "reverseSectionExportedOctets", T::Unsigned16, S::Quantity, U::None)),
    Some(element(29305, 411, "reverseDot1qServiceInstanceTag", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 412, "reverseDot1qServiceInstanceId", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 413, "reverseDot1qServiceInstancePriority", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 414, "reverseDot1qCustomerSourceMacAddress", T::MacAddress, S::Default, U::None)),
    Some(element(29305, 415, "reverseDot1qCustomerDestinationMacAddress", T::MacAddress, S::Default, U::None)),
    None,
    Some(element(29305, 417, "reversePostLayer2OctetDeltaCount", T::Unsigned64, S::DeltaCounter, U::Octets)),
    Some(element(29305, 418, "reversePostMCastLayer2OctetDeltaCount", T::Unsigned64, S::DeltaCounter, U::Octets)),
    None,
    Some(element(29305, 420, "reversePostLayer2OctetTotalCount", T::Unsigned64, S::TotalCounter, U::Octets)),
    Some(element(29305, 421, "reversePostMCastLayer2OctetTotalCount", T::Unsigned64, S::TotalCounter, U::Octets)),
    Some(element(29305, 422, "reverseMinimumLayer2TotalLength", T::Unsigned64, S::Default, U::Octets)),
    Some(element(29305, 423, "reverseMaximumLayer2TotalLength", T::Unsigned64, S::Default, U::Octets)),
    Some(element(29305, 424, "reverseDroppedLayer2OctetDeltaCount", T::Unsigned64, S::DeltaCounter, U::Octets)),
    Some(element(29305, 425, "reverseDroppedLayer2OctetTotalCount", T::Unsigned64, S::TotalCounter, U::Octets)),
    Some(element(29305, 426, "reverseIgnoredLayer2OctetTotalCount", T::Unsigned64, S::TotalCounter, U::Octets)),
    Some(element(29305, 427, "reverseNotSentLayer2OctetTotalCount", T::Unsigned64, S::TotalCounter, U::Octets)),
    Some(element(29305, 428, "reverseLayer2OctetDeltaSumOfSquares", T::Unsigned64, S::DeltaCounter, U::Octets)),
    Some(element(29305, 429, "reverseLayer2OctetTotalSumOfSquares", T::Unsigned64, S::TotalCounter, U::Octets)),
    Some(element(29305, 430, "reverseLayer2FrameDeltaCount", T::Unsigned64, S::DeltaCounter, U::Frames)),
    Some(element(29305, 431, "reverseLayer2FrameTotalCount", T::Unsigned64, S::TotalCounter, U::Frames)),
    Some(element(29305, 432, "reversePseudoWireDestinationIPv4Address", T::Ipv4Address, S::Default, U::None)),
    Some(element(29305, 433, "reverseIgnoredLayer2FrameTotalCount", T::Unsigned64, S::TotalCounter, U::Frames)),
    Some(element(29305, 434, "reverseMibObjectValueInteger", T::Signed32, S::Quantity, U::None)),
    Some(element(29305, 435, "reverseMibObjectValueOctetString", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 436, "reverseMibObjectValueOID", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 437, "reverseMibObjectValueBits", T::OctetArray, S::Flags, U::None)),
    Some(element(29305, 438, "reverseMibObjectValueIPAddress", T::Ipv4Address, S::Default, U::None)),
    Some(element(29305, 439, "reverseMibObjectValueCounter", T::Unsigned64, S::SnmpCounter, U::None)),
    Some(element(29305, 440, "reverseMibObjectValueGauge", T::Unsigned32, S::SnmpGauge, U::None)),
    Some(element(29305, 441, "reverseMibObjectValueTimeTicks", T::Unsigned32, S::Quantity, U::None)),
    Some(element(29305, 442, "reverseMibObjectValueUnsigned", T::Unsigned32, S::Quantity, U::None)),
    Some(element(29305, 443, "reverseMibObjectValueTable", T::SubTemplateList, S::List, U::None)),
    Some(element(29305, 444, "reverseMibObjectValueRow", T::SubTemplateList, S::List, U::None)),
    Some(element(29305, 445, "reverseMibObjectIdentifier", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 446, "reverseMibSubIdentifier", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 447, "reverseMibIndexIndicator", T::Unsigned64, S::Flags, U::None)),
    Some(element(29305, 448, "reverseMibCaptureTimeSemantics", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 449, "reverseMibContextEngineID", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 450, "reverseMibContextName", T::String, S::Default, U::None)),
    Some(element(29305, 451, "reverseMibObjectName", T::String, S::Default, U::None)),
    Some(element(29305, 452, "reverseMibObjectDescription", T::String, S::Default, U::None)),
    Some(element(29305, 453, "reverseMibObjectSyntax", T::String, S::Default, U::None)),
    Some(element(29305, 454, "reverseMibModuleName", T::String, S::Default, U::None)),
    Some(element(29305, 455, "reverseMobileIMSI", T::String, S::Default, U::None)),
    Some(element(29305, 456, "reverseMobileMSISDN", T::String, S::Default, U::None)),
    Some(element(29305, 457, "reverseHttpStatusCode", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 458, "reverseSourceTransportPortsLimit", T::Unsigned16, S::Quantity, U::Ports)),
    Some(element(29305, 459, "reverseHttpRequestMethod", T::String, S::Default, U::None)),
    Some(element(29305, 460, "reverseHttpRequestHost", T::String, S::Default, U::None)),
    Some(element(29305, 461, "reverseHttpRequestTarget", T::String, S::Default, U::None)),
    Some(element(29305, 462, "reverseHttpMessageVersion", T::String, S::Default, U::None)),
    Some(element(29305, 463, "reverseNatInstanceID", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 464, "reverseInternalAddressRealm", T::OctetArray, S::Identifier, U::None)),
    Some(element(29305, 465, "reverseExternalAddressRealm", T::OctetArray, S::Identifier, U::None)),
    Some(element(29305, 466, "reverseNatQuotaExceededEvent", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 467, "reverseNatThresholdEvent", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 468, "reverseHttpUserAgent", T::String, S::Default, U::None)),
    Some(element(29305, 469, "reverseHttpContentType", T::String, S::Default, U::None)),
    Some(element(29305, 470, "reverseHttpReasonPhrase", T::String, S::Default, U::None)),
    Some(element(29305, 471, "reverseMaxSessionEntries", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 472, "reverseMaxBIBEntries", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 473, "reverseMaxEntriesPerUser", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 474, "reverseMaxSubscribers", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 475, "reverseMaxFragmentsPendingReassembly", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 476, "reverseAddressPoolHighThreshold", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 477, "reverseAddressPoolLowThreshold", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 478, "reverseAddressPortMappingHighThreshold", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 479, "reverseAddressPortMappingLowThreshold", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 480, "reverseAddressPortMappingPerUserHighThreshold", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 481, "reverseGlobalAddressMappingHighThreshold", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 482, "reverseVpnIdentifier", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 483, "reverseBgpCommunity", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 484, "reverseBgpSourceCommunityList", T::BasicList, S::List, U::None)),
    Some(element(29305, 485, "reverseBgpDestinationCommunityList", T::BasicList, S::List, U::None)),
    Some(element(29305, 486, "reverseBgpExtendedCommunity", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 487, "reverseBgpSourceExtendedCommunityList", T::BasicList, S::List, U::None)),
    Some(element(29305, 488, "reverseBgpDestinationExtendedCommunityList", T::BasicList, S::List, U::None)),
    Some(element(29305, 489, "reverseBgpLargeCommunity", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 490, "reverseBgpSourceLargeCommunityList", T::BasicList, S::List, U::None)),
    Some(element(29305, 491, "reverseBgpDestinationLargeCommunityList", T::BasicList, S::List, U::None)),
    Some(element(29305, 492, "reverseSrhFlagsIPv6", T::Unsigned8, S::Flags, U::None)),
    Some(element(29305, 493, "reverseSrhTagIPv6", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 494, "reverseSrhSegmentIPv6", T::Ipv6Address, S::Default, U::None)),
    Some(element(29305, 495, "reverseSrhActiveSegmentIPv6", T::Ipv6Address, S::Default, U::None)),
    Some(element(29305, 496, "reverseSrhSegmentIPv6BasicList", T::BasicList, S::List, U::None)),
    Some(element(29305, 497, "reverseSrhSegmentIPv6ListSection", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 498, "reverseSrhSegmentsIPv6Left", T::Unsigned8, S::Quantity, U::None)),
    Some(element(29305, 499, "reverseSrhIPv6Section", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 500, "reverseSrhIPv6ActiveSegmentType", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 501, "reverseSrhSegmentIPv6LocatorLength", T::Unsigned8, S::Default, U::None)),
    Some(element(29305, 502, "reverseSrhSegmentIPv6EndpointBehavior", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 503, "reverseTransportChecksum", T::Unsigned16, S::Default, U::None)),
    Some(element(29305, 504, "reverseIcmpHeaderPacketSection", T::OctetArray, S::Default, U::None)),
    Some(element(29305, 505, "reverseGtpuFlags", T::Unsigned8, S::Flags, U::None)),
    Some(element(29305, 506, "reverseGtpuMsgType", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 507, "reverseGtpuTEid", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 508, "reverseGtpuSequenceNum", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 509, "reverseGtpuQFI", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 510, "reverseGtpuPduType", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 511, "reverseBgpSourceAsPathList", T::BasicList, S::List, U::None)),
    Some(element(29305, 512, "reverseBgpDestinationAsPathList", T::BasicList, S::List, U::None)),
    Some(element(29305, 513, "reverseIpv6ExtensionHeaderType", T::Unsigned8, S::Identifier, U::None)),
    Some(element(29305, 514, "reverseIpv6ExtensionHeaderCount", T::Unsigned8, S::TotalCounter, U::None)),
    Some(element(29305, 515, "reverseIpv6ExtensionHeadersFull", T::Unsigned256, S::Flags, U::None)),
    Some(element(29305, 516, "reverseIpv6ExtensionHeaderTypeCountList", T::SubTemplateList, S::List, U::None)),
    Some(element(29305, 517, "reverseIpv6ExtensionHeadersLimit", T::Boolean, S::Default, U::None)),
    Some(element(29305, 518, "reverseIpv6ExtensionHeadersChainLength", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 519, "reverseIpv6ExtensionHeaderChainLengthList", T::SubTemplateList, S::List, U::None)),
    Some(element(29305, 520, "reverseTcpOptionsFull", T::Unsigned256, S::Flags, U::None)),
    Some(element(29305, 521, "reverseTcpSharedOptionExID16", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 522, "reverseTcpSharedOptionExID32", T::Unsigned32, S::Identifier, U::None)),
    Some(element(29305, 523, "reverseTcpSharedOptionExID16List", T::BasicList, S::List, U::None)),
    Some(element(29305, 524, "reverseTcpSharedOptionExID32List", T::BasicList, S::List, U::None)),
    Some(element(29305, 525, "reverseUdpSafeOptions", T::Unsigned256, S::Flags, U::None)),
    Some(element(29305, 526, "reverseUdpUnsafeOptions", T::Unsigned64, S::Flags, U::None)),
    Some(element(29305, 527, "reverseUdpExID", T::Unsigned16, S::Identifier, U::None)),
    Some(element(29305, 528, "reverseUdpSafeExIDList", T::BasicList, S::List, U::None)),
    Some(element(29305, 529, "reverseUdpUnsafeExIDList", T::BasicList, S::List, U::None)),
    Some(element(29305, 530, "reversePathDelayMeanDeltaMicroseconds", T::Unsigned32, S::DeltaCounter, U::None)),
    Some(element(29305, 531, "reversePathDelayMinDeltaMicroseconds", T::Unsigned32, S::DeltaCounter, U::None)),
    Some(element(29305, 532, "reversePathDelayMaxDeltaMicroseconds", T::Unsigned32, S::DeltaCounter, U::None)),
    Some(element(29305, 533, "reversePathDelaySumDeltaMicroseconds", T::Unsigned64, S::DeltaCounter, U::None)),
];

/// Cisco Systems (AVC, performance monitor)
pub(super) static CISCO: [InformationElement; 71] = [
    element(9, 4251, "transportPacketsLostCounter", T::Unsigned32, S::Default, U::Packets),
    element(9, 4254, "transportRtpSsrc", T::Unsigned32, S::Identifier, U::None),
    element(9, 4257, "transportRtpJitterMaximum", T::Unsigned32, S::Default, U::None),
    element(9, 4273, "transportRtpPayloadType", T::Unsigned8, S::Identifier, U::None),
    element(9, 4315, "tcpWindowSizeMin", T::Unsigned32, S::Identifier, U::Octets),
    element(9, 4316, "tcpWindowSizeMax", T::Unsigned32, S::Identifier, U::Octets),
    element(9, 4318, "tcpMaximumSegmentSize", T::Unsigned16, S::Identifier, U::Octets),
    element(9, 4324, "tcpWindowSizeSum", T::Unsigned64, S::Identifier, U::Octets),
    element(9, 4325, "transportRtpJitterMeanSum", T::Unsigned64, S::Default, U::None),
    element(9, 8232, "classHierarchy", T::OctetArray, S::Identifier, U::None),
    element(9, 8233, "c3plClassCceId", T::Unsigned32, S::Identifier, U::None),
    element(9, 8234, "c3plClassName", T::String, S::Default, U::None),
    element(9, 8235, "c3plClassType", T::OctetArray, S::Default, U::None),
    element(9, 8236, "c3plPolicyCceId", T::Unsigned32, S::Identifier, U::None),
    element(9, 8237, "c3plPolicyName", T::String, S::Default, U::None),
    element(9, 8238, "c3plPolicyType", T::OctetArray, S::Default, U::None),
    element(9, 8337, "serverBytesNetwork", T::Unsigned64, S::Default, U::Octets),
    element(9, 8338, "clientBytesNetwork", T::Unsigned64, S::Default, U::Octets),
    element(9, 9252, "servicesWaasSegment", T::Unsigned8, S::Identifier, U::None),
    element(9, 9253, "servicesWaasPassThroughReason", T::Unsigned8, S::Identifier, U::None),
    element(9, 9267, "clientRetransBytes", T::Unsigned32, S::DeltaCounter, U::Octets),
    element(9, 9268, "clientRetransPackets", T::Unsigned32, S::DeltaCounter, U::Packets),
    element(9, 9269, "serverRetransBytes", T::Unsigned32, S::DeltaCounter, U::Octets),
    element(9, 9270, "serverRetransPackets", T::Unsigned32, S::DeltaCounter, U::Packets),
    element(9, 9272, "transactionCountDelta", T::Unsigned32, S::DeltaCounter, U::None),
    element(9, 9273, "sumTransactionTime", T::Unsigned32, S::Default, U::Milliseconds),
    element(9, 9274, "maxTransactionTime", T::Unsigned32, S::Default, U::Milliseconds),
    element(9, 9275, "minTransactionTime", T::Unsigned32, S::Default, U::Milliseconds),
    element(9, 9292, "numRespsCountDelta", T::Unsigned32, S::DeltaCounter, U::None),
    element(9, 9293, "numResps1CountDelta", T::Unsigned32, S::DeltaCounter, U::None),
    element(9, 9294, "numResps2CountDelta", T::Unsigned32, S::DeltaCounter, U::None),
    element(9, 9295, "numResps3CountDelta", T::Unsigned32, S::DeltaCounter, U::None),
    element(9, 9296, "numResps4CountDelta", T::Unsigned32, S::DeltaCounter, U::None),
    element(9, 9297, "numResps5CountDelta", T::Unsigned32, S::DeltaCounter, U::None),
    element(9, 9298, "numResps6CountDelta", T::Unsigned32, S::DeltaCounter, U::None),
    element(9, 9299, "numResps7CountDelta", T::Unsigned32, S::DeltaCounter, U::None),
    element(9, 9300, "numLateRespsCountDelta", T::Unsigned32, S::DeltaCounter, U::None),
    element(9, 9303, "sumRespTime", T::Unsigned32, S::Default, U::Milliseconds),
    element(9, 9304, "maxRespTime", T::Unsigned32, S::Default, U::Milliseconds),
    element(9, 9305, "minRespTime", T::Unsigned32, S::Default, U::Milliseconds),
    element(9, 9306, "sumServerRespTime", T::Unsigned32, S::Default, U::Milliseconds),
    element(9, 9307, "maxServerRespTime", T::Unsigned32, S::Default, U::Milliseconds),
    element(9, 9308, "minServerRespTime", T::Unsigned32, S::Default, U::Milliseconds),
    element(9, 9309, "sumTotalRespTime", T::Unsigned32, S::Default, U::Milliseconds),
    element(9, 9310, "maxTotalRespTime", T::Unsigned32, S::Default, U::Milliseconds),
    element(9, 9311, "minTotalRespTime", T::Unsigned32, S::Default, U::Milliseconds),
    element(9, 9313, "sumNwkTime", T::Unsigned32, S::Default, U::Milliseconds),
    element(9, 9314, "maxNwkTime", T::Unsigned32, S::Default, U::Milliseconds),
    element(9, 9315, "minNwkTime", T::Unsigned32, S::Default, U::Milliseconds),
    element(9, 9316, "sumClientNwkTime", T::Unsigned32, S::Default, U::Milliseconds),
    element(9, 9317, "maxClientNwkTime", T::Unsigned32, S::Default, U::Milliseconds),
    element(9, 9318, "minClientNwkTime", T::Unsigned32, S::Default, U::Milliseconds),
    element(9, 9319, "sumServerNwkTime", T::Unsigned32, S::Default, U::Milliseconds),
    element(9, 9320, "maxServerNwkTime", T::Unsigned32, S::Default, U::Milliseconds),
    element(9, 9321, "minServerNwkTime", T::Unsigned32, S::Default, U::Milliseconds),
    element(9, 9357, "appHTTPUriStatistics", T::String, S::Default, U::None),
    element(9, 9360, "policyQosQueueID", T::Unsigned32, S::Identifier, U::None),
    element(9, 9361, "policyQosQueueDrop", T::Unsigned64, S::DeltaCounter, U::None),
    element(9, 12232, "appCategoryName", T::String, S::Default, U::None),
    element(9, 12233, "appSubCategoryName", T::String, S::Default, U::None),
    element(9, 12234, "appGroupName", T::String, S::Default, U::None),
    element(9, 12235, "appHTTPHost", T::String, S::Default, U::None),
    element(9, 12236, "clientIPv4Address", T::Ipv4Address, S::Identifier, U::None),
    element(9, 12237, "serverIPv4Address", T::Ipv4Address, S::Identifier, U::None),
    element(9, 12238, "clientIPv6Address", T::Ipv6Address, S::Identifier, U::None),
    element(9, 12239, "serverIPv6Address", T::Ipv6Address, S::Identifier, U::None),
    element(9, 12240, "clientTransportPort", T::Unsigned16, S::Identifier, U::None),
    element(9, 12241, "serverTransportPort", T::Unsigned16, S::Identifier, U::None),
    element(9, 12242, "connectionId", T::Unsigned32, S::Identifier, U::None),
    element(9, 12243, "applicationTrafficClass", T::OctetArray, S::Default, U::None),
    element(9, 12244, "appBusiness", T::String, S::Default, U::None),
];

/// Nokia (formerly Alcatel-Lucent)
pub(super) static NOKIA: [InformationElement; 3] = [
    element(637, 91, "aluInsideServiceId", T::Unsigned16, S::Identifier, U::None),
    element(637, 92, "aluOutsideServiceId", T::Unsigned16, S::Identifier, U::None),
    element(637, 93, "aluNatSubString", T::String, S::Identifier, U::None),
];

/// Huawei
pub(super) static HUAWEI: [InformationElement; 2] = [
    element(2011, 1, "ingressGponGemPortId", T::Unsigned16, S::Identifier, U::None),
    element(2011, 2, "egressGponGemPortId", T::Unsigned16, S::Identifier, U::None),
];

/// Juniper Networks
pub(super) static JUNIPER: [InformationElement; 1] =
    [element(2636, 137, "commonPropertiesId", T::Unsigned32, S::Identifier, U::None)];

/// Ixia (Keysight)
pub(super) static IXIA: [InformationElement; 133] = [
    element(3054, 110, "l7ApplicationId", T::Unsigned32, S::Identifier, U::None),
    element(3054, 111, "l7ApplicationName", T::String, S::Default, U::None),
    element(3054, 120, "sourceIPCountryCode", T::String, S::Default, U::None),
    element(3054, 121, "sourceIPCountryName", T::String, S::Default, U::None),
    element(3054, 122, "sourceIPRegionCode", T::String, S::Default, U::None),
    element(3054, 123, "sourceIPRegionName", T::String, S::Default, U::None),
    element(3054, 125, "sourceIPCityName", T::String, S::Default, U::None),
    element(3054, 126, "sourceIPLatitude", T::Float64, S::Default, U::None),
    element(3054, 127, "sourceIPLongitude", T::Float64, S::Default, U::None),
    element(3054, 140, "destinationIPCountryCode", T::String, S::Default, U::None),
    element(3054, 141, "destinationIPCountryName", T::String, S::Default, U::None),
    element(3054, 142, "destinationIPRegionCode", T::String, S::Default, U::None),
    element(3054, 143, "destinationIPRegionName", T::String, S::Default, U::None),
    element(3054, 145, "destinationIPCityName", T::String, S::Default, U::None),
    element(3054, 146, "destinationIPLatitude", T::Float64, S::Default, U::None),
    element(3054, 147, "destinationIPLongitude", T::Float64, S::Default, U::None),
    element(3054, 160, "osDeviceId", T::Unsigned8, S::Identifier, U::None),
    element(3054, 161, "osDeviceName", T::String, S::Default, U::None),
    element(3054, 162, "browserId", T::Unsigned8, S::Identifier, U::None),
    element(3054, 163, "browserName", T::String, S::Default, U::None),
    element(3054, 176, "reverseOctetDeltaCount", T::Unsigned64, S::DeltaCounter, U::Octets),
    element(3054, 177, "reversePacketDeltaCount", T::Unsigned64, S::DeltaCounter, U::Packets),
    element(3054, 178, "connectionEncryptionType", T::String, S::Default, U::None),
    element(3054, 179, "encryptionCipherSuite", T::String, S::Default, U::None),
    element(3054, 180, "encryptionKeyLength", T::Unsigned16, S::Default, U::None),
    element(3054, 181, "imsiSubscriber", T::String, S::Default, U::None),
    element(3054, 182, "httpRequestUserAgent", T::String, S::Default, U::None),
    element(3054, 183, "hostName", T::String, S::Default, U::None),
    element(3054, 184, "httpUri", T::String, S::Default, U::None),
    element(3054, 185, "dnsRecordTxt", T::String, S::Default, U::None),
    element(3054, 186, "sourceASName", T::String, S::Default, U::None),
    element(3054, 187, "destinationASName", T::String, S::Default, U::None),
    element(3054, 188, "transactionLatencyMicroseconds", T::Unsigned32, S::Default, U::Microseconds),
    element(3054, 189, "dnsQueryNames", T::String, S::Default, U::None),
    element(3054, 190, "dnsAnswerNames", T::String, S::Default, U::None),
    element(3054, 191, "dnsClasses", T::String, S::Default, U::None),
    element(3054, 192, "threatType", T::String, S::Default, U::None),
    element(3054, 193, "threatIPv4", T::Ipv4Address, S::Default, U::None),
    element(3054, 194, "threatIPv6", T::Ipv6Address, S::Default, U::None),
    element(3054, 195, "httpSessions", T::OctetArray, S::Default, U::None),
    element(3054, 196, "requestTimeSeconds", T::DateTimeSeconds, S::Default, U::None),
    element(3054, 197, "dnsRecords", T::OctetArray, S::Default, U::None),
    element(3054, 198, "dnsName", T::String, S::Default, U::None),
    element(3054, 199, "dnsRdataIPv4", T::Ipv4Address, S::Default, U::None),
    element(3054, 200, "dnsRdataIPv6", T::Ipv6Address, S::Default, U::None),
    element(3054, 201, "tlsSni", T::String, S::Default, U::None),
    element(3054, 202, "dhcpClientId", T::OctetArray, S::Default, U::None),
    element(3054, 203, "dhcpClientMac", T::MacAddress, S::Default, U::None),
    element(3054, 204, "dhcpEvents", T::OctetArray, S::Default, U::None),
    element(3054, 205, "dhcpEventTimestamp", T::DateTimeSeconds, S::Default, U::None),
    element(3054, 206, "dhcpEventType", T::Unsigned8, S::Identifier, U::None),
    element(3054, 207, "dhcpLeaseDuration", T::Unsigned32, S::Default, U::None),
    element(3054, 208, "dhcpServername", T::String, S::Default, U::None),
    element(3054, 209, "radiusMessages", T::OctetArray, S::Default, U::None),
    element(3054, 210, "radiusMessageRxTimestamp", T::DateTimeSeconds, S::Default, U::None),
    element(3054, 211, "radiusEventTimestamp", T::DateTimeSeconds, S::Default, U::None),
    element(3054, 212, "radiusUsername", T::String, S::Default, U::None),
    element(3054, 213, "radiusNasIPv4", T::Ipv4Address, S::Default, U::None),
    element(3054, 214, "radiusServiceType", T::Unsigned32, S::Identifier, U::None),
    element(3054, 215, "radiusFramedProtocol", T::Unsigned32, S::Default, U::None),
    element(3054, 216, "radiusFilterId", T::String, S::Default, U::None),
    element(3054, 217, "radiusReplyMessage", T::String, S::Default, U::None),
    element(3054, 218, "radiusCalledStationId", T::String, S::Default, U::None),
    element(3054, 219, "httpConnection", T::String, S::Default, U::None),
    element(3054, 220, "httpAccept", T::String, S::Default, U::None),
    element(3054, 221, "httpAcceptLanguage", T::String, S::Default, U::None),
    element(3054, 222, "httpAcceptEncoding", T::String, S::Default, U::None),
    element(3054, 223, "httpReason", T::String, S::Default, U::None),
    element(3054, 224, "httpServer", T::String, S::Default, U::None),
    element(3054, 225, "radiusCallingStationId", T::String, S::Default, U::None),
    element(3054, 226, "httpContentLength", T::Unsigned32, S::Default, U::None),
    element(3054, 227, "httpReferer", T::String, S::Default, U::None),
    element(3054, 228, "httpUACpu", T::String, S::Default, U::None),
    element(3054, 229, "emailMessages", T::OctetArray, S::Default, U::None),
    element(3054, 230, "emailMsgId", T::String, S::Default, U::None),
    element(3054, 231, "emailMsgDate", T::String, S::Default, U::None),
    element(3054, 232, "emailMsgSubject", T::String, S::Default, U::None),
    element(3054, 233, "emailMsgTo", T::String, S::Default, U::None),
    element(3054, 234, "emailMsgFrom", T::String, S::Default, U::None),
    element(3054, 235, "emailMsgCC", T::String, S::Default, U::None),
    element(3054, 236, "emailMsgBcc", T::String, S::Default, U::None),
    element(3054, 237, "emailMsgAttachments", T::String, S::Default, U::None),
    element(3054, 238, "tlsServerCert", T::OctetArray, S::Default, U::None),
    element(3054, 239, "tlsServerCertIssuer", T::OctetArray, S::Default, U::None),
    element(3054, 240, "tlsServerCertIssuerAttr", T::String, S::Default, U::None),
    element(3054, 241, "tlsServerCertIssuerValue", T::String, S::Default, U::None),
    element(3054, 242, "tlsServerCertSubject", T::OctetArray, S::Default, U::None),
    element(3054, 243, "tlsServerCertSubjectAttr", T::String, S::Default, U::None),
    element(3054, 244, "tlsServerCertSubjectValue", T::String, S::Default, U::None),
    element(3054, 245, "tlsServerCertValidNotBefore", T::String, S::Default, U::None),
    element(3054, 246, "tlsServerCertValidNotAfter", T::String, S::Default, U::None),
    element(3054, 247, "tlsServerCertSerialNumber", T::String, S::Default, U::None),
    element(3054, 248, "tlsServerCertSignAlgorithm", T::String, S::Default, U::None),
    element(3054, 249, "tlsServerCertSubjectPkiAlgorithm", T::String, S::Default, U::None),
    element(3054, 250, "tlsServerCertAltNames", T::OctetArray, S::Default, U::None),
    element(3054, 251, "tlsServerCertAltNamesAttr", T::String, S::Default, U::None),
    element(3054, 252, "tlsServerCertAltNamesValue", T::String, S::Default, U::None),
    element(3054, 253, "dnsMessages", T::OctetArray, S::Default, U::None),
    element(3054, 254, "dnsTransactionId", T::Unsigned16, S::Identifier, U::None),
    element(3054, 255, "dnsMsgOpcode", T::Unsigned8, S::Default, U::None),
    element(3054, 256, "dnsRecRequestType", T::Unsigned16, S::Identifier, U::None),
    element(3054, 257, "dnsMsgRcode", T::Unsigned8, S::Default, U::None),
    element(3054, 258, "dnsRecordTtl", T::Unsigned32, S::Default, U::None),
    element(3054, 259, "dnsRawRdata", T::String, S::Default, U::None),
    element(3054, 260, "dnsResponseType", T::Unsigned16, S::Identifier, U::None),
    element(3054, 261, "radiusFramedIP", T::String, S::Default, U::None),
    element(3054, 262, "dnsMsgQDCount", T::Unsigned16, S::Default, U::None),
    element(3054, 263, "dnsMsgANCount", T::Unsigned16, S::Default, U::None),
    element(3054, 264, "dnsMsgNSCount", T::Unsigned16, S::Default, U::None),
    element(3054, 265, "dnsMsgARCount", T::Unsigned16, S::Default, U::None),
    element(3054, 266, "dnsMsgAuthoritativeAnswer", T::Unsigned8, S::Default, U::None),
    element(3054, 267, "dnsMsgTruncation", T::Unsigned8, S::Default, U::None),
    element(3054, 268, "dnsMsgRecursionDesired", T::Unsigned8, S::Default, U::None),
    element(3054, 269, "dnsMsgRecursionAvailable", T::Unsigned8, S::Default, U::None),
    element(3054, 270, "dnsRdataLength", T::Unsigned16, S::Default, U::None),
    element(3054, 271, "dnsQuestions", T::OctetArray, S::Default, U::None),
    element(3054, 272, "dnsQueryType", T::Unsigned16, S::Identifier, U::None),
    element(3054, 273, "dnsQueryName", T::String, S::Default, U::None),
    element(3054, 274, "dnsSectionType", T::Unsigned8, S::Identifier, U::None),
    element(3054, 275, "dnsMsgQRFlag", T::Unsigned8, S::Default, U::None),
    element(3054, 276, "dnsCname", T::String, S::Default, U::None),
    element(3054, 277, "dnsMailExchangeDomain", T::String, S::Default, U::None),
    element(3054, 278, "dhcpAgentCircuitId", T::String, S::Default, U::None),
    element(3054, 279, "ja3FingerprintString", T::String, S::Default, U::None),
    element(3054, 280, "tcpConnectionSetupTimeMicroseconds", T::Unsigned32, S::Default, U::Microseconds),
    element(3054, 281, "tcpApplicationResponseTimeMicroseconds", T::Unsigned32, S::Default, U::Microseconds),
    element(3054, 282, "tcpCountRetransmittedPackets", T::Unsigned32, S::Default, U::None),
    element(3054, 283, "connectionAverageRoundTripTimeMicroseconds", T::Unsigned32, S::Default, U::Microseconds),
    element(3054, 284, "udpAverageResponseTimeMicroseconds", T::Unsigned32, S::Default, U::Microseconds),
    element(3054, 285, "timeCompleteQuicHandshakeMicroseconds", T::Unsigned32, S::Default, U::Microseconds),
    element(3054, 286, "quicNetworkRttMicroseconds", T::Unsigned32, S::Default, U::Microseconds),
    element(3054, 287, "quicRttApplicationPacketsMicroseconds", T::Unsigned32, S::Default, U::Microseconds),
    element(3054, 288, "matchedFilterName", T::String, S::Default, U::None),
];

/// Citrix NetScaler (AppFlow)
pub(super) static NETSCALER: [InformationElement; 121] = [
    element(5951, 128, "roundTripTime", T::Unsigned32, S::Quantity, U::Milliseconds),
    element(5951, 129, "transactionId", T::Unsigned32, S::Identifier, U::None),
    element(5951, 130, "httpReqUrl", T::String, S::Default, U::None),
    element(5951, 131, "httpReqCookie", T::String, S::Default, U::None),
    element(5951, 132, "flowFlags", T::Unsigned64, S::Flags, U::None),
    element(5951, 133, "connectionId", T::Unsigned32, S::Identifier, U::None),
    element(5951, 134, "syslogPriority", T::Unsigned8, S::Identifier, U::None),
    element(5951, 135, "syslogMessage", T::String, S::Default, U::None),
    element(5951, 136, "syslogTimestamp", T::DateTimeMilliseconds, S::Default, U::None),
    element(5951, 140, "httpReqReferer", T::String, S::Default, U::None),
    element(5951, 141, "httpReqMethod", T::String, S::Default, U::None),
    element(5951, 142, "httpReqHost", T::String, S::Default, U::None),
    element(5951, 143, "httpReqUserAgent", T::String, S::Default, U::None),
    element(5951, 144, "httpRspStatus", T::Unsigned16, S::Identifier, U::None),
    element(5951, 145, "httpRspLen", T::Unsigned64, S::Quantity, U::None),
    element(5951, 146, "serverTTFB", T::Unsigned64, S::Quantity, U::Microseconds),
    element(5951, 147, "serverTTLB", T::Unsigned64, S::Quantity, U::Microseconds),
    element(5951, 150, "appNameIncarnationNumber", T::Unsigned32, S::Identifier, U::None),
    element(5951, 151, "appNameAppId", T::Unsigned32, S::Identifier, U::None),
    element(5951, 152, "appName", T::String, S::Default, U::None),
    element(5951, 153, "httpReqRcvFB", T::DateTimeMicroseconds, S::Default, U::None),
    element(5951, 156, "httpReqForwFB", T::DateTimeMicroseconds, S::Default, U::None),
    element(5951, 157, "httpResRcvFB", T::DateTimeMicroseconds, S::Default, U::None),
    element(5951, 158, "httpResForwFB", T::DateTimeMicroseconds, S::Default, U::None),
    element(5951, 159, "httpReqRcvLB", T::DateTimeMicroseconds, S::Default, U::None),
    element(5951, 160, "httpReqForwLB", T::DateTimeMicroseconds, S::Default, U::None),
    element(5951, 161, "mainPageId", T::Unsigned32, S::Identifier, U::None),
    element(5951, 162, "mainPageCoreId", T::Unsigned32, S::Identifier, U::None),
    element(5951, 163, "httpClientInteractionStartTime", T::String, S::Default, U::None),
    element(5951, 164, "httpClientRenderEndTime", T::String, S::Default, U::None),
    element(5951, 165, "httpClientRenderStartTime", T::String, S::Default, U::None),
    element(5951, 167, "appTemplateName", T::String, S::Default, U::None),
    element(5951, 168, "httpClientInteractionEndTime", T::String, S::Default, U::None),
    element(5951, 169, "httpResRcvLB", T::DateTimeMicroseconds, S::Default, U::None),
    element(5951, 170, "httpResForwLB", T::DateTimeMicroseconds, S::Default, U::None),
    element(5951, 171, "appUnitNameAppId", T::Unsigned32, S::Identifier, U::None),
    element(5951, 172, "dbLoginFlags", T::Unsigned32, S::Flags, U::None),
    element(5951, 173, "dbReqType", T::Unsigned8, S::Identifier, U::None),
    element(5951, 174, "dbProtocolName", T::Unsigned8, S::Identifier, U::None),
    element(5951, 175, "dbUserName", T::String, S::Default, U::None),
    element(5951, 176, "dbDatabaseName", T::String, S::Default, U::None),
    element(5951, 177, "dbCltHostName", T::String, S::Default, U::None),
    element(5951, 178, "dbReqString", T::String, S::Default, U::None),
    element(5951, 179, "dbRespStatusString", T::String, S::Default, U::None),
    element(5951, 180, "dbRespStatus", T::Unsigned64, S::Identifier, U::None),
    element(5951, 181, "dbRespLength", T::Unsigned64, S::Quantity, U::None),
    element(5951, 182, "clientRTT", T::Unsigned32, S::Quantity, U::None),
    element(5951, 183, "httpContentType", T::String, S::Default, U::None),
    element(5951, 185, "httpReqAuthorization", T::String, S::Default, U::None),
    element(5951, 186, "httpReqVia", T::String, S::Default, U::None),
    element(5951, 187, "httpResLocation", T::String, S::Default, U::None),
    element(5951, 188, "httpResSetCookie", T::String, S::Default, U::None),
    element(5951, 189, "httpResSetCookie2", T::String, S::Default, U::None),
    element(5951, 190, "httpReqXForwardedFor", T::String, S::Default, U::None),
    element(5951, 192, "connectionChainID", T::OctetArray, S::Identifier, U::None),
    element(5951, 193, "connectionChainHopCount", T::Unsigned8, S::Quantity, U::None),
    element(5951, 200, "icaSessionGuid", T::OctetArray, S::Identifier, U::None),
    element(5951, 201, "icaClientVersion", T::String, S::Default, U::None),
    element(5951, 202, "icaClientType", T::Unsigned16, S::Identifier, U::None),
    element(5951, 203, "icaClientIP", T::Ipv4Address, S::Default, U::None),
    element(5951, 204, "icaClientHostName", T::String, S::Default, U::None),
    element(5951, 205, "aaaUsername", T::String, S::Default, U::None),
    element(5951, 207, "icaDomainName", T::String, S::Default, U::None),
    element(5951, 208, "icaClientLauncher", T::Unsigned16, S::Identifier, U::None),
    element(5951, 209, "icaSessionSetupTime", T::DateTimeSeconds, S::Default, U::None),
    element(5951, 210, "icaServerName", T::String, S::Default, U::None),
    element(5951, 214, "icaSessionReconnects", T::Unsigned8, S::DeltaCounter, U::None),
    element(5951, 215, "icaRTT", T::Unsigned32, S::Quantity, U::None),
    element(5951, 216, "icaClientsideRXBytes", T::Unsigned32, S::DeltaCounter, U::None),
    element(5951, 217, "icaClientsideTXBytes", T::Unsigned32, S::DeltaCounter, U::None),
    element(5951, 219, "icaClientsidePacketsRetransmit", T::Unsigned16, S::DeltaCounter, U::None),
    element(5951, 220, "icaServersidePacketsRetransmit", T::Unsigned16, S::DeltaCounter, U::None),
    element(5951, 221, "icaClientsideRTT", T::Unsigned32, S::Quantity, U::None),
    element(5951, 222, "icaServersideRTT", T::Unsigned32, S::Quantity, U::None),
    element(5951, 223, "icaSessionUpdateBeginSec", T::DateTimeSeconds, S::Default, U::None),
    element(5951, 224, "icaSessionUpdateEndSec", T::DateTimeSeconds, S::Default, U::None),
    element(5951, 225, "icaChannelId1", T::Unsigned32, S::Identifier, U::None),
    element(5951, 226, "icaChannelId1Bytes", T::Unsigned32, S::Identifier, U::None),
    element(5951, 227, "icaChannelId2", T::Unsigned32, S::Identifier, U::None),
    element(5951, 228, "icaChannelId2Bytes", T::Unsigned32, S::Identifier, U::None),
    element(5951, 229, "icaChannelId3", T::Unsigned32, S::Identifier, U::None),
    element(5951, 230, "icaChannelId3Bytes", T::Unsigned32, S::Identifier, U::None),
    element(5951, 231, "icaChannelId4", T::Unsigned32, S::Identifier, U::None),
    element(5951, 232, "icaChannelId4Bytes", T::Unsigned32, S::Identifier, U::None),
    element(5951, 233, "icaChannelId5", T::Unsigned32, S::Identifier, U::None),
    element(5951, 234, "icaChannelId5Bytes", T::Unsigned32, S::Identifier, U::None),
    element(5951, 235, "icaConnectionPriority", T::Unsigned16, S::Identifier, U::None),
    element(5951, 236, "applicationStartupDuration", T::Unsigned32, S::Quantity, U::None),
    element(5951, 237, "icaLaunchMechanism", T::Unsigned16, S::Identifier, U::None),
    element(5951, 238, "icaApplicationName", T::String, S::Default, U::None),
    element(5951, 239, "applicationStartupTime", T::DateTimeSeconds, S::Default, U::None),
    element(5951, 240, "icaApplicationTerminationType", T::Unsigned16, S::Identifier, U::None),
    element(5951, 241, "icaApplicationTerminationTime", T::DateTimeSeconds, S::Default, U::None),
    element(5951, 242, "icaSessionEndTime", T::DateTimeSeconds, S::Default, U::None),
    element(5951, 243, "icaClientsideJitter", T::Unsigned32, S::Quantity, U::None),
    element(5951, 244, "icaServersideJitter", T::Unsigned32, S::Quantity, U::None),
    element(5951, 245, "icaAppProcessID", T::Unsigned32, S::Identifier, U::None),
    element(5951, 246, "icaAppModulePath", T::String, S::Default, U::None),
    element(5951, 247, "icaDeviceSerialNo", T::Unsigned32, S::Identifier, U::None),
    element(5951, 248, "msiClientCookie", T::OctetArray, S::Identifier, U::None),
    element(5951, 249, "icaFlags", T::Unsigned64, S::Flags, U::None),
    element(5951, 250, "icaUsername", T::String, S::Default, U::None),
    element(5951, 251, "licenseType", T::Unsigned8, S::Identifier, U::None),
    element(5951, 252, "maxLicenseCount", T::Unsigned64, S::Quantity, U::None),
    element(5951, 253, "currentLicenseConsumed", T::Unsigned64, S::Quantity, U::None),
    element(5951, 254, "icaNetworkUpdateStartTime", T::DateTimeSeconds, S::Default, U::None),
    element(5951, 255, "icaNetworkUpdateEndTime", T::DateTimeSeconds, S::Default, U::None),
    element(5951, 256, "icaClientsideSRTT", T::Unsigned32, S::Quantity, U::None),
    element(5951, 257, "icaServersideSRTT", T::Unsigned32, S::Quantity, U::None),
    element(5951, 258, "icaClientsideDelay", T::Unsigned32, S::Quantity, U::None),
    element(5951, 259, "icaServersideDelay", T::Unsigned32, S::Quantity, U::None),
    element(5951, 260, "icaHostDelay", T::Unsigned32, S::Quantity, U::None),
    element(5951, 261, "icaClientSideWindowSize", T::Unsigned16, S::Quantity, U::None),
    element(5951, 262, "icaServerSideWindowSize", T::Unsigned16, S::Quantity, U::None),
    element(5951, 263, "icaClientSideRTOCount", T::Unsigned16, S::DeltaCounter, U::None),
    element(5951, 264, "icaServerSideRTOCount", T::Unsigned16, S::DeltaCounter, U::None),
    element(5951, 265, "icaL7ClientLatency", T::Unsigned32, S::Quantity, U::None),
    element(5951, 266, "icaL7ServerLatency", T::Unsigned32, S::Quantity, U::None),
    element(5951, 267, "httpDomainName", T::String, S::Default, U::None),
    element(5951, 268, "cacheRedirClientConnectionCoreID", T::Unsigned32, S::Identifier, U::None),
    element(5951, 269, "cacheRedirClientConnectionTransactionID", T::Unsigned32, S::Identifier, U::None),
];

/// CERT NetSA (YAF, SiLK, super_mediator)
pub(super) static CERT: [InformationElement; 474] = [
    element(6871, 12, "obsoleteReverseOctetTotalCount", T::Unsigned64, S::TotalCounter, U::None),
    element(6871, 13, "obsoleteReversePacketTotalCount", T::Unsigned64, S::TotalCounter, U::None),
    element(6871, 14, "initialTCPFlags", T::Unsigned16, S::Flags, U::None),
    element(6871, 15, "unionTCPFlags", T::Unsigned16, S::Flags, U::None),
    element(6871, 16, "obsoleteReverseInitialTCPFlags", T::Unsigned8, S::Flags, U::None),
    element(6871, 17, "obsoleteReverseUnionTCPFlags", T::Unsigned8, S::Flags, U::None),
    element(6871, 18, "payload", T::OctetArray, S::Default, U::None),
    element(6871, 19, "obsoleteReversePayload", T::OctetArray, S::Default, U::None),
    element(6871, 20, "obsoleteReverseTcpSequenceNumber", T::Unsigned32, S::Default, U::None),
    element(6871, 21, "reverseFlowDeltaMilliseconds", T::Unsigned32, S::Quantity, U::Milliseconds),
    element(6871, 29, "obsoleteReverseVlanId", T::Unsigned16, S::Identifier, U::None),
    element(6871, 30, "silkFlowType", T::Unsigned8, S::Identifier, U::None),
    element(6871, 31, "silkFlowSensor", T::Unsigned16, S::Identifier, U::None),
    element(6871, 32, "silkTCPState", T::Unsigned8, S::Flags, U::None),
    element(6871, 33, "silkAppLabel", T::Unsigned16, S::Identifier, U::None),
    element(6871, 35, "payloadEntropy", T::Unsigned8, S::Default, U::None),
    element(6871, 36, "osName", T::String, S::Default, U::None),
    element(6871, 37, "osVersion", T::String, S::Default, U::None),
    element(6871, 38, "firstPacketBanner", T::OctetArray, S::Default, U::None),
    element(6871, 39, "secondPacketBanner", T::OctetArray, S::Default, U::None),
    element(6871, 40, "flowAttributes", T::Unsigned16, S::Flags, U::None),
    element(6871, 100, "expiredFragmentCount", T::Unsigned32, S::TotalCounter, U::Packets),
    element(6871, 101, "assembledFragmentCount", T::Unsigned32, S::TotalCounter, U::Packets),
    element(6871, 102, "meanFlowRate", T::Unsigned32, S::Default, U::Flows),
    element(6871, 103, "meanPacketRate", T::Unsigned32, S::Default, U::Packets),
    element(6871, 104, "flowTableFlushEventCount", T::Unsigned32, S::TotalCounter, U::Flows),
    element(6871, 105, "flowTablePeakCount", T::Unsigned32, S::Default, U::Flows),
    element(6871, 106, "yafFlowKeyHash", T::Unsigned32, S::Identifier, U::None),
    element(6871, 107, "osFingerPrint", T::String, S::Default, U::None),
    element(6871, 110, "httpServerString", T::String, S::Default, U::None),
    element(6871, 111, "httpUserAgent", T::String, S::Default, U::None),
    element(6871, 112, "httpGet", T::String, S::Default, U::None),
    element(6871, 113, "httpConnection", T::String, S::Default, U::None),
    element(6871, 114, "httpVersion", T::String, S::Default, U::None),
    element(6871, 115, "httpReferer", T::String, S::Default, U::None),
    element(6871, 116, "httpLocation", T::String, S::Default, U::None),
    element(6871, 117, "httpHost", T::String, S::Default, U::None),
    element(6871, 118, "httpContentLength", T::String, S::Default, U::None),
    element(6871, 119, "httpAge", T::String, S::Default, U::None),
    element(6871, 120, "httpAccept", T::String, S::Default, U::None),
    element(6871, 121, "httpAcceptLanguage", T::String, S::Default, U::None),
    element(6871, 122, "httpContentType", T::String, S::Default, U::None),
    element(6871, 123, "httpResponse", T::String, S::Default, U::None),
    element(6871, 124, "pop3TextMessage", T::String, S::Default, U::None),
    element(6871, 125, "ircTextMessage", T::String, S::Default, U::None),
    element(6871, 126, "tftpFilename", T::String, S::Default, U::None),
    element(6871, 127, "tftpMode", T::String, S::Default, U::None),
    element(6871, 128, "slpVersion", T::Unsigned8, S::Default, U::None),
    element(6871, 129, "slpMessageType", T::Unsigned8, S::Default, U::None),
    element(6871, 130, "slpString", T::String, S::Default, U::None),
    element(6871, 131, "ftpReturn", T::String, S::Default, U::None),
    element(6871, 132, "ftpUser", T::String, S::Default, U::None),
    element(6871, 133, "ftpPass", T::String, S::Default, U::None),
    element(6871, 134, "ftpType", T::String, S::Default, U::None),
    element(6871, 135, "ftpRespCode", T::String, S::Default, U::None),
    element(6871, 136, "imapCapability", T::String, S::Default, U::None),
    element(6871, 137, "imapLogin", T::String, S::Default, U::None),
    element(6871, 138, "imapStartTLS", T::String, S::Default, U::None),
    element(6871, 139, "imapAuthenticate", T::String, S::Default, U::None),
    element(6871, 140, "imapCommand", T::String, S::Default, U::None),
    element(6871, 141, "imapExists", T::String, S::Default, U::None),
    element(6871, 142, "imapRecent", T::String, S::Default, U::None),
    element(6871, 143, "rtspURL", T::String, S::Default, U::None),
    element(6871, 144, "rtspVersion", T::String, S::Default, U::None),
    element(6871, 145, "rtspReturnCode", T::String, S::Default, U::None),
    element(6871, 146, "rtspContentLength", T::String, S::Default, U::None),
    element(6871, 147, "rtspCommand", T::String, S::Default, U::None),
    element(6871, 148, "rtspContentType", T::String, S::Default, U::None),
    element(6871, 149, "rtspTransport", T::String, S::Default, U::None),
    element(6871, 150, "rtspCSeq", T::String, S::Default, U::None),
    element(6871, 151, "rtspLocation", T::String, S::Default, U::None),
    element(6871, 152, "rtspPacketsReceived", T::String, S::Default, U::None),
    element(6871, 153, "rtspUserAgent", T::String, S::Default, U::None),
    element(6871, 154, "rtspJitter", T::String, S::Default, U::None),
    element(6871, 155, "sipInvite", T::String, S::Default, U::None),
    element(6871, 156, "sipCommand", T::String, S::Default, U::None),
    element(6871, 157, "sipVia", T::String, S::Default, U::None),
    element(6871, 158, "sipMaxForwards", T::String, S::Default, U::None),
    element(6871, 159, "sipAddress", T::String, S::Default, U::None),
    element(6871, 160, "sipContentLength", T::String, S::Default, U::None),
    element(6871, 161, "sipUserAgent", T::String, S::Default, U::None),
    element(6871, 162, "smtpHello", T::String, S::Default, U::None),
    element(6871, 163, "smtpFrom", T::String, S::Default, U::None),
    element(6871, 164, "smtpTo", T::String, S::Default, U::None),
    element(6871, 165, "smtpContentType", T::String, S::Default, U::None),
    element(6871, 166, "smtpSubject", T::String, S::Default, U::None),
    element(6871, 167, "smtpFilename", T::String, S::Default, U::None),
    element(6871, 168, "smtpContentDisposition", T::String, S::Default, U::None),
    element(6871, 169, "smtpResponse", T::String, S::Default, U::None),
    element(6871, 170, "smtpEnhanced", T::String, S::Default, U::None),
    element(6871, 171, "sshVersion", T::String, S::Default, U::None),
    element(6871, 172, "nntpResponse", T::String, S::Default, U::None),
    element(6871, 173, "nntpCommand", T::String, S::Default, U::None),
    element(6871, 174, "dnsQueryResponse", T::Unsigned8, S::Default, U::None),
    element(6871, 175, "dnsQRType", T::Unsigned16, S::Default, U::None),
    element(6871, 176, "dnsAuthoritative", T::Unsigned8, S::Default, U::None),
    element(6871, 177, "dnsNXDomain", T::Unsigned8, S::Default, U::None),
    element(6871, 178, "dnsRRSection", T::Unsigned8, S::Default, U::None),
    element(6871, 179, "dnsQName", T::String, S::Default, U::None),
    element(6871, 180, "dnsCName", T::String, S::Default, U::None),
    element(6871, 181, "dnsMXPreference", T::Unsigned16, S::Default, U::None),
    element(6871, 182, "dnsMXExchange", T::String, S::Default, U::None),
    element(6871, 183, "dnsNSDName", T::String, S::Default, U::None),
    element(6871, 184, "dnsPTRDName", T::String, S::Default, U::None),
    element(6871, 185, "sslCipher", T::Unsigned32, S::Default, U::None),
    element(6871, 186, "sslClientVersion", T::Unsigned8, S::Default, U::None),
    element(6871, 187, "sslServerCipher", T::Unsigned32, S::Default, U::None),
    element(6871, 188, "sslCompressionMethod", T::Unsigned8, S::Default, U::None),
    element(6871, 189, "sslCertVersion", T::Unsigned8, S::Default, U::None),
    element(6871, 190, "sslCertSignature", T::OctetArray, S::Default, U::None),
    element(6871, 191, "sslCertIssuerCountryName", T::String, S::Default, U::None),
    element(6871, 192, "sslCertIssuerOrgName", T::String, S::Default, U::None),
    element(6871, 193, "sslCertIssuerOrgUnitName", T::String, S::Default, U::None),
    element(6871, 194, "sslCertIssuerZipCode", T::String, S::Default, U::None),
    element(6871, 195, "sslCertIssuerState", T::String, S::Default, U::None),
    element(6871, 196, "sslCertIssuerCommonName", T::String, S::Default, U::None),
    element(6871, 197, "sslCertIssuerLocalityName", T::String, S::Default, U::None),
    element(6871, 198, "sslCertIssuerStreetAddress", T::String, S::Default, U::None),
    element(6871, 199, "dnsTTL", T::Unsigned32, S::Default, U::None),
    element(6871, 200, "sslCertSubCountryName", T::String, S::Default, U::None),
    element(6871, 201, "sslCertSubOrgName", T::String, S::Default, U::None),
    element(6871, 202, "sslCertSubOrgUnitName", T::String, S::Default, U::None),
    element(6871, 203, "sslCertSubZipCode", T::String, S::Default, U::None),
    element(6871, 204, "sslCertSubState", T::String, S::Default, U::None),
    element(6871, 205, "sslCertSubCommonName", T::String, S::Default, U::None),
    element(6871, 206, "sslCertSubLocalityName", T::String, S::Default, U::None),
    element(6871, 207, "sslCertSubStreetAddress", T::String, S::Default, U::None),
    element(6871, 208, "dnsTXTData", T::String, S::Default, U::None),
    element(6871, 209, "dnsSOASerial", T::Unsigned32, S::Default, U::None),
    element(6871, 210, "dnsSOARefresh", T::Unsigned32, S::Default, U::None),
    element(6871, 211, "dnsSOARetry", T::Unsigned32, S::Default, U::None),
    element(6871, 212, "dnsSOAExpire", T::Unsigned32, S::Default, U::None),
    element(6871, 213, "dnsSOAMinimum", T::Unsigned32, S::Default, U::None),
    element(6871, 214, "dnsSOAMName", T::String, S::Default, U::None),
    element(6871, 215, "dnsSOARName", T::String, S::Default, U::None),
    element(6871, 216, "dnsSRVPriority", T::Unsigned16, S::Default, U::None),
    element(6871, 217, "dnsSRVWeight", T::Unsigned16, S::Default, U::None),
    element(6871, 218, "dnsSRVPort", T::Unsigned16, S::Default, U::None),
    element(6871, 219, "dnsSRVTarget", T::String, S::Default, U::None),
    element(6871, 220, "httpCookie", T::String, S::Default, U::None),
    element(6871, 221, "httpSetCookie", T::String, S::Default, U::None),
    element(6871, 222, "smtpSize", T::String, S::Default, U::None),
    element(6871, 223, "mysqlUsername", T::String, S::Default, U::None),
    element(6871, 224, "mysqlCommandCode", T::Unsigned8, S::Default, U::None),
    element(6871, 225, "mysqlCommandText", T::String, S::Default, U::None),
    element(6871, 226, "dnsID", T::Unsigned16, S::Default, U::None),
    element(6871, 227, "dnsAlgorithm", T::Unsigned8, S::Default, U::None),
    element(6871, 228, "dnsKeyTag", T::Unsigned16, S::Default, U::None),
    element(6871, 229, "dnsSigner", T::String, S::Default, U::None),
    element(6871, 230, "dnsSignature", T::OctetArray, S::Default, U::None),
    element(6871, 231, "dnsDigest", T::OctetArray, S::Default, U::None),
    element(6871, 232, "dnsPublicKey", T::OctetArray, S::Default, U::None),
    element(6871, 233, "dnsSalt", T::OctetArray, S::Default, U::None),
    element(6871, 234, "dnsHashData", T::OctetArray, S::Default, U::None),
    element(6871, 235, "dnsIterations", T::Unsigned16, S::Default, U::None),
    element(6871, 236, "dnsSignatureExpiration", T::Unsigned32, S::Default, U::None),
    element(6871, 237, "dnsSignatureInception", T::Unsigned32, S::Default, U::None),
    element(6871, 238, "dnsDigestType", T::Unsigned8, S::Default, U::None),
    element(6871, 239, "dnsLabels", T::Unsigned8, S::Default, U::None),
    element(6871, 240, "dnsTypeCovered", T::Unsigned16, S::Default, U::None),
    element(6871, 241, "dnsFlags", T::Unsigned16, S::Flags, U::None),
    element(6871, 242, "dhcpFingerPrint", T::String, S::Default, U::None),
    element(6871, 243, "dhcpVendorCode", T::String, S::Default, U::None),
    element(6871, 244, "sslCertSerialNumber", T::OctetArray, S::Default, U::None),
    element(6871, 245, "sslObjectType", T::Unsigned8, S::Default, U::None),
    element(6871, 246, "sslObjectValue", T::OctetArray, S::Default, U::None),
    element(6871, 247, "sslCertValidityNotBefore", T::String, S::Default, U::None),
    element(6871, 248, "sslCertValidityNotAfter", T::String, S::Default, U::None),
    element(6871, 249, "sslPublicKeyAlgorithm", T::OctetArray, S::Default, U::None),
    element(6871, 250, "sslPublicKeyLength", T::Unsigned16, S::Default, U::None),
    element(6871, 251, "smtpDate", T::String, S::Default, U::None),
    element(6871, 252, "httpAuthorization", T::String, S::Default, U::None),
    element(6871, 253, "httpVia", T::String, S::Default, U::None),
    element(6871, 254, "httpX-Forwarded-For", T::String, S::Default, U::None),
    element(6871, 255, "httpExpires", T::String, S::Default, U::None),
    element(6871, 256, "httpRefresh", T::String, S::Default, U::None),
    element(6871, 257, "httpIMEI", T::String, S::Default, U::None),
    element(6871, 258, "httpIMSI", T::String, S::Default, U::None),
    element(6871, 259, "httpMSISDN", T::String, S::Default, U::None),
    element(6871, 260, "httpSubscriber", T::String, S::Default, U::None),
    element(6871, 261, "httpAcceptCharset", T::String, S::Default, U::None),
    element(6871, 262, "httpAcceptEncoding", T::String, S::Default, U::None),
    element(6871, 263, "httpAllow", T::String, S::Default, U::None),
    element(6871, 264, "httpDate", T::String, S::Default, U::None),
    element(6871, 265, "httpExpect", T::String, S::Default, U::None),
    element(6871, 266, "httpFrom", T::String, S::Default, U::None),
    element(6871, 267, "httpProxyAuthentication", T::String, S::Default, U::None),
    element(6871, 268, "httpUpgrade", T::String, S::Default, U::None),
    element(6871, 269, "httpWarning", T::String, S::Default, U::None),
    element(6871, 270, "httpDNT", T::String, S::Default, U::None),
    element(6871, 271, "httpX-Forwarded-Proto", T::String, S::Default, U::None),
    element(6871, 272, "httpX-Forwarded-Host", T::String, S::Default, U::None),
    element(6871, 273, "httpX-Forwarded-Server", T::String, S::Default, U::None),
    element(6871, 274, "httpX-DeviceID", T::String, S::Default, U::None),
    element(6871, 275, "httpX-Profile", T::String, S::Default, U::None),
    element(6871, 276, "httpLastModified", T::String, S::Default, U::None),
    element(6871, 277, "httpContentEncoding", T::String, S::Default, U::None),
    element(6871, 278, "httpContentLanguage", T::String, S::Default, U::None),
    element(6871, 279, "httpContentLocation", T::String, S::Default, U::None),
    element(6871, 280, "httpX-UA-Compatible", T::String, S::Default, U::None),
    element(6871, 281, "dnp3SourceAddress", T::Unsigned16, S::Default, U::None),
    element(6871, 282, "dnp3DestinationAddress", T::Unsigned16, S::Default, U::None),
    element(6871, 283, "dnp3Function", T::Unsigned8, S::Default, U::None),
    element(6871, 284, "dnp3ObjectData", T::OctetArray, S::Default, U::None),
    element(6871, 285, "modbusData", T::OctetArray, S::Default, U::None),
    element(6871, 286, "ethernetIPData", T::OctetArray, S::Default, U::None),
    element(6871, 287, "rtpPayloadType", T::Unsigned8, S::Default, U::None),
    element(6871, 288, "sslRecordVersion", T::Unsigned16, S::Default, U::None),
    element(6871, 289, "mptcpInitialDataSequenceNumber", T::Unsigned64, S::Default, U::None),
    element(6871, 290, "mptcpReceiverToken", T::Unsigned32, S::Identifier, U::None),
    element(6871, 291, "mptcpMaximumSegmentSize", T::Unsigned16, S::Default, U::None),
    element(6871, 292, "mptcpAddressID", T::Unsigned8, S::Identifier, U::None),
    element(6871, 293, "mptcpFlags", T::Unsigned8, S::Flags, U::None),
    element(6871, 294, "sslServerName", T::String, S::Default, U::None),
    element(6871, 295, "sslCertificateHash", T::OctetArray, S::Default, U::None),
    element(6871, 296, "sslCertificate", T::OctetArray, S::Default, U::None),
    element(6871, 297, "dhcpOption", T::Unsigned8, S::Default, U::None),
    element(6871, 298, "sslCertificateSHA1", T::OctetArray, S::Default, U::None),
    element(6871, 299, "sslCertificateMD5", T::OctetArray, S::Default, U::None),
    element(6871, 300, "nDPIL7Protocol", T::Unsigned16, S::Identifier, U::None),
    element(6871, 301, "nDPIL7SubProtocol", T::Unsigned16, S::Identifier, U::None),
    element(6871, 500, "smallPacketCount", T::Unsigned32, S::TotalCounter, U::Packets),
    element(6871, 501, "nonEmptyPacketCount", T::Unsigned32, S::TotalCounter, U::Packets),
    element(6871, 502, "dataByteCount", T::Unsigned64, S::TotalCounter, U::Octets),
    element(6871, 503, "averageInterarrivalTime", T::Unsigned64, S::Default, U::Milliseconds),
    element(6871, 504, "standardDeviationInterarrivalTime", T::Unsigned64, S::Default, U::Milliseconds),
    element(6871, 505, "firstNonEmptyPacketSize", T::Unsigned16, S::Quantity, U::Octets),
    element(6871, 506, "maxPacketSize", T::Unsigned16, S::Quantity, U::Octets),
    element(6871, 507, "firstEightNonEmptyPacketDirections", T::Unsigned8, S::Flags, U::None),
    element(6871, 508, "standardDeviationPayloadLength", T::Unsigned16, S::Default, U::Octets),
    element(6871, 509, "tcpUrgentCount", T::Unsigned32, S::TotalCounter, U::Packets),
    element(6871, 510, "largePacketCount", T::Unsigned32, S::TotalCounter, U::Packets),
    element(6871, 550, "tombstoneId", T::Unsigned32, S::Identifier, U::None),
    element(6871, 551, "exporterConfiguredId", T::Unsigned16, S::Identifier, U::None),
    element(6871, 552, "exporterUniqueId", T::Unsigned16, S::Identifier, U::None),
    element(6871, 927, "dnsRName", T::String, S::Default, U::None),
    element(6871, 928, "dnsHitCount", T::Unsigned16, S::Default, U::None),
    element(6871, 929, "observedDataTotalCount", T::Unsigned64, S::TotalCounter, U::None),
    element(6871, 930, "observedData", T::OctetArray, S::Default, U::None),
    element(6871, 1000, "templateName", T::String, S::Default, U::None),
    element(6871, 1001, "templateDescription", T::String, S::Default, U::None),
    element(6871, 16398, "reverseInitialTCPFlags", T::Unsigned16, S::Flags, U::None),
    element(6871, 16399, "reverseUnionTCPFlags", T::Unsigned16, S::Flags, U::None),
    element(6871, 16402, "reversePayload", T::OctetArray, S::Default, U::None),
    element(6871, 16414, "reverseSilkFlowType", T::Unsigned8, S::Identifier, U::None),
    element(6871, 16415, "reverseSilkFlowSensor", T::Unsigned16, S::Identifier, U::None),
    element(6871, 16416, "reverseSilkTCPState", T::Unsigned8, S::Flags, U::None),
    element(6871, 16417, "reverseSilkAppLabel", T::Unsigned16, S::Identifier, U::None),
    element(6871, 16419, "reversePayloadEntropy", T::Unsigned8, S::Default, U::None),
    element(6871, 16420, "reverseOsName", T::String, S::Default, U::None),
    element(6871, 16421, "reverseOsVersion", T::String, S::Default, U::None),
    element(6871, 16422, "reverseFirstPacketBanner", T::OctetArray, S::Default, U::None),
    element(6871, 16423, "reverseSecondPacketBanner", T::OctetArray, S::Default, U::None),
    element(6871, 16424, "reverseFlowAttributes", T::Unsigned16, S::Flags, U::None),
    element(6871, 16484, "reverseExpiredFragmentCount", T::Unsigned32, S::TotalCounter, U::Packets),
    element(6871, 16485, "reverseAssembledFragmentCount", T::Unsigned32, S::TotalCounter, U::Packets),
    element(6871, 16486, "reverseMeanFlowRate", T::Unsigned32, S::Default, U::Flows),
    element(6871, 16487, "reverseMeanPacketRate", T::Unsigned32, S::Default, U::Packets),
    element(6871, 16488, "reverseFlowTableFlushEventCount", T::Unsigned32, S::TotalCounter, U::Flows),
    element(6871, 16489, "reverseFlowTablePeakCount", T::Unsigned32, S::Default, U::Flows),
    element(6871, 16490, "reverseYafFlowKeyHash", T::Unsigned32, S::Identifier, U::None),
    element(6871, 16491, "reverseOsFingerPrint", T::String, S::Default, U::None),
    element(6871, 16494, "reverseHttpServerString", T::String, S::Default, U::None),
    element(6871, 16495, "reverseHttpUserAgent", T::String, S::Default, U::None),
    element(6871, 16496, "reverseHttpGet", T::String, S::Default, U::None),
    element(6871, 16497, "reverseHttpConnection", T::String, S::Default, U::None),
    element(6871, 16498, "reverseHttpVersion", T::String, S::Default, U::None),
    element(6871, 16499, "reverseHttpReferer", T::String, S::Default, U::None),
    element(6871, 16500, "reverseHttpLocation", T::String, S::Default, U::None),
    element(6871, 16501, "reverseHttpHost", T::String, S::Default, U::None),
    element(6871, 16502, "reverseHttpContentLength", T::String, S::Default, U::None),
    element(6871, 16503, "reverseHttpAge", T::String, S::Default, U::None),
    element(6871, 16504, "reverseHttpAccept", T::String, S::Default, U::None),
    element(6871, 16505, "reverseHttpAcceptLanguage", T::String, S::Default, U::None),
    element(6871, 16506, "reverseHttpContentType", T::String, S::Default, U::None),
    element(6871, 16507, "reverseHttpResponse", T::String, S::Default, U::None),
    element(6871, 16508, "reversePop3TextMessage", T::String, S::Default, U::None),
    element(6871, 16509, "reverseIrcTextMessage", T::String, S::Default, U::None),
    element(6871, 16510, "reverseTftpFilename", T::String, S::Default, U::None),
    element(6871, 16511, "reverseTftpMode", T::String, S::Default, U::None),
    element(6871, 16512, "reverseSlpVersion", T::Unsigned8, S::Default, U::None),
    element(6871, 16513, "reverseSlpMessageType", T::Unsigned8, S::Default, U::None),
    element(6871, 16514, "reverseSlpString", T::String, S::Default, U::None),
    element(6871, 16515, "reverseFtpReturn", T::String, S::Default, U::None),
    element(6871, 16516, "reverseFtpUser", T::String, S::Default, U::None),
    element(6871, 16517, "reverseFtpPass", T::String, S::Default, U::None),
    element(6871, 16518, "reverseFtpType", T::String, S::Default, U::None),
    element(6871, 16519, "reverseFtpRespCode", T::String, S::Default, U::None),
    element(6871, 16520, "reverseImapCapability", T::String, S::Default, U::None),
    element(6871, 16521, "reverseImapLogin", T::String, S::Default, U::None),
    element(6871, 16522, "reverseImapStartTLS", T::String, S::Default, U::None),
    element(6871, 16523, "reverseImapAuthenticate", T::String, S::Default, U::None),
    element(6871, 16524, "reverseImapCommand", T::String, S::Default, U::None),
    element(6871, 16525, "reverseImapExists", T::String, S::Default, U::None),
    element(6871, 16526, "reverseImapRecent", T::String, S::Default, U::None),
    element(6871, 16527, "reverseRtspURL", T::String, S::Default, U::None),
    element(6871, 16528, "reverseRtspVersion", T::String, S::Default, U::None),
    element(6871, 16529, "reverseRtspReturnCode", T::String, S::Default, U::None),
    element(6871, 16530, "reverseRtspContentLength", T::String, S::Default, U::None),
    element(6871, 16531, "reverseRtspCommand", T::String, S::Default, U::None),
    element(6871, 16532, "reverseRtspContentType", T::String, S::Default, U::None),
    element(6871, 16533, "reverseRtspTransport", T::String, S::Default, U::None),
    element(6871, 16534, "reverseRtspCSeq", T::String, S::Default, U::None),
    element(6871, 16535, "reverseRtspLocation", T::String, S::Default, U::None),
    element(6871, 16536, "reverseRtspPacketsReceived", T::String, S::Default, U::None),
    element(6871, 16537, "reverseRtspUserAgent", T::String, S::Default, U::None),
    element(6871, 16538, "reverseRtspJitter", T::String, S::Default, U::None),
    element(6871, 16539, "reverseSipInvite", T::String, S::Default, U::None),
    element(6871, 16540, "reverseSipCommand", T::String, S::Default, U::None),
    element(6871, 16541, "reverseSipVia", T::String, S::Default, U::None),
    element(6871, 16542, "reverseSipMaxForwards", T::String, S::Default, U::None),
    element(6871, 16543, "reverseSipAddress", T::String, S::Default, U::None),
    element(6871, 16544, "reverseSipContentLength", T::String, S::Default, U::None),
    element(6871, 16545, "reverseSipUserAgent", T::String, S::Default, U::None),
    element(6871, 16546, "reverseSmtpHello", T::String, S::Default, U::None),
    element(6871, 16547, "reverseSmtpFrom", T::String, S::Default, U::None),
    element(6871, 16548, "reverseSmtpTo", T::String, S::Default, U::None),
    element(6871, 16549, "reverseSmtpContentType", T::String, S::Default, U::None),
    element(6871, 16550, "reverseSmtpSubject", T::String, S::Default, U::None),
    element(6871, 16551, "reverseSmtpFilename", T::String, S::Default, U::None),
    element(6871, 16552, "reverseSmtpContentDisposition", T::String, S::Default, U::None),
    element(6871, 16553, "reverseSmtpResponse", T::String, S::Default, U::None),
    element(6871, 16554, "reverseSmtpEnhanced", T::String, S::Default, U::None),
    element(6871, 16555, "reverseSshVersion", T::String, S::Default, U::None),
    element(6871, 16556, "reverseNntpResponse", T::String, S::Default, U::None),
    element(6871, 16557, "reverseNntpCommand", T::String, S::Default, U::None),
    element(6871, 16558, "reverseDnsQueryResponse", T::Unsigned8, S::Default, U::None),
    element(6871, 16559, "reverseDnsQRType", T::Unsigned16, S::Default, U::None),
    element(6871, 16560, "reverseDnsAuthoritative", T::Unsigned8, S::Default, U::None),
    element(6871, 16561, "reverseDnsNXDomain", T::Unsigned8, S::Default, U::None),
    element(6871, 16562, "reverseDnsRRSection", T::Unsigned8, S::Default, U::None),
    element(6871, 16563, "reverseDnsQName", T::String, S::Default, U::None),
    element(6871, 16564, "reverseDnsCName", T::String, S::Default, U::None),
    element(6871, 16565, "reverseDnsMXPreference", T::Unsigned16, S::Default, U::None),
    element(6871, 16566, "reverseDnsMXExchange", T::String, S::Default, U::None),
    element(6871, 16567, "reverseDnsNSDName", T::String, S::Default, U::None),
    element(6871, 16568, "reverseDnsPTRDName", T::String, S::Default, U::None),
    element(6871, 16569, "reverseSslCipher", T::Unsigned32, S::Default, U::None),
    element(6871, 16570, "reverseSslClientVersion", T::Unsigned8, S::Default, U::None),
    element(6871, 16571, "reverseSslServerCipher", T::Unsigned32, S::Default, U::None),
    element(6871, 16572, "reverseSslCompressionMethod", T::Unsigned8, S::Default, U::None),
    element(6871, 16573, "reverseSslCertVersion", T::Unsigned8, S::Default, U::None),
    element(6871, 16574, "reverseSslCertSignature", T::OctetArray, S::Default, U::None),
    element(6871, 16575, "reverseSslCertIssuerCountryName", T::String, S::Default, U::None),
    element(6871, 16576, "reverseSslCertIssuerOrgName", T::String, S::Default, U::None),
    element(6871, 16577, "reverseSslCertIssuerOrgUnitName", T::String, S::Default, U::None),
    element(6871, 16578, "reverseSslCertIssuerZipCode", T::String, S::Default, U::None),
    element(6871, 16579, "reverseSslCertIssuerState", T::String, S::Default, U::None),
    element(6871, 16580, "reverseSslCertIssuerCommonName", T::String, S::Default, U::None),
    element(6871, 16581, "reverseSslCertIssuerLocalityName", T::String, S::Default, U::None),
    element(6871, 16582, "reverseSslCertIssuerStreetAddress", T::String, S::Default, U::None),
    element(6871, 16583, "reverseDnsTTL", T::Unsigned32, S::Default, U::None),
    element(6871, 16584, "reverseSslCertSubCountryName", T::String, S::Default, U::None),
    element(6871, 16585, "reverseSslCertSubOrgName", T::String, S::Default, U::None),
    element(6871, 16586, "reverseSslCertSubOrgUnitName", T::String, S::Default, U::None),
    element(6871, 16587, "reverseSslCertSubZipCode", T::String, S::Default, U::None),
    element(6871, 16588, "reverseSslCertSubState", T::String, S::Default, U::None),
    element(6871, 16589, "reverseSslCertSubCommonName", T::String, S::Default, U::None),
    element(6871, 16590, "reverseSslCertSubLocalityName", T::String, S::Default, U::None),
    element(6871, 16591, "reverseSslCertSubStreetAddress", T::String, S::Default, U::None),
    element(6871, 16592, "reverseDnsTXTData", T::String, S::Default, U::None),
    element(6871, 16593, "reverseDnsSOASerial", T::Unsigned32, S::Default, U::None),
    element(6871, 16594, "reverseDnsSOARefresh", T::Unsigned32, S::Default, U::None),
    element(6871, 16595, "reverseDnsSOARetry", T::Unsigned32, S::Default, U::None),
    element(6871, 16596, "reverseDnsSOAExpire", T::Unsigned32, S::Default, U::None),
    element(6871, 16597, "reverseDnsSOAMinimum", T::Unsigned32, S::Default, U::None),
    element(6871, 16598, "reverseDnsSOAMName", T::String, S::Default, U::None),
    element(6871, 16599, "reverseDnsSOARName", T::String, S::Default, U::None),
    element(6871, 16600, "reverseDnsSRVPriority", T::Unsigned16, S::Default, U::None),
    element(6871, 16601, "reverseDnsSRVWeight", T::Unsigned16, S::Default, U::None),
    element(6871, 16602, "reverseDnsSRVPort", T::Unsigned16, S::Default, U::None),
    element(6871, 16603, "reverseDnsSRVTarget", T::String, S::Default, U::None),
    element(6871, 16604, "reverseHttpCookie", T::String, S::Default, U::None),
    element(6871, 16605, "reverseHttpSetCookie", T::String, S::Default, U::None),
    element(6871, 16606, "reverseSmtpSize", T::String, S::Default, U::None),
    element(6871, 16607, "reverseMysqlUsername", T::String, S::Default, U::None),
    element(6871, 16608, "reverseMysqlCommandCode", T::Unsigned8, S::Default, U::None),
    element(6871, 16609, "reverseMysqlCommandText", T::String, S::Default, U::None),
    element(6871, 16610, "reverseDnsID", T::Unsigned16, S::Default, U::None),
    element(6871, 16611, "reverseDnsAlgorithm", T::Unsigned8, S::Default, U::None),
    element(6871, 16612, "reverseDnsKeyTag", T::Unsigned16, S::Default, U::None),
    element(6871, 16613, "reverseDnsSigner", T::String, S::Default, U::None),
    element(6871, 16614, "reverseDnsSignature", T::OctetArray, S::Default, U::None),
    element(6871, 16615, "reverseDnsDigest", T::OctetArray, S::Default, U::None),
    element(6871, 16616, "reverseDnsPublicKey", T::OctetArray, S::Default, U::None),
    element(6871, 16617, "reverseDnsSalt", T::OctetArray, S::Default, U::None),
    element(6871, 16618, "reverseDnsHashData", T::OctetArray, S::Default, U::None),
    element(6871, 16619, "reverseDnsIterations", T::Unsigned16, S::Default, U::None),
    element(6871, 16620, "reverseDnsSignatureExpiration", T::Unsigned32, S::Default, U::None),
    element(6871, 16621, "reverseDnsSignatureInception", T::Unsigned32, S::Default, U::None),
    element(6871, 16622, "reverseDnsDigestType", T::Unsigned8, S::Default, U::None),
    element(6871, 16623, "reverseDnsLabels", T::Unsigned8, S::Default, U::None),
    element(6871, 16624, "reverseDnsTypeCovered", T::Unsigned16, S::Default, U::None),
    element(6871, 16625, "reverseDnsFlags", T::Unsigned16, S::Flags, U::None),
    element(6871, 16626, "reverseDhcpFingerPrint", T::String, S::Default, U::None),
    element(6871, 16627, "reverseDhcpVendorCode", T::String, S::Default, U::None),
    element(6871, 16628, "reverseSslCertSerialNumber", T::OctetArray, S::Default, U::None),
    element(6871, 16629, "reverseSslObjectType", T::Unsigned8, S::Default, U::None),
    element(6871, 16630, "reverseSslObjectValue", T::OctetArray, S::Default, U::None),
    element(6871, 16631, "reverseSslCertValidityNotBefore", T::String, S::Default, U::None),
    element(6871, 16632, "reverseSslCertValidityNotAfter", T::String, S::Default, U::None),
    element(6871, 16633, "reverseSslPublicKeyAlgorithm", T::OctetArray, S::Default, U::None),
    element(6871, 16634, "reverseSslPublicKeyLength", T::Unsigned16, S::Default, U::None),
    element(6871, 16635, "reverseSmtpDate", T::String, S::Default, U::None),
    element(6871, 16636, "reverseHttpAuthorization", T::String, S::Default, U::None),
    element(6871, 16637, "reverseHttpVia", T::String, S::Default, U::None),
    element(6871, 16638, "reverseHttpX-Forwarded-For", T::String, S::Default, U::None),
    element(6871, 16639, "reverseHttpExpires", T::String, S::Default, U::None),
    element(6871, 16640, "reverseHttpRefresh", T::String, S::Default, U::None),
    element(6871, 16641, "reverseHttpIMEI", T::String, S::Default, U::None),
    element(6871, 16642, "reverseHttpIMSI", T::String, S::Default, U::None),
    element(6871, 16643, "reverseHttpMSISDN", T::String, S::Default, U::None),
    element(6871, 16644, "reverseHttpSubscriber", T::String, S::Default, U::None),
    element(6871, 16645, "reverseHttpAcceptCharset", T::String, S::Default, U::None),
    element(6871, 16646, "reverseHttpAcceptEncoding", T::String, S::Default, U::None),
    element(6871, 16647, "reverseHttpAllow", T::String, S::Default, U::None),
    element(6871, 16648, "reverseHttpDate", T::String, S::Default, U::None),
    element(6871, 16649, "reverseHttpExpect", T::String, S::Default, U::None),
    element(6871, 16650, "reverseHttpFrom", T::String, S::Default, U::None),
    element(6871, 16651, "reverseHttpProxyAuthentication", T::String, S::Default, U::None),
    element(6871, 16652, "reverseHttpUpgrade", T::String, S::Default, U::None),
    element(6871, 16653, "reverseHttpWarning", T::String, S::Default, U::None),
    element(6871, 16654, "reverseHttpDNT", T::String, S::Default, U::None),
    element(6871, 16655, "reverseHttpX-Forwarded-Proto", T::String, S::Default, U::None),
    element(6871, 16656, "reverseHttpX-Forwarded-Host", T::String, S::Default, U::None),
    element(6871, 16657, "reverseHttpX-Forwarded-Server", T::String, S::Default, U::None),
    element(6871, 16658, "reverseHttpX-DeviceID", T::String, S::Default, U::None),
    element(6871, 16659, "reverseHttpX-Profile", T::String, S::Default, U::None),
    element(6871, 16660, "reverseHttpLastModified", T::String, S::Default, U::None),
    element(6871, 16661, "reverseHttpContentEncoding", T::String, S::Default, U::None),
    element(6871, 16662, "reverseHttpContentLanguage", T::String, S::Default, U::None),
    element(6871, 16663, "reverseHttpContentLocation", T::String, S::Default, U::None),
    element(6871, 16664, "reverseHttpX-UA-Compatible", T::String, S::Default, U::None),
    element(6871, 16665, "reverseDnp3SourceAddress", T::Unsigned16, S::Default, U::None),
    element(6871, 16666, "reverseDnp3DestinationAddress", T::Unsigned16, S::Default, U::None),
    element(6871, 16667, "reverseDnp3Function", T::Unsigned8, S::Default, U::None),
    element(6871, 16668, "reverseDnp3ObjectData", T::OctetArray, S::Default, U::None),
    element(6871, 16669, "reverseModbusData", T::OctetArray, S::Default, U::None),
    element(6871, 16670, "reverseEthernetIPData", T::OctetArray, S::Default, U::None),
    element(6871, 16671, "reverseRtpPayloadType", T::Unsigned8, S::Default, U::None),
    element(6871, 16672, "reverseSslRecordVersion", T::Unsigned16, S::Default, U::None),
    element(6871, 16673, "reverseMptcpInitialDataSequenceNumber", T::Unsigned64, S::Default, U::None),
    element(6871, 16674, "reverseMptcpReceiverToken", T::Unsigned32, S::Identifier, U::None),
    element(6871, 16675, "reverseMptcpMaximumSegmentSize", T::Unsigned16, S::Default, U::None),
    element(6871, 16676, "reverseMptcpAddressID", T::Unsigned8, S::Identifier, U::None),
    element(6871, 16677, "reverseMptcpFlags", T::Unsigned8, S::Flags, U::None),
    element(6871, 16678, "reverseSslServerName", T::String, S::Default, U::None),
    element(6871, 16679, "reverseSslCertificateHash", T::OctetArray, S::Default, U::None),
    element(6871, 16680, "reverseSslCertificate", T::OctetArray, S::Default, U::None),
    element(6871, 16681, "reverseDhcpOption", T::Unsigned8, S::Default, U::None),
    element(6871, 16682, "reverseSslCertificateSHA1", T::OctetArray, S::Default, U::None),
    element(6871, 16683, "reverseSslCertificateMD5", T::OctetArray, S::Default, U::None),
    element(6871, 16684, "reverseNDPIL7Protocol", T::Unsigned16, S::Identifier, U::None),
    element(6871, 16685, "reverseNDPIL7SubProtocol", T::Unsigned16, S::Identifier, U::None),
    element(6871, 16884, "reverseSmallPacketCount", T::Unsigned32, S::TotalCounter, U::Packets),
    element(6871, 16885, "reverseNonEmptyPacketCount", T::Unsigned32, S::TotalCounter, U::Packets),
    element(6871, 16886, "reverseDataByteCount", T::Unsigned64, S::TotalCounter, U::Octets),
    element(6871, 16887, "reverseAverageInterarrivalTime", T::Unsigned64, S::Default, U::Milliseconds),
    element(6871, 16888, "reverseStandardDeviationInterarrivalTime", T::Unsigned64, S::Default, U::Milliseconds),
    element(6871, 16889, "reverseFirstNonEmptyPacketSize", T::Unsigned16, S::Quantity, U::Octets),
    element(6871, 16890, "reverseMaxPacketSize", T::Unsigned16, S::Quantity, U::Octets),
    element(6871, 16891, "reverseFirstEightNonEmptyPacketDirections", T::Unsigned8, S::Flags, U::None),
    element(6871, 16892, "reverseStandardDeviationPayloadLength", T::Unsigned16, S::Default, U::Octets),
    element(6871, 16893, "reverseTcpUrgentCount", T::Unsigned32, S::TotalCounter, U::Packets),
    element(6871, 16894, "reverseLargePacketCount", T::Unsigned32, S::TotalCounter, U::Packets),
    element(6871, 16934, "reverseTombstoneId", T::Unsigned32, S::Identifier, U::None),
    element(6871, 16935, "reverseExporterConfiguredId", T::Unsigned16, S::Identifier, U::None),
    element(6871, 16936, "reverseExporterUniqueId", T::Unsigned16, S::Identifier, U::None),
    element(6871, 17311, "reverseDnsRName", T::String, S::Default, U::None),
    element(6871, 17312, "reverseDnsHitCount", T::Unsigned16, S::Default, U::None),
    element(6871, 17313, "reverseObservedDataTotalCount", T::Unsigned64, S::TotalCounter, U::None),
    element(6871, 17314, "reverseObservedData", T::OctetArray, S::Default, U::None),
    element(6871, 17384, "reverseTemplateName", T::String, S::Default, U::None),
    element(6871, 17385, "reverseTemplateDescription", T::String, S::Default, U::None),
];

/// VMware (NSX, vSphere Distributed Switch, Open vSwitch)
pub(super) static VMWARE: [InformationElement; 17] = [
    element(6876, 880, "tenantProtocol", T::Unsigned8, S::Default, U::None),
    element(6876, 881, "tenantSourceIPv4", T::Ipv4Address, S::Default, U::None),
    element(6876, 882, "tenantDestIPv4", T::Ipv4Address, S::Default, U::None),
    element(6876, 883, "tenantSourceIPv6", T::Ipv6Address, S::Default, U::None),
    element(6876, 884, "tenantDestIPv6", T::Ipv6Address, S::Default, U::None),
    element(6876, 886, "tenantSourcePort", T::Unsigned16, S::Default, U::None),
    element(6876, 887, "tenantDestPort", T::Unsigned16, S::Default, U::None),
    element(6876, 888, "egressInterfaceAttr", T::Unsigned16, S::Default, U::None),
    element(6876, 889, "vxlanExportRole", T::Unsigned8, S::Default, U::None),
    element(6876, 890, "ingressInterfaceAttr", T::Unsigned16, S::Default, U::None),
    element(6876, 891, "tunnelType", T::Unsigned8, S::Identifier, U::None),
    element(6876, 892, "tunnelKey", T::OctetArray, S::Default, U::None),
    element(6876, 893, "tunnelSourceIPv4Address", T::Ipv4Address, S::Default, U::None),
    element(6876, 894, "tunnelDestinationIPv4Address", T::Ipv4Address, S::Default, U::None),
    element(6876, 895, "tunnelProtocolIdentifier", T::Unsigned8, S::Identifier, U::None),
    element(6876, 896, "tunnelSourceTransportPort", T::Unsigned16, S::Identifier, U::None),
    element(6876, 897, "tunnelDestinationTransportPort", T::Unsigned16, S::Identifier, U::None),
];

/// CESNET (ipfixprobe)
pub(super) static CESNET: [InformationElement; 140] = [
    element(8057, 1, "DNSRCode", T::Unsigned8, S::Default, U::None),
    element(8057, 2, "DNSName", T::String, S::Default, U::None),
    element(8057, 3, "DNSQType", T::Unsigned16, S::Default, U::None),
    element(8057, 4, "DNSClass", T::Unsigned16, S::Default, U::None),
    element(8057, 5, "DNSRRTTL", T::Unsigned32, S::Default, U::None),
    element(8057, 6, "DNSRDataLength", T::Unsigned16, S::Default, U::None),
    element(8057, 7, "DNSRData", T::String, S::Default, U::None),
    element(8057, 8, "DNSPSize", T::Unsigned16, S::Default, U::None),
    element(8057, 9, "DNSRDO", T::Unsigned8, S::Default, U::None),
    element(8057, 10, "DNSTransactionID", T::Unsigned16, S::Default, U::None),
    element(8057, 11, "DNSAType", T::Unsigned16, S::Default, U::None),
    element(8057, 14, "DNSAnswers", T::Unsigned16, S::Default, U::None),
    element(8057, 18, "NTPLeap", T::Unsigned8, S::Default, U::None),
    element(8057, 19, "NTPVersion", T::Unsigned8, S::Default, U::None),
    element(8057, 20, "NTPMode", T::Unsigned8, S::Default, U::None),
    element(8057, 21, "NTPStratum", T::Unsigned8, S::Default, U::None),
    element(8057, 22, "NTPPoll", T::Unsigned8, S::Default, U::None),
    element(8057, 23, "NTPPrecision", T::Unsigned8, S::Default, U::None),
    element(8057, 24, "NTPDelay", T::Unsigned32, S::Default, U::None),
    element(8057, 25, "NTPDispersion", T::Unsigned32, S::Default, U::None),
    element(8057, 26, "NTPRefID", T::String, S::Default, U::None),
    element(8057, 27, "NTPRef", T::String, S::Default, U::None),
    element(8057, 28, "NTPOrig", T::String, S::Default, U::None),
    element(8057, 29, "NTPRecv", T::String, S::Default, U::None),
    element(8057, 30, "NTPSent", T::String, S::Default, U::None),
    element(8057, 31, "ARPHAFormat", T::Unsigned16, S::Default, U::None),
    element(8057, 32, "ARPPAFormat", T::Unsigned16, S::Default, U::None),
    element(8057, 33, "ARPOpcode", T::Unsigned16, S::Default, U::None),
    element(8057, 34, "ARPSrcHA", T::String, S::Default, U::None),
    element(8057, 35, "ARPSrcPA", T::String, S::Default, U::None),
    element(8057, 36, "ARPDstHA", T::String, S::Default, U::None),
    element(8057, 37, "ARPDstPa", T::String, S::Default, U::None),
    element(8057, 100, "SIPMsgType", T::Unsigned16, S::Default, U::None),
    element(8057, 101, "SIPStatusCode", T::Unsigned16, S::Default, U::None),
    element(8057, 102, "SIPCallID", T::String, S::Default, U::None),
    element(8057, 103, "SIPCallingParty", T::String, S::Default, U::None),
    element(8057, 104, "SIPCalledParty", T::String, S::Default, U::None),
    element(8057, 105, "SIPVia", T::String, S::Default, U::None),
    element(8057, 106, "SIPUserAgent", T::String, S::Default, U::None),
    element(8057, 107, "SIPRequestURI", T::String, S::Default, U::None),
    element(8057, 108, "SIPCseq", T::String, S::Default, U::None),
    element(8057, 200, "httpMethod", T::String, S::Default, U::None),
    element(8057, 201, "httpServer", T::String, S::Default, U::None),
    element(8057, 202, "httpCookieNames", T::String, S::Default, U::None),
    element(8057, 802, "tlsExtTypeField", T::Unsigned16, S::Default, U::None),
    element(8057, 803, "tlsExtLenField", T::Unsigned16, S::Default, U::None),
    element(8057, 804, "statsTLSSize", T::Unsigned16, S::Default, U::Octets),
    element(8057, 805, "statsTLSTimestamp", T::DateTimeMilliseconds, S::Default, U::Milliseconds),
    element(8057, 806, "statsTLSDirection", T::Signed8, S::Default, U::None),
    element(8057, 807, "statsTLSType", T::Unsigned8, S::Default, U::None),
    element(8057, 808, "TLSSNI", T::String, S::Default, U::None),
    element(8057, 810, "SMTPCommands", T::Unsigned32, S::Default, U::None),
    element(8057, 811, "SMTPMailCount", T::Unsigned32, S::Default, U::None),
    element(8057, 812, "SMTPRcptCount", T::Unsigned32, S::Default, U::None),
    element(8057, 813, "SMTPSender", T::String, S::Default, U::None),
    element(8057, 814, "SMTPRecipient", T::String, S::Default, U::None),
    element(8057, 815, "SMTPStatusCodes", T::Unsigned32, S::Default, U::None),
    element(8057, 816, "SMTPCode2XXCount", T::Unsigned32, S::Default, U::None),
    element(8057, 817, "SMTPCode3XXCount", T::Unsigned32, S::Default, U::None),
    element(8057, 818, "SMTPCode4XXCount", T::Unsigned32, S::Default, U::None),
    element(8057, 819, "SMTPCode5XXCount", T::Unsigned32, S::Default, U::None),
    element(8057, 820, "SMTPDomain", T::String, S::Default, U::None),
    element(8057, 821, "SSDPLocationPort", T::Unsigned16, S::Default, U::None),
    element(8057, 822, "SSDPServer", T::String, S::Default, U::None),
    element(8057, 823, "SSDPUserAgent", T::String, S::Default, U::None),
    element(8057, 824, "SSDPNT", T::String, S::Default, U::None),
    element(8057, 825, "SSDPST", T::String, S::Default, U::None),
    element(8057, 826, "DNSSDQueries", T::String, S::Default, U::None),
    element(8057, 827, "DNSSDResponses", T::String, S::Default, U::None),
    element(8057, 828, "OVPNConfLevel", T::Unsigned8, S::Default, U::None),
    element(8057, 831, "NBName", T::String, S::Default, U::None),
    element(8057, 832, "NBSuffix", T::Unsigned8, S::Default, U::None),
    element(8057, 850, "IDPContent", T::OctetArray, S::Default, U::None),
    element(8057, 851, "IDPContentRev", T::OctetArray, S::Default, U::None),
    element(8057, 852, "OSQueryProgramName", T::String, S::Default, U::None),
    element(8057, 853, "OSQueryUsername", T::String, S::Default, U::None),
    element(8057, 854, "OSQueryOSName", T::String, S::Default, U::None),
    element(8057, 855, "OSQueryOSMajor", T::Unsigned16, S::Default, U::None),
    element(8057, 856, "OSQueryOSMinor", T::Unsigned16, S::Default, U::None),
    element(8057, 857, "OSQueryOSBuild", T::String, S::Default, U::None),
    element(8057, 858, "OSQueryOSPlatform", T::String, S::Default, U::None),
    element(8057, 859, "OSQueryOSPlatformLike", T::String, S::Default, U::None),
    element(8057, 860, "OSQueryOSArch", T::String, S::Default, U::None),
    element(8057, 861, "OSQueryKernelVersion", T::String, S::Default, U::None),
    element(8057, 862, "OSQuerySystemHostname", T::String, S::Default, U::None),
    element(8057, 883, "quicTlsExt", T::OctetArray, S::Default, U::None),
    element(8057, 884, "quicTlsExtLen", T::Unsigned16, S::Default, U::None),
    element(8057, 885, "quicTlsExtType", T::Unsigned16, S::Default, U::None),
    element(8057, 886, "quicCHParsed", T::Unsigned8, S::Default, U::None),
    element(8057, 887, "quicServerPort", T::Unsigned16, S::Default, U::None),
    element(8057, 888, "quicPackets", T::Unsigned8, S::Default, U::None),
    element(8057, 889, "quicZeroRTT", T::Unsigned8, S::Default, U::None),
    element(8057, 890, "quicSNI", T::String, S::Default, U::None),
    element(8057, 891, "quicUserAgent", T::String, S::Default, U::None),
    element(8057, 892, "quicVersion", T::Unsigned32, S::Default, U::None),
    element(8057, 893, "quicClientVersion", T::Unsigned32, S::Default, U::None),
    element(8057, 894, "quicTokenLength", T::Unsigned64, S::Default, U::None),
    element(8057, 895, "quicOCCID", T::OctetArray, S::Default, U::None),
    element(8057, 896, "quicOSCID", T::OctetArray, S::Default, U::None),
    element(8057, 897, "quicSCID", T::OctetArray, S::Default, U::None),
    element(8057, 898, "quicRetrySCID", T::OctetArray, S::Default, U::None),
    element(8057, 899, "quicMultiplexed", T::Unsigned8, S::Default, U::None),
    element(8057, 900, "tcpMss", T::Unsigned32, S::Default, U::None),
    element(8057, 901, "tcpMssRev", T::Unsigned32, S::Default, U::None),
    element(8057, 902, "tcpSynSize", T::Unsigned16, S::Default, U::None),
    element(8057, 903, "ssaConfLevel", T::Unsigned8, S::Default, U::None),
    element(8057, 1013, "packetLength", T::Signed16, S::Default, U::Octets),
    element(8057, 1014, "packetTime", T::DateTimeMilliseconds, S::Default, U::Milliseconds),
    element(8057, 1015, "packetFlag", T::Unsigned8, S::Flags, U::None),
    element(8057, 1016, "packetDirection", T::Signed8, S::Default, U::None),
    element(8057, 1020, "ntsMeanPacketPayload", T::Float32, S::Default, U::None),
    element(8057, 1021, "ntsMinPacketPayload", T::Unsigned16, S::Default, U::None),
    element(8057, 1022, "ntsMaxPacketPayload", T::Unsigned16, S::Default, U::None),
    element(8057, 1023, "ntsStdevPacketPayload", T::Float32, S::Default, U::None),
    element(8057, 1024, "ntsKurtosisPacketPayload", T::Float32, S::Default, U::None),
    element(8057, 1025, "ntsRootMeanSquarePacketPayload", T::Float32, S::Default, U::None),
    element(8057, 1026, "ntsAverageDispersionPacketPayload", T::Float32, S::Default, U::None),
    element(8057, 1027, "ntsMeanScaledTime", T::Float32, S::Default, U::None),
    element(8057, 1028, "ntsMeanDifftimes", T::Float32, S::Default, U::None),
    element(8057, 1029, "ntsMinDifftimes", T::Float32, S::Default, U::None),
    element(8057, 1030, "ntsMaxDifftimes", T::Float32, S::Default, U::None),
    element(8057, 1031, "ntsTimeDistribution", T::Float32, S::Default, U::None),
    element(8057, 1032, "ntsSwitchingRatio", T::Float32, S::Default, U::None),
    element(8057, 1050, "burstSrcPackets", T::Unsigned16, S::Default, U::Packets),
    element(8057, 1051, "burstSrcBytes", T::Unsigned16, S::Default, U::Octets),
    element(8057, 1052, "burstSrcTimeStart", T::DateTimeMilliseconds, S::Default, U::Milliseconds),
    element(8057, 1053, "burstSrcTimeStop", T::DateTimeMilliseconds, S::Default, U::Milliseconds),
    element(8057, 1054, "burstDstPackets", T::Unsigned16, S::Default, U::Packets),
    element(8057, 1055, "burstDstBytes", T::Unsigned16, S::Default, U::Octets),
    element(8057, 1056, "burstDstTimeStart", T::DateTimeMilliseconds, S::Default, U::Milliseconds),
    element(8057, 1057, "burstDstTimeStop", T::DateTimeMilliseconds, S::Default, U::Milliseconds),
    element(8057, 1060, "phistSrcSizes", T::Unsigned32, S::Default, U::None),
    element(8057, 1061, "phistSrcInterPacketTime", T::Unsigned32, S::Default, U::None),
    element(8057, 1062, "phistDstSizes", T::Unsigned32, S::Default, U::None),
    element(8057, 1063, "phistDstInterPacketTime", T::Unsigned32, S::Default, U::None),
    element(8057, 1100, "WGConfLevel", T::Unsigned8, S::Default, U::None),
    element(8057, 1101, "WGSrcPeer", T::Unsigned32, S::Default, U::None),
    element(8057, 1102, "WGDstPeer", T::Unsigned32, S::Default, U::None),
    element(8057, 1200, "scitagExperimentID", T::Unsigned16, S::Default, U::None),
    element(8057, 1201, "scitagExperimentAct", T::Unsigned8, S::Default, U::None),
];

/// Sophos (Astaro)
pub(super) static SOPHOS: [InformationElement; 3] = [
    element(9789, 1, "afcProtocol", T::Unsigned16, S::Identifier, U::None),
    element(9789, 2, "afcProtocolName", T::String, S::Default, U::None),
    element(9789, 4, "flowDirection", T::Unsigned8, S::Identifier, U::None),
];

/// Barracuda (CloudGen Firewall)
pub(super) static BARRACUDA: [InformationElement; 12] = [
    element(10704, 1, "timestamp", T::DateTimeSeconds, S::Default, U::None),
    element(10704, 2, "logOp", T::Unsigned8, S::Identifier, U::None),
    element(10704, 3, "trafficType", T::Unsigned8, S::Identifier, U::None),
    element(10704, 4, "fwRule", T::String, S::Default, U::None),
    element(10704, 5, "serviceName", T::String, S::Default, U::None),
    element(10704, 6, "reason", T::Unsigned32, S::Default, U::None),
    element(10704, 7, "reasonText", T::String, S::Default, U::None),
    element(10704, 8, "bindIPv4Address", T::Ipv4Address, S::Default, U::None),
    element(10704, 9, "bindTransportPort", T::Unsigned16, S::Default, U::None),
    element(10704, 10, "connIPv4Address", T::Ipv4Address, S::Default, U::None),
    element(10704, 11, "connTransportPort", T::Unsigned16, S::Default, U::None),
    element(10704, 12, "auditCounter", T::Unsigned32, S::Default, U::None),
];

/// phion (Barracuda CloudGen Firewall under its former number)
pub(super) static PHION: [InformationElement; 12] = [
    element(12326, 1, "timestamp", T::DateTimeSeconds, S::Default, U::None),
    element(12326, 2, "logOp", T::Unsigned8, S::Identifier, U::None),
    element(12326, 3, "trafficType", T::Unsigned8, S::Identifier, U::None),
    element(12326, 4, "fwRule", T::String, S::Default, U::None),
    element(12326, 5, "serviceName", T::String, S::Default, U::None),
    element(12326, 6, "reason", T::Unsigned32, S::Default, U::None),
    element(12326, 7, "reasonText", T::String, S::Default, U::None),
    element(12326, 8, "bindIPv4Address", T::Ipv4Address, S::Default, U::None),
    element(12326, 9, "bindTransportPort", T::Unsigned16, S::Default, U::None),
    element(12326, 10, "connIPv4Address", T::Ipv4Address, S::Default, U::None),
    element(12326, 11, "connTransportPort", T::Unsigned16, S::Default, U::None),
    element(12326, 12, "auditCounter", T::Unsigned32, S::Default, U::None),
];

/// Procera Networks (Sandvine)
pub(super) static PROCERA: [InformationElement; 66] = [
    element(15397, 1, "service", T::String, S::Default, U::None),
    element(15397, 2, "baseService", T::String, S::Default, U::None),
    element(15397, 3, "incomingOctets", T::Unsigned64, S::DeltaCounter, U::Octets),
    element(15397, 4, "outgoingOctets", T::Unsigned64, S::DeltaCounter, U::Octets),
    element(15397, 5, "incomingPackets", T::Unsigned64, S::DeltaCounter, U::Packets),
    element(15397, 6, "outgoingPackets", T::Unsigned64, S::DeltaCounter, U::Packets),
    element(15397, 7, "incomingShapingLatency", T::Unsigned16, S::Default, U::None),
    element(15397, 8, "outgoingShapingLatency", T::Unsigned16, S::Default, U::None),
    element(15397, 9, "incomingShapingDrops", T::Unsigned32, S::Default, U::None),
    element(15397, 10, "outgoingShapingDrops", T::Unsigned32, S::Default, U::None),
    element(15397, 11, "internalRtt", T::Signed32, S::Default, U::None),
    element(15397, 12, "externalRtt", T::Signed32, S::Default, U::None),
    element(15397, 15, "flowBehavior", T::String, S::Default, U::None),
    element(15397, 16, "contentCategories", T::String, S::Default, U::None),
    element(15397, 17, "property", T::String, S::Default, U::None),
    element(15397, 18, "serverHostname", T::String, S::Default, U::None),
    element(15397, 19, "httpRequestMethod", T::String, S::Default, U::None),
    element(15397, 20, "httpUserAgent", T::String, S::Default, U::None),
    element(15397, 21, "httpContentType", T::String, S::Default, U::None),
    element(15397, 22, "httpUrl", T::String, S::Default, U::None),
    element(15397, 23, "httpReferer", T::String, S::Default, U::None),
    element(15397, 24, "httpResponseStatus", T::Unsigned16, S::Default, U::None),
    element(15397, 25, "httpFileLength", T::Unsigned32, S::Default, U::None),
    element(15397, 26, "httpLocation", T::String, S::Default, U::None),
    element(15397, 27, "httpLanguage", T::String, S::Default, U::None),
    element(15397, 28, "subscriberIdentifier", T::String, S::Default, U::None),
    element(15397, 29, "msisdn", T::Unsigned64, S::Identifier, U::None),
    element(15397, 30, "imsi", T::Unsigned64, S::Identifier, U::None),
    element(15397, 31, "rat", T::String, S::Default, U::None),
    element(15397, 32, "deviceId", T::Unsigned64, S::Identifier, U::None),
    element(15397, 33, "sgsn", T::String, S::Default, U::None),
    element(15397, 34, "rnc", T::Unsigned16, S::Default, U::None),
    element(15397, 35, "apn", T::String, S::Default, U::None),
    element(15397, 36, "userLocationInformation", T::String, S::Default, U::None),
    element(15397, 37, "ggsn", T::String, S::Default, U::None),
    element(15397, 38, "qoeIncomingInternal", T::Float64, S::Default, U::None),
    element(15397, 39, "qoeIncomingExternal", T::Float64, S::Default, U::None),
    element(15397, 40, "qoeOutgoingInternal", T::Float64, S::Default, U::None),
    element(15397, 41, "qoeOutgoingExternal", T::Float64, S::Default, U::None),
    element(15397, 42, "localIPv4Host", T::Ipv4Address, S::Default, U::None),
    element(15397, 43, "localIPv6Host", T::Ipv6Address, S::Default, U::None),
    element(15397, 44, "remoteIPv4Host", T::Ipv4Address, S::Default, U::None),
    element(15397, 45, "remoteIPv6Host", T::Ipv6Address, S::Default, U::None),
    element(15397, 46, "httpRequestVersion", T::String, S::Default, U::None),
    element(15397, 47, "templateName", T::String, S::Default, U::None),
    element(15397, 49, "incomingDscp", T::Unsigned8, S::Identifier, U::None),
    element(15397, 50, "outgoingDscp", T::Unsigned8, S::Identifier, U::None),
    element(15397, 51, "incomingDot1qVlanIdLevel1", T::Unsigned16, S::Identifier, U::None),
    element(15397, 52, "incomingDot1qVlanIdLevel2", T::Unsigned16, S::Identifier, U::None),
    element(15397, 53, "incomingDot1qVlanIdLevel3", T::Unsigned16, S::Identifier, U::None),
    element(15397, 54, "incomingDot1qVlanIdLevel4", T::Unsigned16, S::Identifier, U::None),
    element(15397, 55, "outgoingDot1qVlanIdLevel1", T::Unsigned16, S::Identifier, U::None),
    element(15397, 56, "outgoingDot1qVlanIdLevel2", T::Unsigned16, S::Identifier, U::None),
    element(15397, 57, "outgoingDot1qVlanIdLevel3", T::Unsigned16, S::Identifier, U::None),
    element(15397, 58, "outgoingDot1qVlanIdLevel4", T::Unsigned16, S::Identifier, U::None),
    element(15397, 59, "incomingDot1qPriorityLevel1", T::Signed8, S::Default, U::None),
    element(15397, 60, "incomingDot1qPriorityLevel2", T::Signed8, S::Default, U::None),
    element(15397, 61, "incomingDot1qPriorityLevel3", T::Signed8, S::Default, U::None),
    element(15397, 62, "incomingDot1qPriorityLevel4", T::Signed8, S::Default, U::None),
    element(15397, 63, "outgoingDot1qPriorityLevel1", T::Signed8, S::Default, U::None),
    element(15397, 64, "outgoingDot1qPriorityLevel2", T::Signed8, S::Default, U::None),
    element(15397, 65, "outgoingDot1qPriorityLevel3", T::Signed8, S::Default, U::None),
    element(15397, 66, "outgoingDot1qPriorityLevel4", T::Signed8, S::Default, U::None),
    element(15397, 67, "internalJitter", T::Signed32, S::Default, U::None),
    element(15397, 69, "serviceObject", T::String, S::Default, U::None),
    element(15397, 70, "remoteGeoIP", T::String, S::Default, U::None),
];

/// ipt_NETFLOW (number of its author)
pub(super) static IPT_NETFLOW: [InformationElement; 2] = [
    element(21373, 4, "mark", T::Unsigned32, S::Identifier, U::None),
    element(21373, 6, "conntrackId", T::Unsigned32, S::Identifier, U::None),
];

/// Gigamon (GigaVUE metadata)
pub(super) static GIGAMON: [InformationElement; 66] = [
    element(26866, 1, "httpReqUrl", T::String, S::Default, U::None),
    element(26866, 2, "httpRspStatus", T::Unsigned16, S::Default, U::None),
    element(26866, 3, "httpUserAgent", T::String, S::Default, U::None),
    element(26866, 101, "sslCertificateIssuerCommonName", T::String, S::Default, U::None),
    element(26866, 102, "sslCertificateSubjectCommonName", T::String, S::Default, U::None),
    element(26866, 103, "sslCertificateIssuer", T::String, S::Default, U::None),
    element(26866, 104, "sslCertificateSubject", T::String, S::Default, U::None),
    element(26866, 105, "sslCertificateValidNotBefore", T::String, S::Default, U::None),
    element(26866, 106, "sslCertificateValidNotAfter", T::String, S::Default, U::None),
    element(26866, 107, "sslCertificateSerialNumber", T::OctetArray, S::Default, U::None),
    element(26866, 108, "sslCertificateSignatureAlgorithm", T::OctetArray, S::Default, U::None),
    element(26866, 109, "sslCertificateSubjectPubAlgorithm", T::OctetArray, S::Default, U::None),
    element(26866, 110, "sslCertificateSubjectPubKeySize", T::Unsigned16, S::Default, U::None),
    element(26866, 111, "sslCertificateSubjectAltName", T::String, S::Default, U::None),
    element(26866, 112, "sslServerNameIndication", T::String, S::Default, U::None),
    element(26866, 113, "sslServerVersion", T::Unsigned16, S::Default, U::None),
    element(26866, 114, "sslServerCipher", T::Unsigned16, S::Default, U::None),
    element(26866, 115, "sslServerCompressionMethod", T::Unsigned8, S::Default, U::None),
    element(26866, 116, "sslServerSessionId", T::OctetArray, S::Default, U::None),
    element(26866, 201, "dnsIdentifier", T::Unsigned16, S::Default, U::None),
    element(26866, 202, "dnsOpCode", T::Unsigned8, S::Identifier, U::None),
    element(26866, 203, "dnsResponseCode", T::Unsigned8, S::Identifier, U::None),
    element(26866, 204, "dnsQueryName", T::String, S::Default, U::None),
    element(26866, 205, "dnsResponseName", T::String, S::Default, U::None),
    element(26866, 206, "dnsResponseTTL", T::Unsigned32, S::Default, U::None),
    element(26866, 207, "dnsResponseIPv4Address", T::Ipv4Address, S::Default, U::None),
    element(26866, 208, "dnsResponseIPv6Address", T::Ipv6Address, S::Default, U::None),
    element(26866, 209, "dnsBits", T::String, S::Default, U::None),
    element(26866, 210, "dnsQdCount", T::Unsigned16, S::Default, U::None),
    element(26866, 211, "dnsAnCount", T::Unsigned16, S::Default, U::None),
    element(26866, 212, "dnsNsCount", T::Unsigned16, S::Default, U::None),
    element(26866, 213, "dnsArCount", T::Unsigned16, S::Default, U::None),
    element(26866, 214, "dnsQueryType", T::Unsigned16, S::Identifier, U::None),
    element(26866, 215, "dnsQueryClass", T::Unsigned16, S::Default, U::None),
    element(26866, 216, "dnsResponseType", T::Unsigned16, S::Identifier, U::None),
    element(26866, 217, "dnsResponseClass", T::Unsigned16, S::Default, U::None),
    element(26866, 218, "dnsResponseRdLength", T::Unsigned16, S::Default, U::None),
    element(26866, 219, "dnsResponseRdata", T::String, S::Default, U::None),
    element(26866, 220, "dnsAuthorityName", T::String, S::Default, U::None),
    element(26866, 221, "dnsAuthorityType", T::Unsigned16, S::Identifier, U::None),
    element(26866, 222, "dnsAuthorityClass", T::Unsigned16, S::Default, U::None),
    element(26866, 223, "dnsAuthorityTTL", T::Unsigned32, S::Default, U::None),
    element(26866, 224, "dnsAuthorityRdLength", T::Unsigned16, S::Default, U::None),
    element(26866, 225, "dnsAuthorityRdata", T::String, S::Default, U::None),
    element(26866, 226, "dnsAdditionalName", T::String, S::Default, U::None),
    element(26866, 227, "dnsAdditionalType", T::Unsigned16, S::Identifier, U::None),
    element(26866, 228, "dnsAdditionalClass", T::Unsigned16, S::Default, U::None),
    element(26866, 229, "dnsAdditionalTTL", T::Unsigned32, S::Default, U::None),
    element(26866, 230, "dnsAdditionalRdLength", T::Unsigned16, S::Default, U::None),
    element(26866, 231, "dnsAdditionalRdata", T::String, S::Default, U::None),
    element(26866, 1958, "dnsQuery", T::String, S::Default, U::None),
    element(26866, 2228, "http2HeaderRaw", T::String, S::Default, U::None),
    element(26866, 2237, "http2Method", T::String, S::Default, U::None),
    element(26866, 2238, "http2MimeType", T::String, S::Default, U::None),
    element(26866, 2250, "http2UserAgent", T::String, S::Default, U::None),
    element(26866, 2531, "sslServerHelloExtensionType", T::Unsigned32, S::Identifier, U::None),
    element(26866, 2532, "sslRequestSize", T::Unsigned32, S::Default, U::None),
    element(26866, 2533, "sslHandshakeType", T::Unsigned32, S::Identifier, U::None),
    element(26866, 2535, "sslClientHelloExtensionType", T::Unsigned32, S::Identifier, U::None),
    element(26866, 2545, "sslIssuer", T::String, S::Default, U::None),
    element(26866, 2548, "sslServerNameRaw", T::String, S::Default, U::None),
    element(26866, 4676, "httpHost", T::String, S::Default, U::None),
    element(26866, 4681, "httpUriRaw", T::String, S::Default, U::None),
    element(26866, 4702, "httpServerAgent", T::String, S::Default, U::None),
    element(26866, 4721, "httpUriFull", T::String, S::Default, U::None),
    element(26866, 4745, "httpUri", T::String, S::Default, U::None),
];

/// ntop (nProbe)
pub(super) static NTOP: [InformationElement; 95] = [
    element(35632, 78, "clientTcpFlags", T::Unsigned64, S::Default, U::None),
    element(35632, 79, "serverTcpFlags", T::Unsigned64, S::Default, U::None),
    element(35632, 80, "srcFragments", T::Unsigned64, S::Default, U::None),
    element(35632, 81, "dstFragments", T::Unsigned64, S::Default, U::None),
    element(35632, 82, "srcToDstMaxThroughput", T::Unsigned64, S::Default, U::None),
    element(35632, 83, "srcToDstMinThroughput", T::Unsigned64, S::Default, U::None),
    element(35632, 84, "srcToDstAvgThroughput", T::Unsigned64, S::Default, U::None),
    element(35632, 85, "dstToSrcMaxThroughput", T::Unsigned64, S::Default, U::None),
    element(35632, 86, "dstToSrcMinThroughput", T::Unsigned64, S::Default, U::None),
    element(35632, 87, "dstToSrcAvgThroughput", T::Unsigned64, S::Default, U::None),
    element(35632, 88, "pktsUpTo128Bytes", T::Unsigned64, S::Default, U::None),
    element(35632, 89, "pkts128To256Bytes", T::Unsigned64, S::Default, U::None),
    element(35632, 90, "pkts256To512Bytes", T::Unsigned64, S::Default, U::None),
    element(35632, 91, "pkts512To1024Bytes", T::Unsigned64, S::Default, U::None),
    element(35632, 92, "pkts1024To1514Bytes", T::Unsigned64, S::Default, U::None),
    element(35632, 93, "pktsOver1514Bytes", T::Unsigned64, S::Default, U::None),
    element(35632, 98, "cumulativeIcmpType", T::Unsigned64, S::Default, U::None),
    element(35632, 101, "srcIpCountry", T::String, S::Default, U::None),
    element(35632, 102, "srcIpCity", T::String, S::Default, U::None),
    element(35632, 103, "dstIpCountry", T::String, S::Default, U::None),
    element(35632, 104, "dstIpCity", T::String, S::Default, U::None),
    element(35632, 105, "flowProtoPort", T::Unsigned64, S::Default, U::None),
    element(35632, 106, "upstreamTunnelId", T::Unsigned64, S::Default, U::None),
    element(35632, 107, "longestFlowPkt", T::Unsigned64, S::Default, U::None),
    element(35632, 108, "shortestFlowPkt", T::Unsigned64, S::Default, U::None),
    element(35632, 109, "retransmittedInPkts", T::Unsigned64, S::Default, U::None),
    element(35632, 110, "retransmittedOutPkts", T::Unsigned64, S::Default, U::None),
    element(35632, 111, "ooorderInPkts", T::Unsigned64, S::Default, U::None),
    element(35632, 112, "ooorderOutPkts", T::Unsigned64, S::Default, U::None),
    element(35632, 113, "untunneledProtocol", T::Unsigned8, S::Default, U::None),
    element(35632, 114, "untunneledIpv4SrcAddr", T::Ipv4Address, S::Default, U::None),
    element(35632, 115, "untunneledL4SrcPort", T::Unsigned64, S::Default, U::None),
    element(35632, 116, "untunneledIpv4DstAddr", T::Ipv4Address, S::Default, U::None),
    element(35632, 117, "untunneledL4DstPort", T::Unsigned64, S::Default, U::None),
    element(35632, 118, "l7Proto", T::Unsigned64, S::Default, U::None),
    element(35632, 119, "l7ProtoName", T::String, S::Default, U::None),
    element(35632, 120, "downstreamTunnelId", T::Unsigned64, S::Default, U::None),
    element(35632, 121, "flowUserName", T::String, S::Default, U::None),
    element(35632, 122, "flowServerName", T::String, S::Default, U::None),
    element(35632, 123, "clientNwLatencyMs", T::Unsigned64, S::Default, U::None),
    element(35632, 124, "serverNwLatencyMs", T::Unsigned64, S::Default, U::None),
    element(35632, 125, "appLatencyMs", T::Unsigned64, S::Default, U::None),
    element(35632, 126, "pluginName", T::String, S::Default, U::None),
    element(35632, 127, "retransmittedInBytes", T::Unsigned64, S::Default, U::None),
    element(35632, 128, "retransmittedOutBytes", T::Unsigned64, S::Default, U::None),
    element(35632, 188, "sslServerName", T::String, S::Default, U::None),
    element(35632, 189, "bittorrentHash", T::String, S::Default, U::None),
    element(35632, 334, "pktsTtl532", T::Unsigned64, S::Default, U::None),
    element(35632, 335, "pktsTtl3264", T::Unsigned64, S::Default, U::None),
    element(35632, 336, "pktsTtl6496", T::Unsigned64, S::Default, U::None),
    element(35632, 337, "pktsTtl96128", T::Unsigned64, S::Default, U::None),
    element(35632, 338, "pktsTtl128160", T::Unsigned64, S::Default, U::None),
    element(35632, 339, "pktsTtl160192", T::Unsigned64, S::Default, U::None),
    element(35632, 340, "pktsTtl192224", T::Unsigned64, S::Default, U::None),
    element(35632, 341, "pktsTtl224255", T::Unsigned64, S::Default, U::None),
    element(35632, 346, "pktsTtl25", T::Unsigned64, S::Default, U::None),
    element(35632, 347, "pktsTtlEq1", T::Unsigned64, S::Default, U::None),
    element(35632, 349, "inSrcOsiSap", T::OctetArray, S::Default, U::None),
    element(35632, 350, "outDstOsiSap", T::OctetArray, S::Default, U::None),
    element(35632, 391, "durationIn", T::Unsigned64, S::Default, U::None),
    element(35632, 392, "durationOut", T::Unsigned64, S::Default, U::None),
    element(35632, 396, "untunneledIpv6SrcAddr", T::Ipv6Address, S::Default, U::None),
    element(35632, 397, "untunneledIpv6DstAddr", T::Ipv6Address, S::Default, U::None),
    element(35632, 415, "tcpWinMinIn", T::Unsigned64, S::Default, U::None),
    element(35632, 416, "tcpWinMaxIn", T::Unsigned64, S::Default, U::None),
    element(35632, 417, "tcpWinMssIn", T::Unsigned64, S::Default, U::None),
    element(35632, 418, "tcpWinScaleIn", T::Unsigned64, S::Default, U::None),
    element(35632, 419, "tcpWinMinOut", T::Unsigned64, S::Default, U::None),
    element(35632, 420, "tcpWinMaxOut", T::Unsigned64, S::Default, U::None),
    element(35632, 421, "tcpWinMssOut", T::Unsigned64, S::Default, U::None),
    element(35632, 422, "tcpWinScaleOut", T::Unsigned64, S::Default, U::None),
    element(35632, 438, "payloadHash", T::Unsigned64, S::Default, U::None),
    element(35632, 443, "srcAsName", T::String, S::Default, U::None),
    element(35632, 444, "dstAsName", T::String, S::Default, U::None),
    element(35632, 446, "upstreamSessionId", T::Unsigned64, S::Default, U::None),
    element(35632, 447, "downstreamSessionId", T::Unsigned64, S::Default, U::None),
    element(35632, 448, "srcIpLong", T::OctetArray, S::Default, U::None),
    element(35632, 449, "srcIpLat", T::OctetArray, S::Default, U::None),
    element(35632, 450, "dstIpLong", T::OctetArray, S::Default, U::None),
    element(35632, 451, "dstIpLat", T::OctetArray, S::Default, U::None),
    element(35632, 471, "nprobeIpv4Address", T::Ipv4Address, S::Default, U::None),
    element(35632, 472, "srcToDstSecondBytes", T::Unsigned64, S::Default, U::None),
    element(35632, 473, "dstToSrcSecondBytes", T::Unsigned64, S::Default, U::None),
    element(35632, 489, "ja3cHash", T::String, S::Default, U::None),
    element(35632, 490, "ja3sHash", T::String, S::Default, U::None),
    element(35632, 491, "srcHostName", T::String, S::Default, U::None),
    element(35632, 492, "dstHostName", T::String, S::Default, U::None),
    element(35632, 493, "sslCipher", T::Unsigned64, S::Default, U::None),
    element(35632, 494, "sslUnsafeCipher", T::Unsigned64, S::Default, U::None),
    element(35632, 495, "sslVersion", T::Unsigned64, S::Default, U::None),
    element(35632, 1028, "protocolNtop", T::String, S::Default, U::None),
    element(35632, 1031, "l4SrcPortName", T::String, S::Default, U::None),
    element(35632, 1035, "l4DstPortName", T::String, S::Default, U::None),
    element(35632, 1036, "l4SrvPort", T::Unsigned64, S::Default, U::None),
    element(35632, 1037, "l4SrvPortName", T::String, S::Default, U::None),
];

/// Flowmon Networks
pub(super) static FLOWMON: [InformationElement; 202] = [
    element(39499, 1, "httpHost", T::String, S::Default, U::None),
    element(39499, 2, "httpUrl", T::String, S::Default, U::None),
    element(39499, 3, "httpReferer", T::String, S::Default, U::None),
    element(39499, 4, "httpMethodMask", T::Unsigned16, S::Default, U::None),
    element(39499, 10, "httpContentType", T::String, S::Default, U::None),
    element(39499, 11, "httpContentId", T::String, S::Default, U::None),
    element(39499, 12, "httpStatusCode", T::Unsigned16, S::Default, U::None),
    element(39499, 20, "httpUserAgent", T::String, S::Default, U::None),
    element(39499, 21, "httpUserAgentId", T::Unsigned32, S::Default, U::None),
    element(39499, 22, "httpUaOs", T::Unsigned16, S::Default, U::None),
    element(39499, 23, "httpUaOsMaj", T::Unsigned16, S::Default, U::None),
    element(39499, 24, "httpUaOsMin", T::Unsigned16, S::Default, U::None),
    element(39499, 25, "httpUaOsBld", T::Unsigned16, S::Default, U::None),
    element(39499, 26, "httpUaApp", T::Unsigned16, S::Default, U::None),
    element(39499, 27, "httpUaAppMaj", T::Unsigned16, S::Default, U::None),
    element(39499, 28, "httpUaAppMin", T::Unsigned16, S::Default, U::None),
    element(39499, 29, "httpUaAppBld", T::Unsigned16, S::Default, U::None),
    element(39499, 32, "voipPacketType", T::Unsigned8, S::Default, U::None),
    element(39499, 33, "sipCallId", T::String, S::Default, U::None),
    element(39499, 34, "sipCallingParty", T::String, S::Default, U::None),
    element(39499, 35, "sipCalledParty", T::String, S::Default, U::None),
    element(39499, 36, "sipVia", T::String, S::Default, U::None),
    element(39499, 37, "sipInviteRingingTime", T::Unsigned64, S::Default, U::None),
    element(39499, 38, "sipOkTime", T::Unsigned64, S::Default, U::None),
    element(39499, 39, "sipByeTime", T::Unsigned64, S::Default, U::None),
    element(39499, 40, "sipRtpIp4", T::Ipv4Address, S::Default, U::None),
    element(39499, 41, "sipRtpIp6", T::Ipv6Address, S::Default, U::None),
    element(39499, 42, "sipRtpAudio", T::Unsigned16, S::Default, U::None),
    element(39499, 43, "sipRtpVideo", T::Unsigned16, S::Default, U::None),
    element(39499, 44, "sipStats", T::OctetArray, S::Default, U::None),
    element(39499, 45, "rtpCodec", T::Unsigned8, S::Default, U::None),
    element(39499, 46, "rtpJitter", T::Unsigned32, S::Default, U::None),
    element(39499, 47, "rtcpLost", T::Unsigned32, S::Default, U::None),
    element(39499, 48, "rtcpPackets", T::Unsigned64, S::Default, U::None),
    element(39499, 49, "rtcpOctets", T::Unsigned64, S::Default, U::None),
    element(39499, 50, "rtcpSourceCount", T::Unsigned8, S::Default, U::None),
    element(39499, 61, "npmJitterDev", T::Unsigned32, S::Default, U::None),
    element(39499, 62, "npmJitterAvg", T::Unsigned32, S::Default, U::None),
    element(39499, 63, "npmJitterMin", T::Unsigned32, S::Default, U::None),
    element(39499, 64, "npmJitterMax", T::Unsigned32, S::Default, U::None),
    element(39499, 65, "npmDelayDev", T::Unsigned32, S::Default, U::None),
    element(39499, 66, "npmDelayAvg", T::Unsigned32, S::Default, U::None),
    element(39499, 67, "npmDelayMin", T::Unsigned32, S::Default, U::None),
    element(39499, 68, "npmDelayMax", T::Unsigned32, S::Default, U::None),
    element(39499, 69, "npnRoundTripTime", T::Unsigned32, S::Default, U::None),
    element(39499, 70, "npmServerResponseTime", T::Unsigned32, S::Default, U::None),
    element(39499, 71, "npmTcpRetransmission", T::Unsigned32, S::Default, U::None),
    element(39499, 72, "npmTcpOutOfOrder", T::Unsigned32, S::Default, U::None),
    element(39499, 80, "tcpSynSize", T::Unsigned8, S::Default, U::None),
    element(39499, 81, "tcpSynTtl", T::Unsigned8, S::Default, U::None),
    element(39499, 110, "dnsId", T::Unsigned16, S::Default, U::None),
    element(39499, 111, "dnsFlagsCodes", T::Unsigned16, S::Default, U::None),
    element(39499, 112, "dnsQuestionCount", T::Unsigned16, S::Default, U::None),
    element(39499, 113, "dnsAnswrecCount", T::Unsigned16, S::Default, U::None),
    element(39499, 114, "dnsAuthrecCount", T::Unsigned16, S::Default, U::None),
    element(39499, 115, "dnsAddtrecCount", T::Unsigned16, S::Default, U::None),
    element(39499, 116, "dnsCrrName", T::String, S::Default, U::None),
    element(39499, 117, "dnsCrrType", T::Unsigned16, S::Default, U::None),
    element(39499, 118, "dnsCrrClass", T::Unsigned16, S::Default, U::None),
    element(39499, 119, "dnsCrrTtl", T::Unsigned32, S::Default, U::None),
    element(39499, 120, "dnsCrrRdata", T::OctetArray, S::Default, U::None),
    element(39499, 121, "dnsQname", T::String, S::Default, U::None),
    element(39499, 122, "dnsQtype", T::Unsigned16, S::Default, U::None),
    element(39499, 123, "dnsQclass", T::Unsigned16, S::Default, U::None),
    element(39499, 124, "dnsCrrRdataLen", T::Unsigned16, S::Default, U::None),
    element(39499, 150, "smbCmd", T::Unsigned32, S::Default, U::None),
    element(39499, 151, "smbTree", T::OctetArray, S::Default, U::None),
    element(39499, 152, "smbFile", T::OctetArray, S::Default, U::None),
    element(39499, 153, "smbFileType", T::Unsigned8, S::Default, U::None),
    element(39499, 154, "smbOp", T::Unsigned8, S::Default, U::None),
    element(39499, 190, "arpHrd", T::Unsigned16, S::Default, U::None),
    element(39499, 191, "arpOp", T::Unsigned16, S::Default, U::None),
    element(39499, 200, "dhcpOfferedIp", T::Ipv4Address, S::Default, U::None),
    element(39499, 201, "dhcpHostMacAddr", T::MacAddress, S::Default, U::None),
    element(39499, 202, "dhcpType", T::Unsigned8, S::Default, U::None),
    element(39499, 203, "dhcpIpLeaseTime", T::Unsigned32, S::Default, U::None),
    element(39499, 204, "dhcpServerIp", T::Ipv4Address, S::Default, U::None),
    element(39499, 205, "dhcpDomainName", T::String, S::Default, U::None),
    element(39499, 206, "dhcpHostName", T::String, S::Default, U::None),
    element(39499, 207, "dhcpIpRequest", T::Ipv4Address, S::Default, U::None),
    element(39499, 210, "tdsRequestType", T::Unsigned8, S::Default, U::None),
    element(39499, 211, "tdsVersion", T::Unsigned32, S::Default, U::None),
    element(39499, 212, "tdsClientVersion", T::Unsigned32, S::Default, U::None),
    element(39499, 213, "tdsServerVersion", T::Unsigned32, S::Default, U::None),
    element(39499, 214, "tdsDatabase", T::OctetArray, S::Default, U::None),
    element(39499, 215, "tdsUsername", T::OctetArray, S::Default, U::None),
    element(39499, 216, "tdsHostname", T::OctetArray, S::Default, U::None),
    element(39499, 217, "tdsResponseType", T::Unsigned8, S::Default, U::None),
    element(39499, 218, "tdsToken", T::Unsigned8, S::Default, U::None),
    element(39499, 219, "tdsTmrType", T::Unsigned16, S::Default, U::None),
    element(39499, 220, "tdsErrorCode", T::Unsigned32, S::Default, U::None),
    element(39499, 221, "tdsEnvchangeType", T::Unsigned8, S::Default, U::None),
    element(39499, 222, "tdsSqlQuery", T::OctetArray, S::Default, U::None),
    element(39499, 223, "tdsRpcName", T::OctetArray, S::Default, U::None),
    element(39499, 224, "tdsServerName", T::OctetArray, S::Default, U::None),
    element(39499, 232, "ingressAclId", T::OctetArray, S::Default, U::None),
    element(39499, 233, "egressAclId", T::OctetArray, S::Default, U::None),
    element(39499, 234, "fwExtEvent", T::Unsigned16, S::Default, U::None),
    element(39499, 250, "smtpEhloHelo", T::String, S::Default, U::None),
    element(39499, 251, "smtpMailFrom", T::String, S::Default, U::None),
    element(39499, 252, "mailUsername", T::String, S::Default, U::None),
    element(39499, 253, "mailFailedAuthenticationCount", T::Signed8, S::Default, U::None),
    element(39499, 254, "mailIsEncrypted", T::Signed8, S::Default, U::None),
    element(39499, 290, "mysqlProtocolVersion", T::Unsigned8, S::Default, U::None),
    element(39499, 291, "mysqlServerVersion", T::String, S::Default, U::None),
    element(39499, 292, "mysqlUserAuthenticated", T::Unsigned8, S::Default, U::None),
    element(39499, 293, "mysqlUsername", T::String, S::Default, U::None),
    element(39499, 294, "mysqlAuthMethodName", T::String, S::Default, U::None),
    element(39499, 295, "mysqlDatabase", T::String, S::Default, U::None),
    element(39499, 296, "mysqlCapabilitiesServer", T::Unsigned32, S::Default, U::None),
    element(39499, 297, "mysqlCapabilitiesClient", T::Unsigned32, S::Default, U::None),
    element(39499, 298, "mysqlErrorCode", T::Unsigned16, S::Default, U::None),
    element(39499, 299, "mysqlCommand", T::Unsigned8, S::Default, U::None),
    element(39499, 300, "mysqlQuery", T::String, S::Default, U::None),
    element(39499, 310, "pgsqlProtocolVersion", T::Unsigned32, S::Default, U::None),
    element(39499, 311, "pgsqlServerVersion", T::Unsigned32, S::Default, U::None),
    element(39499, 312, "pgsqlAuthMethod", T::Unsigned8, S::Default, U::None),
    element(39499, 313, "pgsqlUsername", T::String, S::Default, U::None),
    element(39499, 314, "pgsqlDatabase", T::String, S::Default, U::None),
    element(39499, 315, "pgsqlErrorSqlstate", T::OctetArray, S::Default, U::None),
    element(39499, 316, "pgsqlErrorSeverity", T::Unsigned8, S::Default, U::None),
    element(39499, 317, "pgsqlSqlQuery", T::String, S::Default, U::None),
    element(39499, 318, "pgsqlMsgTypeClient", T::Unsigned32, S::Default, U::None),
    element(39499, 319, "pgsqlMsgTypeServer", T::Unsigned32, S::Default, U::None),
    element(39499, 330, "tlsContentType", T::Unsigned8, S::Default, U::None),
    element(39499, 331, "tlsHandshakeType", T::Unsigned32, S::Default, U::None),
    element(39499, 332, "tlsSetupTime", T::Unsigned64, S::Default, U::None),
    element(39499, 333, "tlsServerVersion", T::Unsigned16, S::Default, U::None),
    element(39499, 334, "tlsServerRandom", T::OctetArray, S::Default, U::None),
    element(39499, 335, "tlsServerSessionId", T::OctetArray, S::Default, U::None),
    element(39499, 336, "tlsCipherSuite", T::Unsigned16, S::Default, U::None),
    element(39499, 337, "tlsAlpn", T::String, S::Default, U::None),
    element(39499, 338, "tlsSni", T::String, S::Default, U::None),
    element(39499, 339, "tlsSniLength", T::Unsigned16, S::Default, U::None),
    element(39499, 340, "tlsClientVersion", T::Unsigned16, S::Default, U::None),
    element(39499, 341, "tlsCipherSuites", T::OctetArray, S::Default, U::None),
    element(39499, 342, "tlsClientRandom", T::OctetArray, S::Default, U::None),
    element(39499, 343, "tlsClientSessionId", T::OctetArray, S::Default, U::None),
    element(39499, 344, "tlsExtensionTypes", T::OctetArray, S::Default, U::None),
    element(39499, 345, "tlsExtensionLengths", T::OctetArray, S::Default, U::None),
    element(39499, 346, "tlsEllipticCurves", T::OctetArray, S::Default, U::None),
    element(39499, 347, "tlsEcPointFormats", T::OctetArray, S::Default, U::None),
    element(39499, 348, "tlsClientKeyLength", T::Signed32, S::Default, U::None),
    element(39499, 349, "tlsIssuerCn", T::String, S::Default, U::None),
    element(39499, 350, "tlsSubjectCn", T::String, S::Default, U::None),
    element(39499, 351, "tlsSubjectOn", T::String, S::Default, U::None),
    element(39499, 352, "tlsValidityNotBefore", T::Signed64, S::Default, U::None),
    element(39499, 353, "tlsValidityNotAfter", T::Signed64, S::Default, U::None),
    element(39499, 354, "tlsSignatureAlg", T::Unsigned16, S::Default, U::None),
    element(39499, 355, "tlsPublicKeyAlg", T::Unsigned16, S::Default, U::None),
    element(39499, 356, "tlsPublicKeyLength", T::Signed32, S::Default, U::None),
    element(39499, 357, "tlsJa3Fingerprint", T::OctetArray, S::Default, U::None),
    element(39499, 370, "iec104PktLength", T::Unsigned8, S::Default, U::None),
    element(39499, 371, "iec104FrameFmt", T::Unsigned8, S::Default, U::None),
    element(39499, 372, "iec104AsduType", T::Unsigned8, S::Default, U::None),
    element(39499, 373, "iec104AsduObjCount", T::Unsigned8, S::Default, U::None),
    element(39499, 374, "iec104AsduCot", T::Unsigned8, S::Default, U::None),
    element(39499, 375, "iec104AsduOrg", T::Unsigned8, S::Default, U::None),
    element(39499, 376, "iec104AsduAddress", T::Unsigned16, S::Default, U::None),
    element(39499, 390, "coapVersion", T::Unsigned8, S::Default, U::None),
    element(39499, 391, "coapMid", T::Unsigned16, S::Default, U::None),
    element(39499, 392, "coapCode", T::Unsigned8, S::Default, U::None),
    element(39499, 393, "coapOptionsCount", T::Unsigned16, S::Default, U::None),
    element(39499, 394, "coapType", T::Unsigned8, S::Default, U::None),
    element(39499, 395, "coapAccept", T::Unsigned16, S::Default, U::None),
    element(39499, 396, "coapContentFormat", T::Unsigned16, S::Default, U::None),
    element(39499, 397, "coapTokenLength", T::Unsigned8, S::Default, U::None),
    element(39499, 398, "coapToken", T::OctetArray, S::Default, U::None),
    element(39499, 399, "coapUriHost", T::String, S::Default, U::None),
    element(39499, 400, "coapUriPath", T::String, S::Default, U::None),
    element(39499, 401, "coapUriQuery", T::String, S::Default, U::None),
    element(39499, 410, "GOOSEAppID", T::Unsigned16, S::Default, U::None),
    element(39499, 411, "GOOSECbRef", T::String, S::Default, U::None),
    element(39499, 412, "GOOSEDataSet", T::String, S::Default, U::None),
    element(39499, 413, "GOOSEID", T::String, S::Default, U::None),
    element(39499, 414, "GOOSEStNum", T::Unsigned32, S::Default, U::None),
    element(39499, 420, "MMSType", T::Unsigned8, S::Default, U::None),
    element(39499, 421, "MMSConfServiceReq", T::Unsigned8, S::Default, U::None),
    element(39499, 422, "MMSConfServiceResp", T::Unsigned8, S::Default, U::None),
    element(39499, 423, "MMSUnconfService", T::Unsigned8, S::Default, U::None),
    element(39499, 430, "DLMSType", T::Unsigned8, S::Default, U::None),
    element(39499, 431, "DLMSSubtype", T::Unsigned16, S::Default, U::None),
    element(39499, 432, "DLMSClassId", T::Unsigned16, S::Default, U::None),
    element(39499, 433, "DLMSObis", T::String, S::Default, U::None),
    element(39499, 434, "DLMSAttrMethodId", T::Unsigned8, S::Default, U::None),
    element(39499, 435, "DLMSDataType", T::Unsigned8, S::Default, U::None),
    element(39499, 436, "DLMSDataLength", T::Unsigned16, S::Default, U::None),
    element(39499, 437, "DLMSDataAccessResult", T::Unsigned8, S::Default, U::None),
    element(39499, 438, "DLMSAactionResult", T::Unsigned8, S::Default, U::None),
    element(39499, 450, "vxlanVNI", T::Unsigned32, S::Default, U::None),
    element(39499, 570, "DNSSDQuery", T::String, S::Default, U::None),
    element(39499, 571, "DNSSDResponse", T::String, S::Default, U::None),
    element(39499, 580, "SSDPLocationPort", T::Unsigned16, S::Default, U::None),
    element(39499, 581, "SSDPNT", T::String, S::Default, U::None),
    element(39499, 582, "SSDPST", T::String, S::Default, U::None),
    element(39499, 583, "SSDPServer", T::String, S::Default, U::None),
    element(39499, 584, "SSDPUserAgent", T::String, S::Default, U::None),
    element(39499, 7232, "username", T::String, S::Default, U::None),
    element(39499, 7233, "xlateSrcAddrIpv4", T::Ipv4Address, S::Default, U::None),
    element(39499, 7234, "xlateDstAddrIpv4", T::Ipv4Address, S::Default, U::None),
    element(39499, 7235, "xlateSrcPort", T::Unsigned16, S::Default, U::None),
    element(39499, 7236, "xlateDstPort", T::Unsigned16, S::Default, U::None),
];

/// Viptela (Cisco SD-WAN)
pub(super) static VIPTELA: [InformationElement; 1] =
    [element(41916, 4321, "viptelaVpnId", T::Unsigned64, S::Identifier, U::None)];

/// pmacct (nfprobe)
pub(super) static PMACCT: [InformationElement; 3] = [
    element(43874, 1, "tag", T::Unsigned64, S::Identifier, U::None),
    element(43874, 2, "tag2", T::Unsigned64, S::Identifier, U::None),
    element(43874, 3, "label", T::String, S::Default, U::None),
];

/// Antrea (Kubernetes network flow visibility)
pub(super) static ANTREA: [InformationElement; 22] = [
    element(56506, 100, "sourcePodNamespace", T::String, S::Default, U::None),
    element(56506, 101, "sourcePodName", T::String, S::Default, U::None),
    element(56506, 102, "destinationPodNamespace", T::String, S::Default, U::None),
    element(56506, 103, "destinationPodName", T::String, S::Default, U::None),
    element(56506, 104, "sourceNodeName", T::String, S::Default, U::None),
    element(56506, 105, "destinationNodeName", T::String, S::Default, U::None),
    element(56506, 106, "destinationClusterIPv4", T::Ipv4Address, S::Default, U::None),
    element(56506, 107, "destinationClusterIPv6", T::Ipv6Address, S::Default, U::None),
    element(56506, 108, "destinationServicePort", T::Unsigned16, S::Identifier, U::None),
    element(56506, 109, "destinationServicePortName", T::String, S::Default, U::None),
    element(56506, 110, "ingressNetworkPolicyName", T::String, S::Default, U::None),
    element(56506, 111, "ingressNetworkPolicyNamespace", T::String, S::Default, U::None),
    element(56506, 112, "egressNetworkPolicyName", T::String, S::Default, U::None),
    element(56506, 113, "egressNetworkPolicyNamespace", T::String, S::Default, U::None),
    element(56506, 115, "ingressNetworkPolicyType", T::Unsigned8, S::Identifier, U::None),
    element(56506, 118, "egressNetworkPolicyType", T::Unsigned8, S::Identifier, U::None),
    element(56506, 136, "tcpState", T::String, S::Default, U::None),
    element(56506, 137, "flowType", T::Unsigned8, S::Identifier, U::None),
    element(56506, 139, "ingressNetworkPolicyRuleAction", T::Unsigned8, S::Identifier, U::None),
    element(56506, 140, "egressNetworkPolicyRuleAction", T::Unsigned8, S::Identifier, U::None),
    element(56506, 141, "ingressNetworkPolicyRuleName", T::String, S::Default, U::None),
    element(56506, 142, "egressNetworkPolicyRuleName", T::String, S::Default, U::None),
];

/// NetFlow v9 field types without an IPFIX counterpart. All 16 bits are the number: v9 has no enterprise bit.
pub(super) static NETFLOW_V9: [InformationElement; 30] = [
    element(0, 6660, "EkinopsTcpConnectionSetupTime", T::Unsigned32, S::Default, U::None),
    element(0, 6661, "EkinopsTcpServerResponseTime", T::Unsigned32, S::Default, U::None),
    element(0, 6662, "EkinopsTcpMeanRtt", T::Unsigned32, S::Default, U::None),
    element(0, 6663, "EkinopsTcpRetransmissions", T::Unsigned32, S::Default, U::None),
    element(0, 6664, "EkinopsTcpGoodputBytes", T::Unsigned32, S::Default, U::None),
    element(0, 6665, "EkinopsTcpConnectionInitiator", T::Unsigned8, S::Default, U::None),
    element(0, 6670, "EkinopsHttpHost", T::String, S::Default, U::None),
    element(0, 6671, "EkinopsTicAppId", T::Unsigned32, S::Default, U::None),
    element(0, 6680, "EkinopsRtpPayloadType", T::Unsigned8, S::Default, U::None),
    element(0, 6681, "EkinopsRtpPacketLoss", T::Unsigned32, S::Default, U::None),
    element(0, 6682, "EkinopsRtpJitter", T::Unsigned16, S::Default, U::None),
    element(0, 6683, "EkinopsRtpRFactor", T::Unsigned8, S::Default, U::None),
    element(0, 6690, "EkinopsReporterId", T::String, S::Default, U::None),
    element(0, 6691, "EkinopsUplinkBandwidth", T::Unsigned32, S::Default, U::None),
    element(0, 6692, "EkinopsDownlinkBandwidth", T::Unsigned32, S::Default, U::None),
    element(0, 6693, "EkinopsTimezoneOffset", T::Unsigned32, S::Default, U::None),
    element(0, 6694, "EkinopsTimezoneName", T::String, S::Default, U::None),
    element(0, 6695, "EkinopsDaylightSavingStart", T::Unsigned32, S::Default, U::None),
    element(0, 6696, "EkinopsDaylightSavingEnd", T::Unsigned32, S::Default, U::None),
    element(0, 6697, "EkinopsMacAddress", T::MacAddress, S::Default, U::None),
    element(0, 6698, "EkinopsDpiVersion", T::String, S::Default, U::None),
    element(0, 6699, "EkinopsQosCfgFingerprint", T::String, S::Default, U::None),
    element(0, 6800, "EkinopsNetControlCfgFingerprint", T::String, S::Default, U::None),
    element(0, 16386, "ETAInitialDataPacketOld", T::OctetArray, S::Default, U::None),
    element(0, 16387, "ETASequenceofPktLengthsandTimesOld", T::OctetArray, S::Default, U::None),
    element(0, 33000, "ingressAclId", T::OctetArray, S::Default, U::None),
    element(0, 33001, "egressAclId", T::OctetArray, S::Default, U::None),
    element(0, 33002, "firewallEventExtended", T::Unsigned16, S::Default, U::None),
    element(0, 56701, "paloAltoAppId", T::String, S::Default, U::None),
    element(0, 56702, "paloAltoUserId", T::String, S::Default, U::None),
];

/// Enterprise numbers and their elements, sorted.
pub(super) static ENTERPRISES: [(u32, &[InformationElement]); 20] = [
    (9, &CISCO),
    (637, &NOKIA),
    (2011, &HUAWEI),
    (2636, &JUNIPER),
    (3054, &IXIA),
    (5951, &NETSCALER),
    (6871, &CERT),
    (6876, &VMWARE),
    (8057, &CESNET),
    (9789, &SOPHOS),
    (10704, &BARRACUDA),
    (12326, &PHION),
    (15397, &PROCERA),
    (21373, &IPT_NETFLOW),
    (26866, &GIGAMON),
    (35632, &NTOP),
    (39499, &FLOWMON),
    (41916, &VIPTELA),
    (43874, &PMACCT),
    (56506, &ANTREA),
];

/// NetFlow v9 field types, and enterprise and id of the element that each one means; sorted.
pub(super) static NETFLOW_V9_ALIASES: [(u16, u32, u16); 54] = [
    (37083, 9, 4315),  // tcpWindowSizeMin
    (37084, 9, 4316),  // tcpWindowSizeMax
    (37086, 9, 4318),  // tcpMaximumSegmentSize
    (37092, 9, 4324),  // tcpWindowSizeSum
    (40000, 0, 371),   // userName
    (40001, 0, 225),   // postNATSourceIPv4Address
    (40002, 0, 226),   // postNATDestinationIPv4Address
    (40003, 0, 227),   // postNAPTSourceTransportPort
    (40004, 0, 228),   // postNAPTDestinationTransportPort
    (40005, 0, 233),   // firewallEvent
    (41000, 9, 8232),  // classHierarchy
    (42020, 9, 9252),  // servicesWaasSegment
    (42021, 9, 9253),  // servicesWaasPassThroughReason
    (42036, 9, 9268),  // clientRetransPackets
    (42040, 9, 9272),  // transactionCountDelta
    (42041, 9, 9273),  // sumTransactionTime
    (42042, 9, 9274),  // maxTransactionTime
    (42043, 9, 9275),  // minTransactionTime
    (42060, 9, 9292),  // numRespsCountDelta
    (42061, 9, 9293),  // numResps1CountDelta
    (42062, 9, 9294),  // numResps2CountDelta
    (42063, 9, 9295),  // numResps3CountDelta
    (42064, 9, 9296),  // numResps4CountDelta
    (42065, 9, 9297),  // numResps5CountDelta
    (42066, 9, 9298),  // numResps6CountDelta
    (42067, 9, 9299),  // numResps7CountDelta
    (42068, 9, 9300),  // numLateRespsCountDelta
    (42071, 9, 9303),  // sumRespTime
    (42072, 9, 9304),  // maxRespTime
    (42073, 9, 9305),  // minRespTime
    (42074, 9, 9306),  // sumServerRespTime
    (42075, 9, 9307),  // maxServerRespTime
    (42076, 9, 9308),  // minServerRespTime
    (42077, 9, 9309),  // sumTotalRespTime
    (42078, 9, 9310),  // maxTotalRespTime
    (42079, 9, 9311),  // minTotalRespTime
    (42081, 9, 9313),  // sumNwkTime
    (42082, 9, 9314),  // maxNwkTime
    (42083, 9, 9315),  // minNwkTime
    (42084, 9, 9316),  // sumClientNwkTime
    (42085, 9, 9317),  // maxClientNwkTime
    (42086, 9, 9318),  // minClientNwkTime
    (42087, 9, 9319),  // sumServerNwkTime
    (42088, 9, 9320),  // maxServerNwkTime
    (42089, 9, 9321),  // minServerNwkTime
    (42128, 9, 9360),  // policyQosQueueID
    (42129, 9, 9361),  // policyQosQueueDrop
    (45004, 9, 12236), // clientIPv4Address
    (45005, 9, 12237), // serverIPv4Address
    (45006, 9, 12238), // clientIPv6Address
    (45007, 9, 12239), // serverIPv6Address
    (45008, 9, 12240), // clientTransportPort
    (45009, 9, 12241), // serverTransportPort
    (45010, 9, 12242), // connectionId
];

/// IP protocol keywords in lower case, by number.
pub(super) static PROTOCOLS: [Option<&str>; 148] = [
    Some("hopopt"),
    Some("icmp"),
    Some("igmp"),
    Some("ggp"),
    Some("ipv4"),
    Some("st"),
    Some("tcp"),
    Some("cbt"),
    Some("egp"),
    Some("igp"),
    Some("bbn-rcc-mon"),
    Some("nvp-ii"),
    Some("pup"),
    Some("argus"),
    Some("emcon"),
    Some("xnet"),
    Some("chaos"),
    Some("udp"),
    Some("mux"),
    Some("dcn-meas"),
    Some("hmp"),
    Some("prm"),
    Some("xns-idp"),
    Some("trunk-1"),
    Some("trunk-2"),
    Some("leaf-1"),
    Some("leaf-2"),
    Some("rdp"),
    Some("irtp"),
    Some("iso-tp4"),
    Some("netblt"),
    Some("mfe-nsp"),
    Some("merit-inp"),
    Some("dccp"),
    Some("3pc"),
    Some("idpr"),
    Some("xtp"),
    Some("ddp"),
    Some("idpr-cmtp"),
    Some("tp++"),
    Some("il"),
    Some("ipv6"),
    Some("sdrp"),
    Some("ipv6-route"),
    Some("ipv6-frag"),
    Some("idrp"),
    Some("rsvp"),
    Some("gre"),
    Some("dsr"),
    Some("bna"),
    Some("esp"),
    Some("ah"),
    Some("i-nlsp"),
    Some("swipe"),
    Some("narp"),
    Some("min-ipv4"),
    Some("tlsp"),
    Some("skip"),
    Some("ipv6-icmp"),
    Some("ipv6-nonxt"),
    Some("ipv6-opts"),
    None,
    Some("cftp"),
    None,
    Some("sat-expak"),
    Some("kryptolan"),
    Some("rvd"),
    Some("ippc"),
    None,
    Some("sat-mon"),
    Some("visa"),
    Some("ipcv"),
    Some("cpnx"),
    Some("cphb"),
    Some("wsn"),
    Some("pvp"),
    Some("br-sat-mon"),
    Some("sun-nd"),
    Some("wb-mon"),
    Some("wb-expak"),
    Some("iso-ip"),
    Some("vmtp"),
    Some("secure-vmtp"),
    Some("vines"),
    Some("iptm"),
    Some("nsfnet-igp"),
    Some("dgp"),
    Some("tcf"),
    Some("eigrp"),
    Some("ospfigp"),
    Some("sprite-rpc"),
    Some("larp"),
    Some("mtp"),
    Some("ax.25"),
    Some("ipip"),
    Some("micp"),
    Some("scc-sp"),
    Some("etherip"),
    Some("encap"),
    None,
    Some("gmtp"),
    Some("ifmp"),
    Some("pnni"),
    Some("pim"),
    Some("aris"),
    Some("scps"),
    Some("qnx"),
    Some("a/n"),
    Some("ipcomp"),
    Some("snp"),
    Some("compaq-peer"),
    Some("ipx-in-ip"),
    Some("vrrp"),
    Some("pgm"),
    None,
    Some("l2tp"),
    Some("ddx"),
    Some("iatp"),
    Some("stp"),
    Some("srp"),
    Some("uti"),
    Some("smp"),
    Some("sm"),
    Some("ptp"),
    Some("isis over ipv4"),
    Some("fire"),
    Some("crtp"),
    Some("crudp"),
    Some("sscopmce"),
    Some("iplt"),
    Some("sps"),
    Some("pipe"),
    Some("sctp"),
    Some("fc"),
    Some("rsvp-e2e-ignore"),
    Some("mobility header"),
    Some("udplite"),
    Some("mpls-in-ip"),
    Some("manet"),
    Some("hip"),
    Some("shim6"),
    Some("wesp"),
    Some("rohc"),
    Some("ethernet"),
    Some("aggfrag"),
    Some("nsh"),
    Some("homa"),
    Some("bit-emu"),
];

/// Numbers of the IANA elements.
pub mod id {
    /// `octetDeltaCount`, unsigned64 in octets.
    pub const OCTET_DELTA_COUNT: u16 = 1;
    /// `packetDeltaCount`, unsigned64 in packets.
    pub const PACKET_DELTA_COUNT: u16 = 2;
    /// `deltaFlowCount`, unsigned64 in flows.
    pub const DELTA_FLOW_COUNT: u16 = 3;
    /// `protocolIdentifier`, unsigned8.
    pub const PROTOCOL_IDENTIFIER: u16 = 4;
    /// `ipClassOfService`, unsigned8.
    pub const IP_CLASS_OF_SERVICE: u16 = 5;
    /// `tcpControlBits`, unsigned16.
    pub const TCP_CONTROL_BITS: u16 = 6;
    /// `sourceTransportPort`, unsigned16.
    pub const SOURCE_TRANSPORT_PORT: u16 = 7;
    /// `sourceIPv4Address`, ipv4Address.
    pub const SOURCE_IPV4_ADDRESS: u16 = 8;
    /// `sourceIPv4PrefixLength`, unsigned8 in bits.
    pub const SOURCE_IPV4_PREFIX_LENGTH: u16 = 9;
    /// `ingressInterface`, unsigned32.
    pub const INGRESS_INTERFACE: u16 = 10;
    /// `destinationTransportPort`, unsigned16.
    pub const DESTINATION_TRANSPORT_PORT: u16 = 11;
    /// `destinationIPv4Address`, ipv4Address.
    pub const DESTINATION_IPV4_ADDRESS: u16 = 12;
    /// `destinationIPv4PrefixLength`, unsigned8 in bits.
    pub const DESTINATION_IPV4_PREFIX_LENGTH: u16 = 13;
    /// `egressInterface`, unsigned32.
    pub const EGRESS_INTERFACE: u16 = 14;
    /// `ipNextHopIPv4Address`, ipv4Address.
    pub const IP_NEXT_HOP_IPV4_ADDRESS: u16 = 15;
    /// `bgpSourceAsNumber`, unsigned32.
    pub const BGP_SOURCE_AS_NUMBER: u16 = 16;
    /// `bgpDestinationAsNumber`, unsigned32.
    pub const BGP_DESTINATION_AS_NUMBER: u16 = 17;
    /// `bgpNextHopIPv4Address`, ipv4Address.
    pub const BGP_NEXT_HOP_IPV4_ADDRESS: u16 = 18;
    /// `postMCastPacketDeltaCount`, unsigned64 in packets.
    pub const POST_MCAST_PACKET_DELTA_COUNT: u16 = 19;
    /// `postMCastOctetDeltaCount`, unsigned64 in octets.
    pub const POST_MCAST_OCTET_DELTA_COUNT: u16 = 20;
    /// `flowEndSysUpTime`, unsigned32 in milliseconds.
    pub const FLOW_END_SYS_UP_TIME: u16 = 21;
    /// `flowStartSysUpTime`, unsigned32 in milliseconds.
    pub const FLOW_START_SYS_UP_TIME: u16 = 22;
    /// `postOctetDeltaCount`, unsigned64 in octets.
    pub const POST_OCTET_DELTA_COUNT: u16 = 23;
    /// `postPacketDeltaCount`, unsigned64 in packets.
    pub const POST_PACKET_DELTA_COUNT: u16 = 24;
    /// `minimumIpTotalLength`, unsigned64 in octets.
    pub const MINIMUM_IP_TOTAL_LENGTH: u16 = 25;
    /// `maximumIpTotalLength`, unsigned64 in octets.
    pub const MAXIMUM_IP_TOTAL_LENGTH: u16 = 26;
    /// `sourceIPv6Address`, ipv6Address.
    pub const SOURCE_IPV6_ADDRESS: u16 = 27;
    /// `destinationIPv6Address`, ipv6Address.
    pub const DESTINATION_IPV6_ADDRESS: u16 = 28;
    /// `sourceIPv6PrefixLength`, unsigned8 in bits.
    pub const SOURCE_IPV6_PREFIX_LENGTH: u16 = 29;
    /// `destinationIPv6PrefixLength`, unsigned8 in bits.
    pub const DESTINATION_IPV6_PREFIX_LENGTH: u16 = 30;
    /// `flowLabelIPv6`, unsigned32.
    pub const FLOW_LABEL_IPV6: u16 = 31;
    /// `icmpTypeCodeIPv4`, unsigned16.
    pub const ICMP_TYPE_CODE_IPV4: u16 = 32;
    /// `igmpType`, unsigned8.
    pub const IGMP_TYPE: u16 = 33;
    /// `samplingInterval`, unsigned32 in packets.
    pub const SAMPLING_INTERVAL: u16 = 34;
    /// `samplingAlgorithm`, unsigned8.
    pub const SAMPLING_ALGORITHM: u16 = 35;
    /// `flowActiveTimeout`, unsigned16 in seconds.
    pub const FLOW_ACTIVE_TIMEOUT: u16 = 36;
    /// `flowIdleTimeout`, unsigned16 in seconds.
    pub const FLOW_IDLE_TIMEOUT: u16 = 37;
    /// `engineType`, unsigned8.
    pub const ENGINE_TYPE: u16 = 38;
    /// `engineId`, unsigned8.
    pub const ENGINE_ID: u16 = 39;
    /// `exportedOctetTotalCount`, unsigned64 in octets.
    pub const EXPORTED_OCTET_TOTAL_COUNT: u16 = 40;
    /// `exportedMessageTotalCount`, unsigned64 in messages.
    pub const EXPORTED_MESSAGE_TOTAL_COUNT: u16 = 41;
    /// `exportedFlowRecordTotalCount`, unsigned64 in flows.
    pub const EXPORTED_FLOW_RECORD_TOTAL_COUNT: u16 = 42;
    /// `ipv4RouterSc`, ipv4Address.
    pub const IPV4_ROUTER_SC: u16 = 43;
    /// `sourceIPv4Prefix`, ipv4Address.
    pub const SOURCE_IPV4_PREFIX: u16 = 44;
    /// `destinationIPv4Prefix`, ipv4Address.
    pub const DESTINATION_IPV4_PREFIX: u16 = 45;
    /// `mplsTopLabelType`, unsigned8.
    pub const MPLS_TOP_LABEL_TYPE: u16 = 46;
    /// `mplsTopLabelIPv4Address`, ipv4Address.
    pub const MPLS_TOP_LABEL_IPV4_ADDRESS: u16 = 47;
    /// `samplerId`, unsigned8.
    pub const SAMPLER_ID: u16 = 48;
    /// `samplerMode`, unsigned8.
    pub const SAMPLER_MODE: u16 = 49;
    /// `samplerRandomInterval`, unsigned32.
    pub const SAMPLER_RANDOM_INTERVAL: u16 = 50;
    /// `classId`, unsigned8.
    pub const CLASS_ID: u16 = 51;
    /// `minimumTTL`, unsigned8 in hops.
    pub const MINIMUM_TTL: u16 = 52;
    /// `maximumTTL`, unsigned8 in hops.
    pub const MAXIMUM_TTL: u16 = 53;
    /// `fragmentIdentification`, unsigned32.
    pub const FRAGMENT_IDENTIFICATION: u16 = 54;
    /// `postIpClassOfService`, unsigned8.
    pub const POST_IP_CLASS_OF_SERVICE: u16 = 55;
    /// `sourceMacAddress`, macAddress.
    pub const SOURCE_MAC_ADDRESS: u16 = 56;
    /// `postDestinationMacAddress`, macAddress.
    pub const POST_DESTINATION_MAC_ADDRESS: u16 = 57;
    /// `vlanId`, unsigned16.
    pub const VLAN_ID: u16 = 58;
    /// `postVlanId`, unsigned16.
    pub const POST_VLAN_ID: u16 = 59;
    /// `ipVersion`, unsigned8.
    pub const IP_VERSION: u16 = 60;
    /// `flowDirection`, unsigned8.
    pub const FLOW_DIRECTION: u16 = 61;
    /// `ipNextHopIPv6Address`, ipv6Address.
    pub const IP_NEXT_HOP_IPV6_ADDRESS: u16 = 62;
    /// `bgpNextHopIPv6Address`, ipv6Address.
    pub const BGP_NEXT_HOP_IPV6_ADDRESS: u16 = 63;
    /// `ipv6ExtensionHeaders`, unsigned32.
    pub const IPV6_EXTENSION_HEADERS: u16 = 64;
    /// `mplsTopLabelStackSection`, octetArray.
    pub const MPLS_TOP_LABEL_STACK_SECTION: u16 = 70;
    /// `mplsLabelStackSection2`, octetArray.
    pub const MPLS_LABEL_STACK_SECTION2: u16 = 71;
    /// `mplsLabelStackSection3`, octetArray.
    pub const MPLS_LABEL_STACK_SECTION3: u16 = 72;
    /// `mplsLabelStackSection4`, octetArray.
    pub const MPLS_LABEL_STACK_SECTION4: u16 = 73;
    /// `mplsLabelStackSection5`, octetArray.
    pub const MPLS_LABEL_STACK_SECTION5: u16 = 74;
    /// `mplsLabelStackSection6`, octetArray.
    pub const MPLS_LABEL_STACK_SECTION6: u16 = 75;
    /// `mplsLabelStackSection7`, octetArray.
    pub const MPLS_LABEL_STACK_SECTION7: u16 = 76;
    /// `mplsLabelStackSection8`, octetArray.
    pub const MPLS_LABEL_STACK_SECTION8: u16 = 77;
    /// `mplsLabelStackSection9`, octetArray.
    pub const MPLS_LABEL_STACK_SECTION9: u16 = 78;
    /// `mplsLabelStackSection10`, octetArray.
    pub const MPLS_LABEL_STACK_SECTION10: u16 = 79;
    /// `destinationMacAddress`, macAddress.
    pub const DESTINATION_MAC_ADDRESS: u16 = 80;
    /// `postSourceMacAddress`, macAddress.
    pub const POST_SOURCE_MAC_ADDRESS: u16 = 81;
    /// `interfaceName`, string.
    pub const INTERFACE_NAME: u16 = 82;
    /// `interfaceDescription`, string.
    pub const INTERFACE_DESCRIPTION: u16 = 83;
    /// `samplerName`, string.
    pub const SAMPLER_NAME: u16 = 84;
    /// `octetTotalCount`, unsigned64 in octets.
    pub const OCTET_TOTAL_COUNT: u16 = 85;
    /// `packetTotalCount`, unsigned64 in packets.
    pub const PACKET_TOTAL_COUNT: u16 = 86;
    /// `flagsAndSamplerId`, unsigned32.
    pub const FLAGS_AND_SAMPLER_ID: u16 = 87;
    /// `fragmentOffset`, unsigned16.
    pub const FRAGMENT_OFFSET: u16 = 88;
    /// `forwardingStatus`, unsigned32.
    pub const FORWARDING_STATUS: u16 = 89;
    /// `mplsVpnRouteDistinguisher`, octetArray.
    pub const MPLS_VPN_ROUTE_DISTINGUISHER: u16 = 90;
    /// `mplsTopLabelPrefixLength`, unsigned8 in bits.
    pub const MPLS_TOP_LABEL_PREFIX_LENGTH: u16 = 91;
    /// `srcTrafficIndex`, unsigned32.
    pub const SRC_TRAFFIC_INDEX: u16 = 92;
    /// `dstTrafficIndex`, unsigned32.
    pub const DST_TRAFFIC_INDEX: u16 = 93;
    /// `applicationDescription`, string.
    pub const APPLICATION_DESCRIPTION: u16 = 94;
    /// `applicationId`, octetArray.
    pub const APPLICATION_ID: u16 = 95;
    /// `applicationName`, string.
    pub const APPLICATION_NAME: u16 = 96;
    /// `postIpDiffServCodePoint`, unsigned8.
    pub const POST_IP_DIFF_SERV_CODE_POINT: u16 = 98;
    /// `multicastReplicationFactor`, unsigned32.
    pub const MULTICAST_REPLICATION_FACTOR: u16 = 99;
    /// `className`, string.
    pub const CLASS_NAME: u16 = 100;
    /// `classificationEngineId`, unsigned8.
    pub const CLASSIFICATION_ENGINE_ID: u16 = 101;
    /// `layer2packetSectionOffset`, unsigned16.
    pub const LAYER2PACKET_SECTION_OFFSET: u16 = 102;
    /// `layer2packetSectionSize`, unsigned16.
    pub const LAYER2PACKET_SECTION_SIZE: u16 = 103;
    /// `layer2packetSectionData`, octetArray.
    pub const LAYER2PACKET_SECTION_DATA: u16 = 104;
    /// `bgpNextAdjacentAsNumber`, unsigned32.
    pub const BGP_NEXT_ADJACENT_AS_NUMBER: u16 = 128;
    /// `bgpPrevAdjacentAsNumber`, unsigned32.
    pub const BGP_PREV_ADJACENT_AS_NUMBER: u16 = 129;
    /// `exporterIPv4Address`, ipv4Address.
    pub const EXPORTER_IPV4_ADDRESS: u16 = 130;
    /// `exporterIPv6Address`, ipv6Address.
    pub const EXPORTER_IPV6_ADDRESS: u16 = 131;
    /// `droppedOctetDeltaCount`, unsigned64 in octets.
    pub const DROPPED_OCTET_DELTA_COUNT: u16 = 132;
    /// `droppedPacketDeltaCount`, unsigned64 in packets.
    pub const DROPPED_PACKET_DELTA_COUNT: u16 = 133;
    /// `droppedOctetTotalCount`, unsigned64 in octets.
    pub const DROPPED_OCTET_TOTAL_COUNT: u16 = 134;
    /// `droppedPacketTotalCount`, unsigned64 in packets.
    pub const DROPPED_PACKET_TOTAL_COUNT: u16 = 135;
    /// `flowEndReason`, unsigned8.
    pub const FLOW_END_REASON: u16 = 136;
    /// `commonPropertiesId`, unsigned64.
    pub const COMMON_PROPERTIES_ID: u16 = 137;
    /// `observationPointId`, unsigned64.
    pub const OBSERVATION_POINT_ID: u16 = 138;
    /// `icmpTypeCodeIPv6`, unsigned16.
    pub const ICMP_TYPE_CODE_IPV6: u16 = 139;
    /// `mplsTopLabelIPv6Address`, ipv6Address.
    pub const MPLS_TOP_LABEL_IPV6_ADDRESS: u16 = 140;
    /// `lineCardId`, unsigned32.
    pub const LINE_CARD_ID: u16 = 141;
    /// `portId`, unsigned32.
    pub const PORT_ID: u16 = 142;
    /// `meteringProcessId`, unsigned32.
    pub const METERING_PROCESS_ID: u16 = 143;
    /// `exportingProcessId`, unsigned32.
    pub const EXPORTING_PROCESS_ID: u16 = 144;
    /// `templateId`, unsigned16.
    pub const TEMPLATE_ID: u16 = 145;
    /// `wlanChannelId`, unsigned8.
    pub const WLAN_CHANNEL_ID: u16 = 146;
    /// `wlanSSID`, string.
    pub const WLAN_SSID: u16 = 147;
    /// `flowId`, unsigned64.
    pub const FLOW_ID: u16 = 148;
    /// `observationDomainId`, unsigned32.
    pub const OBSERVATION_DOMAIN_ID: u16 = 149;
    /// `flowStartSeconds`, dateTimeSeconds in seconds.
    pub const FLOW_START_SECONDS: u16 = 150;
    /// `flowEndSeconds`, dateTimeSeconds in seconds.
    pub const FLOW_END_SECONDS: u16 = 151;
    /// `flowStartMilliseconds`, dateTimeMilliseconds in milliseconds.
    pub const FLOW_START_MILLISECONDS: u16 = 152;
    /// `flowEndMilliseconds`, dateTimeMilliseconds in milliseconds.
    pub const FLOW_END_MILLISECONDS: u16 = 153;
    /// `flowStartMicroseconds`, dateTimeMicroseconds in microseconds.
    pub const FLOW_START_MICROSECONDS: u16 = 154;
    /// `flowEndMicroseconds`, dateTimeMicroseconds in microseconds.
    pub const FLOW_END_MICROSECONDS: u16 = 155;
    /// `flowStartNanoseconds`, dateTimeNanoseconds in nanoseconds.
    pub const FLOW_START_NANOSECONDS: u16 = 156;
    /// `flowEndNanoseconds`, dateTimeNanoseconds in nanoseconds.
    pub const FLOW_END_NANOSECONDS: u16 = 157;
    /// `flowStartDeltaMicroseconds`, unsigned32 in microseconds.
    pub const FLOW_START_DELTA_MICROSECONDS: u16 = 158;
    /// `flowEndDeltaMicroseconds`, unsigned32 in microseconds.
    pub const FLOW_END_DELTA_MICROSECONDS: u16 = 159;
    /// `systemInitTimeMilliseconds`, dateTimeMilliseconds in milliseconds.
    pub const SYSTEM_INIT_TIME_MILLISECONDS: u16 = 160;
    /// `flowDurationMilliseconds`, unsigned32 in milliseconds.
    pub const FLOW_DURATION_MILLISECONDS: u16 = 161;
    /// `flowDurationMicroseconds`, unsigned32 in microseconds.
    pub const FLOW_DURATION_MICROSECONDS: u16 = 162;
    /// `observedFlowTotalCount`, unsigned64 in flows.
    pub const OBSERVED_FLOW_TOTAL_COUNT: u16 = 163;
    /// `ignoredPacketTotalCount`, unsigned64 in packets.
    pub const IGNORED_PACKET_TOTAL_COUNT: u16 = 164;
    /// `ignoredOctetTotalCount`, unsigned64 in octets.
    pub const IGNORED_OCTET_TOTAL_COUNT: u16 = 165;
    /// `notSentFlowTotalCount`, unsigned64 in flows.
    pub const NOT_SENT_FLOW_TOTAL_COUNT: u16 = 166;
    /// `notSentPacketTotalCount`, unsigned64 in packets.
    pub const NOT_SENT_PACKET_TOTAL_COUNT: u16 = 167;
    /// `notSentOctetTotalCount`, unsigned64 in octets.
    pub const NOT_SENT_OCTET_TOTAL_COUNT: u16 = 168;
    /// `destinationIPv6Prefix`, ipv6Address.
    pub const DESTINATION_IPV6_PREFIX: u16 = 169;
    /// `sourceIPv6Prefix`, ipv6Address.
    pub const SOURCE_IPV6_PREFIX: u16 = 170;
    /// `postOctetTotalCount`, unsigned64 in octets.
    pub const POST_OCTET_TOTAL_COUNT: u16 = 171;
    /// `postPacketTotalCount`, unsigned64 in packets.
    pub const POST_PACKET_TOTAL_COUNT: u16 = 172;
    /// `flowKeyIndicator`, unsigned64.
    pub const FLOW_KEY_INDICATOR: u16 = 173;
    /// `postMCastPacketTotalCount`, unsigned64 in packets.
    pub const POST_MCAST_PACKET_TOTAL_COUNT: u16 = 174;
    /// `postMCastOctetTotalCount`, unsigned64 in octets.
    pub const POST_MCAST_OCTET_TOTAL_COUNT: u16 = 175;
    /// `icmpTypeIPv4`, unsigned8.
    pub const ICMP_TYPE_IPV4: u16 = 176;
    /// `icmpCodeIPv4`, unsigned8.
    pub const ICMP_CODE_IPV4: u16 = 177;
    /// `icmpTypeIPv6`, unsigned8.
    pub const ICMP_TYPE_IPV6: u16 = 178;
    /// `icmpCodeIPv6`, unsigned8.
    pub const ICMP_CODE_IPV6: u16 = 179;
    /// `udpSourcePort`, unsigned16.
    pub const UDP_SOURCE_PORT: u16 = 180;
    /// `udpDestinationPort`, unsigned16.
    pub const UDP_DESTINATION_PORT: u16 = 181;
    /// `tcpSourcePort`, unsigned16.
    pub const TCP_SOURCE_PORT: u16 = 182;
    /// `tcpDestinationPort`, unsigned16.
    pub const TCP_DESTINATION_PORT: u16 = 183;
    /// `tcpSequenceNumber`, unsigned32.
    pub const TCP_SEQUENCE_NUMBER: u16 = 184;
    /// `tcpAcknowledgementNumber`, unsigned32.
    pub const TCP_ACKNOWLEDGEMENT_NUMBER: u16 = 185;
    /// `tcpWindowSize`, unsigned16.
    pub const TCP_WINDOW_SIZE: u16 = 186;
    /// `tcpUrgentPointer`, unsigned16.
    pub const TCP_URGENT_POINTER: u16 = 187;
    /// `tcpHeaderLength`, unsigned8 in octets.
    pub const TCP_HEADER_LENGTH: u16 = 188;
    /// `ipHeaderLength`, unsigned8 in octets.
    pub const IP_HEADER_LENGTH: u16 = 189;
    /// `totalLengthIPv4`, unsigned16 in octets.
    pub const TOTAL_LENGTH_IPV4: u16 = 190;
    /// `payloadLengthIPv6`, unsigned16 in octets.
    pub const PAYLOAD_LENGTH_IPV6: u16 = 191;
    /// `ipTTL`, unsigned8 in hops.
    pub const IP_TTL: u16 = 192;
    /// `nextHeaderIPv6`, unsigned8.
    pub const NEXT_HEADER_IPV6: u16 = 193;
    /// `mplsPayloadLength`, unsigned32 in octets.
    pub const MPLS_PAYLOAD_LENGTH: u16 = 194;
    /// `ipDiffServCodePoint`, unsigned8.
    pub const IP_DIFF_SERV_CODE_POINT: u16 = 195;
    /// `ipPrecedence`, unsigned8.
    pub const IP_PRECEDENCE: u16 = 196;
    /// `fragmentFlags`, unsigned8.
    pub const FRAGMENT_FLAGS: u16 = 197;
    /// `octetDeltaSumOfSquares`, unsigned64.
    pub const OCTET_DELTA_SUM_OF_SQUARES: u16 = 198;
    /// `octetTotalSumOfSquares`, unsigned64 in octets.
    pub const OCTET_TOTAL_SUM_OF_SQUARES: u16 = 199;
    /// `mplsTopLabelTTL`, unsigned8 in hops.
    pub const MPLS_TOP_LABEL_TTL: u16 = 200;
    /// `mplsLabelStackLength`, unsigned32 in octets.
    pub const MPLS_LABEL_STACK_LENGTH: u16 = 201;
    /// `mplsLabelStackDepth`, unsigned32 in entries.
    pub const MPLS_LABEL_STACK_DEPTH: u16 = 202;
    /// `mplsTopLabelExp`, unsigned8.
    pub const MPLS_TOP_LABEL_EXP: u16 = 203;
    /// `ipPayloadLength`, unsigned32 in octets.
    pub const IP_PAYLOAD_LENGTH: u16 = 204;
    /// `udpMessageLength`, unsigned16 in octets.
    pub const UDP_MESSAGE_LENGTH: u16 = 205;
    /// `isMulticast`, unsigned8.
    pub const IS_MULTICAST: u16 = 206;
    /// `ipv4IHL`, unsigned8 in 4-octet words.
    pub const IPV4_IHL: u16 = 207;
    /// `ipv4Options`, unsigned32.
    pub const IPV4_OPTIONS: u16 = 208;
    /// `tcpOptions`, unsigned64.
    pub const TCP_OPTIONS: u16 = 209;
    /// `paddingOctets`, octetArray.
    pub const PADDING_OCTETS: u16 = 210;
    /// `collectorIPv4Address`, ipv4Address.
    pub const COLLECTOR_IPV4_ADDRESS: u16 = 211;
    /// `collectorIPv6Address`, ipv6Address.
    pub const COLLECTOR_IPV6_ADDRESS: u16 = 212;
    /// `exportInterface`, unsigned32.
    pub const EXPORT_INTERFACE: u16 = 213;
    /// `exportProtocolVersion`, unsigned8.
    pub const EXPORT_PROTOCOL_VERSION: u16 = 214;
    /// `exportTransportProtocol`, unsigned8.
    pub const EXPORT_TRANSPORT_PROTOCOL: u16 = 215;
    /// `collectorTransportPort`, unsigned16.
    pub const COLLECTOR_TRANSPORT_PORT: u16 = 216;
    /// `exporterTransportPort`, unsigned16.
    pub const EXPORTER_TRANSPORT_PORT: u16 = 217;
    /// `tcpSynTotalCount`, unsigned64 in packets.
    pub const TCP_SYN_TOTAL_COUNT: u16 = 218;
    /// `tcpFinTotalCount`, unsigned64 in packets.
    pub const TCP_FIN_TOTAL_COUNT: u16 = 219;
    /// `tcpRstTotalCount`, unsigned64 in packets.
    pub const TCP_RST_TOTAL_COUNT: u16 = 220;
    /// `tcpPshTotalCount`, unsigned64 in packets.
    pub const TCP_PSH_TOTAL_COUNT: u16 = 221;
    /// `tcpAckTotalCount`, unsigned64 in packets.
    pub const TCP_ACK_TOTAL_COUNT: u16 = 222;
    /// `tcpUrgTotalCount`, unsigned64 in packets.
    pub const TCP_URG_TOTAL_COUNT: u16 = 223;
    /// `ipTotalLength`, unsigned64 in octets.
    pub const IP_TOTAL_LENGTH: u16 = 224;
    /// `postNATSourceIPv4Address`, ipv4Address.
    pub const POST_NAT_SOURCE_IPV4_ADDRESS: u16 = 225;
    /// `postNATDestinationIPv4Address`, ipv4Address.
    pub const POST_NAT_DESTINATION_IPV4_ADDRESS: u16 = 226;
    /// `postNAPTSourceTransportPort`, unsigned16.
    pub const POST_NAPT_SOURCE_TRANSPORT_PORT: u16 = 227;
    /// `postNAPTDestinationTransportPort`, unsigned16.
    pub const POST_NAPT_DESTINATION_TRANSPORT_PORT: u16 = 228;
    /// `natOriginatingAddressRealm`, unsigned8.
    pub const NAT_ORIGINATING_ADDRESS_REALM: u16 = 229;
    /// `natEvent`, unsigned8.
    pub const NAT_EVENT: u16 = 230;
    /// `initiatorOctets`, unsigned64 in octets.
    pub const INITIATOR_OCTETS: u16 = 231;
    /// `responderOctets`, unsigned64 in octets.
    pub const RESPONDER_OCTETS: u16 = 232;
    /// `firewallEvent`, unsigned8.
    pub const FIREWALL_EVENT: u16 = 233;
    /// `ingressVRFID`, unsigned32.
    pub const INGRESS_VRF_ID: u16 = 234;
    /// `egressVRFID`, unsigned32.
    pub const EGRESS_VRF_ID: u16 = 235;
    /// `VRFname`, string.
    pub const VRF_NAME: u16 = 236;
    /// `postMplsTopLabelExp`, unsigned8.
    pub const POST_MPLS_TOP_LABEL_EXP: u16 = 237;
    /// `tcpWindowScale`, unsigned16.
    pub const TCP_WINDOW_SCALE: u16 = 238;
    /// `biflowDirection`, unsigned8.
    pub const BIFLOW_DIRECTION: u16 = 239;
    /// `ethernetHeaderLength`, unsigned8 in octets.
    pub const ETHERNET_HEADER_LENGTH: u16 = 240;
    /// `ethernetPayloadLength`, unsigned16 in octets.
    pub const ETHERNET_PAYLOAD_LENGTH: u16 = 241;
    /// `ethernetTotalLength`, unsigned16 in octets.
    pub const ETHERNET_TOTAL_LENGTH: u16 = 242;
    /// `dot1qVlanId`, unsigned16.
    pub const DOT1Q_VLAN_ID: u16 = 243;
    /// `dot1qPriority`, unsigned8.
    pub const DOT1Q_PRIORITY: u16 = 244;
    /// `dot1qCustomerVlanId`, unsigned16.
    pub const DOT1Q_CUSTOMER_VLAN_ID: u16 = 245;
    /// `dot1qCustomerPriority`, unsigned8.
    pub const DOT1Q_CUSTOMER_PRIORITY: u16 = 246;
    /// `metroEvcId`, string.
    pub const METRO_EVC_ID: u16 = 247;
    /// `metroEvcType`, unsigned8.
    pub const METRO_EVC_TYPE: u16 = 248;
    /// `pseudoWireId`, unsigned32.
    pub const PSEUDO_WIRE_ID: u16 = 249;
    /// `pseudoWireType`, unsigned16.
    pub const PSEUDO_WIRE_TYPE: u16 = 250;
    /// `pseudoWireControlWord`, unsigned32.
    pub const PSEUDO_WIRE_CONTROL_WORD: u16 = 251;
    /// `ingressPhysicalInterface`, unsigned32.
    pub const INGRESS_PHYSICAL_INTERFACE: u16 = 252;
    /// `egressPhysicalInterface`, unsigned32.
    pub const EGRESS_PHYSICAL_INTERFACE: u16 = 253;
    /// `postDot1qVlanId`, unsigned16.
    pub const POST_DOT1Q_VLAN_ID: u16 = 254;
    /// `postDot1qCustomerVlanId`, unsigned16.
    pub const POST_DOT1Q_CUSTOMER_VLAN_ID: u16 = 255;
    /// `ethernetType`, unsigned16.
    pub const ETHERNET_TYPE: u16 = 256;
    /// `postIpPrecedence`, unsigned8.
    pub const POST_IP_PRECEDENCE: u16 = 257;
    /// `collectionTimeMilliseconds`, dateTimeMilliseconds in milliseconds.
    pub const COLLECTION_TIME_MILLISECONDS: u16 = 258;
    /// `exportSctpStreamId`, unsigned16.
    pub const EXPORT_SCTP_STREAM_ID: u16 = 259;
    /// `maxExportSeconds`, dateTimeSeconds in seconds.
    pub const MAX_EXPORT_SECONDS: u16 = 260;
    /// `maxFlowEndSeconds`, dateTimeSeconds in seconds.
    pub const MAX_FLOW_END_SECONDS: u16 = 261;
    /// `messageMD5Checksum`, octetArray.
    pub const MESSAGE_MD5_CHECKSUM: u16 = 262;
    /// `messageScope`, unsigned8.
    pub const MESSAGE_SCOPE: u16 = 263;
    /// `minExportSeconds`, dateTimeSeconds in seconds.
    pub const MIN_EXPORT_SECONDS: u16 = 264;
    /// `minFlowStartSeconds`, dateTimeSeconds in seconds.
    pub const MIN_FLOW_START_SECONDS: u16 = 265;
    /// `opaqueOctets`, octetArray.
    pub const OPAQUE_OCTETS: u16 = 266;
    /// `sessionScope`, unsigned8.
    pub const SESSION_SCOPE: u16 = 267;
    /// `maxFlowEndMicroseconds`, dateTimeMicroseconds in microseconds.
    pub const MAX_FLOW_END_MICROSECONDS: u16 = 268;
    /// `maxFlowEndMilliseconds`, dateTimeMilliseconds in milliseconds.
    pub const MAX_FLOW_END_MILLISECONDS: u16 = 269;
    /// `maxFlowEndNanoseconds`, dateTimeNanoseconds in nanoseconds.
    pub const MAX_FLOW_END_NANOSECONDS: u16 = 270;
    /// `minFlowStartMicroseconds`, dateTimeMicroseconds in microseconds.
    pub const MIN_FLOW_START_MICROSECONDS: u16 = 271;
    /// `minFlowStartMilliseconds`, dateTimeMilliseconds in milliseconds.
    pub const MIN_FLOW_START_MILLISECONDS: u16 = 272;
    /// `minFlowStartNanoseconds`, dateTimeNanoseconds in nanoseconds.
    pub const MIN_FLOW_START_NANOSECONDS: u16 = 273;
    /// `collectorCertificate`, octetArray.
    pub const COLLECTOR_CERTIFICATE: u16 = 274;
    /// `exporterCertificate`, octetArray.
    pub const EXPORTER_CERTIFICATE: u16 = 275;
    /// `dataRecordsReliability`, boolean.
    pub const DATA_RECORDS_RELIABILITY: u16 = 276;
    /// `observationPointType`, unsigned8.
    pub const OBSERVATION_POINT_TYPE: u16 = 277;
    /// `newConnectionDeltaCount`, unsigned32.
    pub const NEW_CONNECTION_DELTA_COUNT: u16 = 278;
    /// `connectionSumDurationSeconds`, unsigned64 in seconds.
    pub const CONNECTION_SUM_DURATION_SECONDS: u16 = 279;
    /// `connectionTransactionId`, unsigned64.
    pub const CONNECTION_TRANSACTION_ID: u16 = 280;
    /// `postNATSourceIPv6Address`, ipv6Address.
    pub const POST_NAT_SOURCE_IPV6_ADDRESS: u16 = 281;
    /// `postNATDestinationIPv6Address`, ipv6Address.
    pub const POST_NAT_DESTINATION_IPV6_ADDRESS: u16 = 282;
    /// `natPoolId`, unsigned32.
    pub const NAT_POOL_ID: u16 = 283;
    /// `natPoolName`, string.
    pub const NAT_POOL_NAME: u16 = 284;
    /// `anonymizationFlags`, unsigned16.
    pub const ANONYMIZATION_FLAGS: u16 = 285;
    /// `anonymizationTechnique`, unsigned16.
    pub const ANONYMIZATION_TECHNIQUE: u16 = 286;
    /// `informationElementIndex`, unsigned16.
    pub const INFORMATION_ELEMENT_INDEX: u16 = 287;
    /// `p2pTechnology`, string.
    pub const P2P_TECHNOLOGY: u16 = 288;
    /// `tunnelTechnology`, string.
    pub const TUNNEL_TECHNOLOGY: u16 = 289;
    /// `encryptedTechnology`, string.
    pub const ENCRYPTED_TECHNOLOGY: u16 = 290;
    /// `basicList`, basicList.
    pub const BASIC_LIST: u16 = 291;
    /// `subTemplateList`, subTemplateList.
    pub const SUB_TEMPLATE_LIST: u16 = 292;
    /// `subTemplateMultiList`, subTemplateMultiList.
    pub const SUB_TEMPLATE_MULTI_LIST: u16 = 293;
    /// `bgpValidityState`, unsigned8.
    pub const BGP_VALIDITY_STATE: u16 = 294;
    /// `IPSecSPI`, unsigned32.
    pub const IPSEC_SPI: u16 = 295;
    /// `greKey`, unsigned32.
    pub const GRE_KEY: u16 = 296;
    /// `natType`, unsigned8.
    pub const NAT_TYPE: u16 = 297;
    /// `initiatorPackets`, unsigned64 in packets.
    pub const INITIATOR_PACKETS: u16 = 298;
    /// `responderPackets`, unsigned64 in packets.
    pub const RESPONDER_PACKETS: u16 = 299;
    /// `observationDomainName`, string.
    pub const OBSERVATION_DOMAIN_NAME: u16 = 300;
    /// `selectionSequenceId`, unsigned64.
    pub const SELECTION_SEQUENCE_ID: u16 = 301;
    /// `selectorId`, unsigned64.
    pub const SELECTOR_ID: u16 = 302;
    /// `informationElementId`, unsigned16.
    pub const INFORMATION_ELEMENT_ID: u16 = 303;
    /// `selectorAlgorithm`, unsigned16.
    pub const SELECTOR_ALGORITHM: u16 = 304;
    /// `samplingPacketInterval`, unsigned32 in packets.
    pub const SAMPLING_PACKET_INTERVAL: u16 = 305;
    /// `samplingPacketSpace`, unsigned32 in packets.
    pub const SAMPLING_PACKET_SPACE: u16 = 306;
    /// `samplingTimeInterval`, unsigned32 in microseconds.
    pub const SAMPLING_TIME_INTERVAL: u16 = 307;
    /// `samplingTimeSpace`, unsigned32 in microseconds.
    pub const SAMPLING_TIME_SPACE: u16 = 308;
    /// `samplingSize`, unsigned32 in packets.
    pub const SAMPLING_SIZE: u16 = 309;
    /// `samplingPopulation`, unsigned32 in packets.
    pub const SAMPLING_POPULATION: u16 = 310;
    /// `samplingProbability`, float64.
    pub const SAMPLING_PROBABILITY: u16 = 311;
    /// `dataLinkFrameSize`, unsigned16.
    pub const DATA_LINK_FRAME_SIZE: u16 = 312;
    /// `ipHeaderPacketSection`, octetArray.
    pub const IP_HEADER_PACKET_SECTION: u16 = 313;
    /// `ipPayloadPacketSection`, octetArray.
    pub const IP_PAYLOAD_PACKET_SECTION: u16 = 314;
    /// `dataLinkFrameSection`, octetArray.
    pub const DATA_LINK_FRAME_SECTION: u16 = 315;
    /// `mplsLabelStackSection`, octetArray.
    pub const MPLS_LABEL_STACK_SECTION: u16 = 316;
    /// `mplsPayloadPacketSection`, octetArray.
    pub const MPLS_PAYLOAD_PACKET_SECTION: u16 = 317;
    /// `selectorIdTotalPktsObserved`, unsigned64 in packets.
    pub const SELECTOR_ID_TOTAL_PKTS_OBSERVED: u16 = 318;
    /// `selectorIdTotalPktsSelected`, unsigned64 in packets.
    pub const SELECTOR_ID_TOTAL_PKTS_SELECTED: u16 = 319;
    /// `absoluteError`, float64 in inferred.
    pub const ABSOLUTE_ERROR: u16 = 320;
    /// `relativeError`, float64.
    pub const RELATIVE_ERROR: u16 = 321;
    /// `observationTimeSeconds`, dateTimeSeconds in seconds.
    pub const OBSERVATION_TIME_SECONDS: u16 = 322;
    /// `observationTimeMilliseconds`, dateTimeMilliseconds in milliseconds.
    pub const OBSERVATION_TIME_MILLISECONDS: u16 = 323;
    /// `observationTimeMicroseconds`, dateTimeMicroseconds in microseconds.
    pub const OBSERVATION_TIME_MICROSECONDS: u16 = 324;
    /// `observationTimeNanoseconds`, dateTimeNanoseconds in nanoseconds.
    pub const OBSERVATION_TIME_NANOSECONDS: u16 = 325;
    /// `digestHashValue`, unsigned64.
    pub const DIGEST_HASH_VALUE: u16 = 326;
    /// `hashIPPayloadOffset`, unsigned64.
    pub const HASH_IP_PAYLOAD_OFFSET: u16 = 327;
    /// `hashIPPayloadSize`, unsigned64.
    pub const HASH_IP_PAYLOAD_SIZE: u16 = 328;
    /// `hashOutputRangeMin`, unsigned64.
    pub const HASH_OUTPUT_RANGE_MIN: u16 = 329;
    /// `hashOutputRangeMax`, unsigned64.
    pub const HASH_OUTPUT_RANGE_MAX: u16 = 330;
    /// `hashSelectedRangeMin`, unsigned64.
    pub const HASH_SELECTED_RANGE_MIN: u16 = 331;
    /// `hashSelectedRangeMax`, unsigned64.
    pub const HASH_SELECTED_RANGE_MAX: u16 = 332;
    /// `hashDigestOutput`, boolean.
    pub const HASH_DIGEST_OUTPUT: u16 = 333;
    /// `hashInitialiserValue`, unsigned64.
    pub const HASH_INITIALISER_VALUE: u16 = 334;
    /// `selectorName`, string.
    pub const SELECTOR_NAME: u16 = 335;
    /// `upperCILimit`, float64.
    pub const UPPER_CI_LIMIT: u16 = 336;
    /// `lowerCILimit`, float64.
    pub const LOWER_CI_LIMIT: u16 = 337;
    /// `confidenceLevel`, float64.
    pub const CONFIDENCE_LEVEL: u16 = 338;
    /// `informationElementDataType`, unsigned8.
    pub const INFORMATION_ELEMENT_DATA_TYPE: u16 = 339;
    /// `informationElementDescription`, string.
    pub const INFORMATION_ELEMENT_DESCRIPTION: u16 = 340;
    /// `informationElementName`, string.
    pub const INFORMATION_ELEMENT_NAME: u16 = 341;
    /// `informationElementRangeBegin`, unsigned64.
    pub const INFORMATION_ELEMENT_RANGE_BEGIN: u16 = 342;
    /// `informationElementRangeEnd`, unsigned64.
    pub const INFORMATION_ELEMENT_RANGE_END: u16 = 343;
    /// `informationElementSemantics`, unsigned8.
    pub const INFORMATION_ELEMENT_SEMANTICS: u16 = 344;
    /// `informationElementUnits`, unsigned16.
    pub const INFORMATION_ELEMENT_UNITS: u16 = 345;
    /// `privateEnterpriseNumber`, unsigned32.
    pub const PRIVATE_ENTERPRISE_NUMBER: u16 = 346;
    /// `virtualStationInterfaceId`, octetArray.
    pub const VIRTUAL_STATION_INTERFACE_ID: u16 = 347;
    /// `virtualStationInterfaceName`, string.
    pub const VIRTUAL_STATION_INTERFACE_NAME: u16 = 348;
    /// `virtualStationUUID`, octetArray.
    pub const VIRTUAL_STATION_UUID: u16 = 349;
    /// `virtualStationName`, string.
    pub const VIRTUAL_STATION_NAME: u16 = 350;
    /// `layer2SegmentId`, unsigned64.
    pub const LAYER2_SEGMENT_ID: u16 = 351;
    /// `layer2OctetDeltaCount`, unsigned64 in octets.
    pub const LAYER2_OCTET_DELTA_COUNT: u16 = 352;
    /// `layer2OctetTotalCount`, unsigned64 in octets.
    pub const LAYER2_OCTET_TOTAL_COUNT: u16 = 353;
    /// `ingressUnicastPacketTotalCount`, unsigned64 in packets.
    pub const INGRESS_UNICAST_PACKET_TOTAL_COUNT: u16 = 354;
    /// `ingressMulticastPacketTotalCount`, unsigned64 in packets.
    pub const INGRESS_MULTICAST_PACKET_TOTAL_COUNT: u16 = 355;
    /// `ingressBroadcastPacketTotalCount`, unsigned64 in packets.
    pub const INGRESS_BROADCAST_PACKET_TOTAL_COUNT: u16 = 356;
    /// `egressUnicastPacketTotalCount`, unsigned64 in packets.
    pub const EGRESS_UNICAST_PACKET_TOTAL_COUNT: u16 = 357;
    /// `egressBroadcastPacketTotalCount`, unsigned64 in packets.
    pub const EGRESS_BROADCAST_PACKET_TOTAL_COUNT: u16 = 358;
    /// `monitoringIntervalStartMilliSeconds`, dateTimeMilliseconds in milliseconds.
    pub const MONITORING_INTERVAL_START_MILLI_SECONDS: u16 = 359;
    /// `monitoringIntervalEndMilliSeconds`, dateTimeMilliseconds in milliseconds.
    pub const MONITORING_INTERVAL_END_MILLI_SECONDS: u16 = 360;
    /// `portRangeStart`, unsigned16.
    pub const PORT_RANGE_START: u16 = 361;
    /// `portRangeEnd`, unsigned16.
    pub const PORT_RANGE_END: u16 = 362;
    /// `portRangeStepSize`, unsigned16.
    pub const PORT_RANGE_STEP_SIZE: u16 = 363;
    /// `portRangeNumPorts`, unsigned16.
    pub const PORT_RANGE_NUM_PORTS: u16 = 364;
    /// `staMacAddress`, macAddress.
    pub const STA_MAC_ADDRESS: u16 = 365;
    /// `staIPv4Address`, ipv4Address.
    pub const STA_IPV4_ADDRESS: u16 = 366;
    /// `wtpMacAddress`, macAddress.
    pub const WTP_MAC_ADDRESS: u16 = 367;
    /// `ingressInterfaceType`, unsigned32.
    pub const INGRESS_INTERFACE_TYPE: u16 = 368;
    /// `egressInterfaceType`, unsigned32.
    pub const EGRESS_INTERFACE_TYPE: u16 = 369;
    /// `rtpSequenceNumber`, unsigned16.
    pub const RTP_SEQUENCE_NUMBER: u16 = 370;
    /// `userName`, string.
    pub const USER_NAME: u16 = 371;
    /// `applicationCategoryName`, string.
    pub const APPLICATION_CATEGORY_NAME: u16 = 372;
    /// `applicationSubCategoryName`, string.
    pub const APPLICATION_SUB_CATEGORY_NAME: u16 = 373;
    /// `applicationGroupName`, string.
    pub const APPLICATION_GROUP_NAME: u16 = 374;
    /// `originalFlowsPresent`, unsigned64 in flows.
    pub const ORIGINAL_FLOWS_PRESENT: u16 = 375;
    /// `originalFlowsInitiated`, unsigned64 in flows.
    pub const ORIGINAL_FLOWS_INITIATED: u16 = 376;
    /// `originalFlowsCompleted`, unsigned64 in flows.
    pub const ORIGINAL_FLOWS_COMPLETED: u16 = 377;
    /// `distinctCountOfSourceIPAddress`, unsigned64.
    pub const DISTINCT_COUNT_OF_SOURCE_IP_ADDRESS: u16 = 378;
    /// `distinctCountOfDestinationIPAddress`, unsigned64.
    pub const DISTINCT_COUNT_OF_DESTINATION_IP_ADDRESS: u16 = 379;
    /// `distinctCountOfSourceIPv4Address`, unsigned32.
    pub const DISTINCT_COUNT_OF_SOURCE_IPV4_ADDRESS: u16 = 380;
    /// `distinctCountOfDestinationIPv4Address`, unsigned32.
    pub const DISTINCT_COUNT_OF_DESTINATION_IPV4_ADDRESS: u16 = 381;
    /// `distinctCountOfSourceIPv6Address`, unsigned64.
    pub const DISTINCT_COUNT_OF_SOURCE_IPV6_ADDRESS: u16 = 382;
    /// `distinctCountOfDestinationIPv6Address`, unsigned64.
    pub const DISTINCT_COUNT_OF_DESTINATION_IPV6_ADDRESS: u16 = 383;
    /// `valueDistributionMethod`, unsigned8.
    pub const VALUE_DISTRIBUTION_METHOD: u16 = 384;
    /// `rfc3550JitterMilliseconds`, unsigned32 in milliseconds.
    pub const RFC3550_JITTER_MILLISECONDS: u16 = 385;
    /// `rfc3550JitterMicroseconds`, unsigned32 in microseconds.
    pub const RFC3550_JITTER_MICROSECONDS: u16 = 386;
    /// `rfc3550JitterNanoseconds`, unsigned32 in nanoseconds.
    pub const RFC3550_JITTER_NANOSECONDS: u16 = 387;
    /// `dot1qDEI`, boolean.
    pub const DOT1Q_DEI: u16 = 388;
    /// `dot1qCustomerDEI`, boolean.
    pub const DOT1Q_CUSTOMER_DEI: u16 = 389;
    /// `flowSelectorAlgorithm`, unsigned16.
    pub const FLOW_SELECTOR_ALGORITHM: u16 = 390;
    /// `flowSelectedOctetDeltaCount`, unsigned64 in octets.
    pub const FLOW_SELECTED_OCTET_DELTA_COUNT: u16 = 391;
    /// `flowSelectedPacketDeltaCount`, unsigned64 in packets.
    pub const FLOW_SELECTED_PACKET_DELTA_COUNT: u16 = 392;
    /// `flowSelectedFlowDeltaCount`, unsigned64 in flows.
    pub const FLOW_SELECTED_FLOW_DELTA_COUNT: u16 = 393;
    /// `selectorIDTotalFlowsObserved`, unsigned64 in flows.
    pub const SELECTOR_ID_TOTAL_FLOWS_OBSERVED: u16 = 394;
    /// `selectorIDTotalFlowsSelected`, unsigned64 in flows.
    pub const SELECTOR_ID_TOTAL_FLOWS_SELECTED: u16 = 395;
    /// `samplingFlowInterval`, unsigned64 in flows.
    pub const SAMPLING_FLOW_INTERVAL: u16 = 396;
    /// `samplingFlowSpacing`, unsigned64 in flows.
    pub const SAMPLING_FLOW_SPACING: u16 = 397;
    /// `flowSamplingTimeInterval`, unsigned64 in microseconds.
    pub const FLOW_SAMPLING_TIME_INTERVAL: u16 = 398;
    /// `flowSamplingTimeSpacing`, unsigned64 in microseconds.
    pub const FLOW_SAMPLING_TIME_SPACING: u16 = 399;
    /// `hashFlowDomain`, unsigned16.
    pub const HASH_FLOW_DOMAIN: u16 = 400;
    /// `transportOctetDeltaCount`, unsigned64 in octets.
    pub const TRANSPORT_OCTET_DELTA_COUNT: u16 = 401;
    /// `transportPacketDeltaCount`, unsigned64 in packets.
    pub const TRANSPORT_PACKET_DELTA_COUNT: u16 = 402;
    /// `originalExporterIPv4Address`, ipv4Address.
    pub const ORIGINAL_EXPORTER_IPV4_ADDRESS: u16 = 403;
    /// `originalExporterIPv6Address`, ipv6Address.
    pub const ORIGINAL_EXPORTER_IPV6_ADDRESS: u16 = 404;
    /// `originalObservationDomainId`, unsigned32.
    pub const ORIGINAL_OBSERVATION_DOMAIN_ID: u16 = 405;
    /// `intermediateProcessId`, unsigned32.
    pub const INTERMEDIATE_PROCESS_ID: u16 = 406;
    /// `ignoredDataRecordTotalCount`, unsigned64.
    pub const IGNORED_DATA_RECORD_TOTAL_COUNT: u16 = 407;
    /// `dataLinkFrameType`, unsigned16.
    pub const DATA_LINK_FRAME_TYPE: u16 = 408;
    /// `sectionOffset`, unsigned16.
    pub const SECTION_OFFSET: u16 = 409;
    /// `sectionExportedOctets`, unsigned16.
    pub const SECTION_EXPORTED_OCTETS: u16 = 410;
    /// `dot1qServiceInstanceTag`, octetArray.
    pub const DOT1Q_SERVICE_INSTANCE_TAG: u16 = 411;
    /// `dot1qServiceInstanceId`, unsigned32.
    pub const DOT1Q_SERVICE_INSTANCE_ID: u16 = 412;
    /// `dot1qServiceInstancePriority`, unsigned8.
    pub const DOT1Q_SERVICE_INSTANCE_PRIORITY: u16 = 413;
    /// `dot1qCustomerSourceMacAddress`, macAddress.
    pub const DOT1Q_CUSTOMER_SOURCE_MAC_ADDRESS: u16 = 414;
    /// `dot1qCustomerDestinationMacAddress`, macAddress.
    pub const DOT1Q_CUSTOMER_DESTINATION_MAC_ADDRESS: u16 = 415;
    /// `postLayer2OctetDeltaCount`, unsigned64 in octets.
    pub const POST_LAYER2_OCTET_DELTA_COUNT: u16 = 417;
    /// `postMCastLayer2OctetDeltaCount`, unsigned64 in octets.
    pub const POST_MCAST_LAYER2_OCTET_DELTA_COUNT: u16 = 418;
    /// `postLayer2OctetTotalCount`, unsigned64 in octets.
    pub const POST_LAYER2_OCTET_TOTAL_COUNT: u16 = 420;
    /// `postMCastLayer2OctetTotalCount`, unsigned64 in octets.
    pub const POST_MCAST_LAYER2_OCTET_TOTAL_COUNT: u16 = 421;
    /// `minimumLayer2TotalLength`, unsigned64 in octets.
    pub const MINIMUM_LAYER2_TOTAL_LENGTH: u16 = 422;
    /// `maximumLayer2TotalLength`, unsigned64 in octets.
    pub const MAXIMUM_LAYER2_TOTAL_LENGTH: u16 = 423;
    /// `droppedLayer2OctetDeltaCount`, unsigned64 in octets.
    pub const DROPPED_LAYER2_OCTET_DELTA_COUNT: u16 = 424;
    /// `droppedLayer2OctetTotalCount`, unsigned64 in octets.
    pub const DROPPED_LAYER2_OCTET_TOTAL_COUNT: u16 = 425;
    /// `ignoredLayer2OctetTotalCount`, unsigned64 in octets.
    pub const IGNORED_LAYER2_OCTET_TOTAL_COUNT: u16 = 426;
    /// `notSentLayer2OctetTotalCount`, unsigned64 in octets.
    pub const NOT_SENT_LAYER2_OCTET_TOTAL_COUNT: u16 = 427;
    /// `layer2OctetDeltaSumOfSquares`, unsigned64 in octets.
    pub const LAYER2_OCTET_DELTA_SUM_OF_SQUARES: u16 = 428;
    /// `layer2OctetTotalSumOfSquares`, unsigned64 in octets.
    pub const LAYER2_OCTET_TOTAL_SUM_OF_SQUARES: u16 = 429;
    /// `layer2FrameDeltaCount`, unsigned64 in frames.
    pub const LAYER2_FRAME_DELTA_COUNT: u16 = 430;
    /// `layer2FrameTotalCount`, unsigned64 in frames.
    pub const LAYER2_FRAME_TOTAL_COUNT: u16 = 431;
    /// `pseudoWireDestinationIPv4Address`, ipv4Address.
    pub const PSEUDO_WIRE_DESTINATION_IPV4_ADDRESS: u16 = 432;
    /// `ignoredLayer2FrameTotalCount`, unsigned64 in frames.
    pub const IGNORED_LAYER2_FRAME_TOTAL_COUNT: u16 = 433;
    /// `mibObjectValueInteger`, signed32.
    pub const MIB_OBJECT_VALUE_INTEGER: u16 = 434;
    /// `mibObjectValueOctetString`, octetArray.
    pub const MIB_OBJECT_VALUE_OCTET_STRING: u16 = 435;
    /// `mibObjectValueOID`, octetArray.
    pub const MIB_OBJECT_VALUE_OID: u16 = 436;
    /// `mibObjectValueBits`, octetArray.
    pub const MIB_OBJECT_VALUE_BITS: u16 = 437;
    /// `mibObjectValueIPAddress`, ipv4Address.
    pub const MIB_OBJECT_VALUE_IP_ADDRESS: u16 = 438;
    /// `mibObjectValueCounter`, unsigned64.
    pub const MIB_OBJECT_VALUE_COUNTER: u16 = 439;
    /// `mibObjectValueGauge`, unsigned32.
    pub const MIB_OBJECT_VALUE_GAUGE: u16 = 440;
    /// `mibObjectValueTimeTicks`, unsigned32.
    pub const MIB_OBJECT_VALUE_TIME_TICKS: u16 = 441;
    /// `mibObjectValueUnsigned`, unsigned32.
    pub const MIB_OBJECT_VALUE_UNSIGNED: u16 = 442;
    /// `mibObjectValueTable`, subTemplateList.
    pub const MIB_OBJECT_VALUE_TABLE: u16 = 443;
    /// `mibObjectValueRow`, subTemplateList.
    pub const MIB_OBJECT_VALUE_ROW: u16 = 444;
    /// `mibObjectIdentifier`, octetArray.
    pub const MIB_OBJECT_IDENTIFIER: u16 = 445;
    /// `mibSubIdentifier`, unsigned32.
    pub const MIB_SUB_IDENTIFIER: u16 = 446;
    /// `mibIndexIndicator`, unsigned64.
    pub const MIB_INDEX_INDICATOR: u16 = 447;
    /// `mibCaptureTimeSemantics`, unsigned8.
    pub const MIB_CAPTURE_TIME_SEMANTICS: u16 = 448;
    /// `mibContextEngineID`, octetArray.
    pub const MIB_CONTEXT_ENGINE_ID: u16 = 449;
    /// `mibContextName`, string.
    pub const MIB_CONTEXT_NAME: u16 = 450;
    /// `mibObjectName`, string.
    pub const MIB_OBJECT_NAME: u16 = 451;
    /// `mibObjectDescription`, string.
    pub const MIB_OBJECT_DESCRIPTION: u16 = 452;
    /// `mibObjectSyntax`, string.
    pub const MIB_OBJECT_SYNTAX: u16 = 453;
    /// `mibModuleName`, string.
    pub const MIB_MODULE_NAME: u16 = 454;
    /// `mobileIMSI`, string.
    pub const MOBILE_IMSI: u16 = 455;
    /// `mobileMSISDN`, string.
    pub const MOBILE_MSISDN: u16 = 456;
    /// `httpStatusCode`, unsigned16.
    pub const HTTP_STATUS_CODE: u16 = 457;
    /// `sourceTransportPortsLimit`, unsigned16 in ports.
    pub const SOURCE_TRANSPORT_PORTS_LIMIT: u16 = 458;
    /// `httpRequestMethod`, string.
    pub const HTTP_REQUEST_METHOD: u16 = 459;
    /// `httpRequestHost`, string.
    pub const HTTP_REQUEST_HOST: u16 = 460;
    /// `httpRequestTarget`, string.
    pub const HTTP_REQUEST_TARGET: u16 = 461;
    /// `httpMessageVersion`, string.
    pub const HTTP_MESSAGE_VERSION: u16 = 462;
    /// `natInstanceID`, unsigned32.
    pub const NAT_INSTANCE_ID: u16 = 463;
    /// `internalAddressRealm`, octetArray.
    pub const INTERNAL_ADDRESS_REALM: u16 = 464;
    /// `externalAddressRealm`, octetArray.
    pub const EXTERNAL_ADDRESS_REALM: u16 = 465;
    /// `natQuotaExceededEvent`, unsigned32.
    pub const NAT_QUOTA_EXCEEDED_EVENT: u16 = 466;
    /// `natThresholdEvent`, unsigned32.
    pub const NAT_THRESHOLD_EVENT: u16 = 467;
    /// `httpUserAgent`, string.
    pub const HTTP_USER_AGENT: u16 = 468;
    /// `httpContentType`, string.
    pub const HTTP_CONTENT_TYPE: u16 = 469;
    /// `httpReasonPhrase`, string.
    pub const HTTP_REASON_PHRASE: u16 = 470;
    /// `maxSessionEntries`, unsigned32.
    pub const MAX_SESSION_ENTRIES: u16 = 471;
    /// `maxBIBEntries`, unsigned32.
    pub const MAX_BIB_ENTRIES: u16 = 472;
    /// `maxEntriesPerUser`, unsigned32.
    pub const MAX_ENTRIES_PER_USER: u16 = 473;
    /// `maxSubscribers`, unsigned32.
    pub const MAX_SUBSCRIBERS: u16 = 474;
    /// `maxFragmentsPendingReassembly`, unsigned32.
    pub const MAX_FRAGMENTS_PENDING_REASSEMBLY: u16 = 475;
    /// `addressPoolHighThreshold`, unsigned32.
    pub const ADDRESS_POOL_HIGH_THRESHOLD: u16 = 476;
    /// `addressPoolLowThreshold`, unsigned32.
    pub const ADDRESS_POOL_LOW_THRESHOLD: u16 = 477;
    /// `addressPortMappingHighThreshold`, unsigned32.
    pub const ADDRESS_PORT_MAPPING_HIGH_THRESHOLD: u16 = 478;
    /// `addressPortMappingLowThreshold`, unsigned32.
    pub const ADDRESS_PORT_MAPPING_LOW_THRESHOLD: u16 = 479;
    /// `addressPortMappingPerUserHighThreshold`, unsigned32.
    pub const ADDRESS_PORT_MAPPING_PER_USER_HIGH_THRESHOLD: u16 = 480;
    /// `globalAddressMappingHighThreshold`, unsigned32.
    pub const GLOBAL_ADDRESS_MAPPING_HIGH_THRESHOLD: u16 = 481;
    /// `vpnIdentifier`, octetArray.
    pub const VPN_IDENTIFIER: u16 = 482;
    /// `bgpCommunity`, unsigned32.
    pub const BGP_COMMUNITY: u16 = 483;
    /// `bgpSourceCommunityList`, basicList.
    pub const BGP_SOURCE_COMMUNITY_LIST: u16 = 484;
    /// `bgpDestinationCommunityList`, basicList.
    pub const BGP_DESTINATION_COMMUNITY_LIST: u16 = 485;
    /// `bgpExtendedCommunity`, octetArray.
    pub const BGP_EXTENDED_COMMUNITY: u16 = 486;
    /// `bgpSourceExtendedCommunityList`, basicList.
    pub const BGP_SOURCE_EXTENDED_COMMUNITY_LIST: u16 = 487;
    /// `bgpDestinationExtendedCommunityList`, basicList.
    pub const BGP_DESTINATION_EXTENDED_COMMUNITY_LIST: u16 = 488;
    /// `bgpLargeCommunity`, octetArray.
    pub const BGP_LARGE_COMMUNITY: u16 = 489;
    /// `bgpSourceLargeCommunityList`, basicList.
    pub const BGP_SOURCE_LARGE_COMMUNITY_LIST: u16 = 490;
    /// `bgpDestinationLargeCommunityList`, basicList.
    pub const BGP_DESTINATION_LARGE_COMMUNITY_LIST: u16 = 491;
    /// `srhFlagsIPv6`, unsigned8.
    pub const SRH_FLAGS_IPV6: u16 = 492;
    /// `srhTagIPv6`, unsigned16.
    pub const SRH_TAG_IPV6: u16 = 493;
    /// `srhSegmentIPv6`, ipv6Address.
    pub const SRH_SEGMENT_IPV6: u16 = 494;
    /// `srhActiveSegmentIPv6`, ipv6Address.
    pub const SRH_ACTIVE_SEGMENT_IPV6: u16 = 495;
    /// `srhSegmentIPv6BasicList`, basicList.
    pub const SRH_SEGMENT_IPV6_BASIC_LIST: u16 = 496;
    /// `srhSegmentIPv6ListSection`, octetArray.
    pub const SRH_SEGMENT_IPV6_LIST_SECTION: u16 = 497;
    /// `srhSegmentsIPv6Left`, unsigned8.
    pub const SRH_SEGMENTS_IPV6_LEFT: u16 = 498;
    /// `srhIPv6Section`, octetArray.
    pub const SRH_IPV6_SECTION: u16 = 499;
    /// `srhIPv6ActiveSegmentType`, unsigned8.
    pub const SRH_IPV6_ACTIVE_SEGMENT_TYPE: u16 = 500;
    /// `srhSegmentIPv6LocatorLength`, unsigned8.
    pub const SRH_SEGMENT_IPV6_LOCATOR_LENGTH: u16 = 501;
    /// `srhSegmentIPv6EndpointBehavior`, unsigned16.
    pub const SRH_SEGMENT_IPV6_ENDPOINT_BEHAVIOR: u16 = 502;
    /// `transportChecksum`, unsigned16.
    pub const TRANSPORT_CHECKSUM: u16 = 503;
    /// `icmpHeaderPacketSection`, octetArray.
    pub const ICMP_HEADER_PACKET_SECTION: u16 = 504;
    /// `gtpuFlags`, unsigned8.
    pub const GTPU_FLAGS: u16 = 505;
    /// `gtpuMsgType`, unsigned8.
    pub const GTPU_MSG_TYPE: u16 = 506;
    /// `gtpuTEid`, unsigned32.
    pub const GTPU_TEID: u16 = 507;
    /// `gtpuSequenceNum`, unsigned16.
    pub const GTPU_SEQUENCE_NUM: u16 = 508;
    /// `gtpuQFI`, unsigned8.
    pub const GTPU_QFI: u16 = 509;
    /// `gtpuPduType`, unsigned8.
    pub const GTPU_PDU_TYPE: u16 = 510;
    /// `bgpSourceAsPathList`, basicList.
    pub const BGP_SOURCE_AS_PATH_LIST: u16 = 511;
    /// `bgpDestinationAsPathList`, basicList.
    pub const BGP_DESTINATION_AS_PATH_LIST: u16 = 512;
    /// `ipv6ExtensionHeaderType`, unsigned8.
    pub const IPV6_EXTENSION_HEADER_TYPE: u16 = 513;
    /// `ipv6ExtensionHeaderCount`, unsigned8.
    pub const IPV6_EXTENSION_HEADER_COUNT: u16 = 514;
    /// `ipv6ExtensionHeadersFull`, unsigned256.
    pub const IPV6_EXTENSION_HEADERS_FULL: u16 = 515;
    /// `ipv6ExtensionHeaderTypeCountList`, subTemplateList.
    pub const IPV6_EXTENSION_HEADER_TYPE_COUNT_LIST: u16 = 516;
    /// `ipv6ExtensionHeadersLimit`, boolean.
    pub const IPV6_EXTENSION_HEADERS_LIMIT: u16 = 517;
    /// `ipv6ExtensionHeadersChainLength`, unsigned32.
    pub const IPV6_EXTENSION_HEADERS_CHAIN_LENGTH: u16 = 518;
    /// `ipv6ExtensionHeaderChainLengthList`, subTemplateList.
    pub const IPV6_EXTENSION_HEADER_CHAIN_LENGTH_LIST: u16 = 519;
    /// `tcpOptionsFull`, unsigned256.
    pub const TCP_OPTIONS_FULL: u16 = 520;
    /// `tcpSharedOptionExID16`, unsigned16.
    pub const TCP_SHARED_OPTION_EX_ID16: u16 = 521;
    /// `tcpSharedOptionExID32`, unsigned32.
    pub const TCP_SHARED_OPTION_EX_ID32: u16 = 522;
    /// `tcpSharedOptionExID16List`, basicList.
    pub const TCP_SHARED_OPTION_EX_ID16_LIST: u16 = 523;
    /// `tcpSharedOptionExID32List`, basicList.
    pub const TCP_SHARED_OPTION_EX_ID32_LIST: u16 = 524;
    /// `udpSafeOptions`, unsigned256.
    pub const UDP_SAFE_OPTIONS: u16 = 525;
    /// `udpUnsafeOptions`, unsigned64.
    pub const UDP_UNSAFE_OPTIONS: u16 = 526;
    /// `udpExID`, unsigned16.
    pub const UDP_EX_ID: u16 = 527;
    /// `udpSafeExIDList`, basicList.
    pub const UDP_SAFE_EX_ID_LIST: u16 = 528;
    /// `udpUnsafeExIDList`, basicList.
    pub const UDP_UNSAFE_EX_ID_LIST: u16 = 529;
    /// `pathDelayMeanDeltaMicroseconds`, unsigned32.
    pub const PATH_DELAY_MEAN_DELTA_MICROSECONDS: u16 = 530;
    /// `pathDelayMinDeltaMicroseconds`, unsigned32.
    pub const PATH_DELAY_MIN_DELTA_MICROSECONDS: u16 = 531;
    /// `pathDelayMaxDeltaMicroseconds`, unsigned32.
    pub const PATH_DELAY_MAX_DELTA_MICROSECONDS: u16 = 532;
    /// `pathDelaySumDeltaMicroseconds`, unsigned64.
    pub const PATH_DELAY_SUM_DELTA_MICROSECONDS: u16 = 533;
}
