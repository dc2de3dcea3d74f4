// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* The twin of code.rs, for whoever would rather compile: the same maps and the same counts, which
 * `cargo xtask e2e xdp-program` holds both to. What is counted where is written down in program.rs and classify.rs.
 *
 *   clang -O2 -g -target bpf -I/usr/include/$(uname -m)-linux-gnu -c xdp_counters.bpf.c -o xdp_counters.o
 *
 * With flows, which need Linux 5.12 for an atomic operation: -DFLOWS=65536. For packets of several buffers, which drivers give
 * to such a program alone where the MTU is large, since Linux 5.18: -DFRAGS.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_ARP 0x0806
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_QINQ 0x88a8
#define MAX_TAGS 2
#define MAX_EXTENSIONS 4

enum { PROTO_HOP_BY_HOP = 0, PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ROUTING = 43, PROTO_FRAGMENT = 44,
       PROTO_ICMPV6 = 58, PROTO_OPTIONS = 60, PROTO_SCTP = 132 };

enum counted { TCP, UDP, ICMP, ICMPV6, OTHER_IPV4, OTHER_IPV6, ARP, NON_IP, COUNTED };

struct counter {
	__u64 packets;
	__u64 bytes;
};

struct flow_key {
	__u8 source[16];
	__u8 destination[16];
	__u16 source_port;
	__u16 destination_port;
	__u8 protocol;
	__u8 version;
	__u16 zero;
};

struct flow {
	__u64 packets;
	__u64 bytes;
	__u64 first_ns;
	__u64 last_ns;
	__u64 tcp_flags;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 5);
	__type(key, __u32);
	__type(value, struct counter);
} xdp_stats_map SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNTED);
	__type(key, __u32);
	__type(value, struct counter);
} xdp_proto_stats SEC(".maps");

#ifdef FLOWS
/* Which of the two maps flows go to: whoever takes flows out of one has them go to the other before. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} xdp_flow_turn SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, FLOWS);
	__type(key, struct flow_key);
	__type(value, struct flow);
} xdp_flows SEC(".maps"), xdp_flows_2 SEC(".maps");
#endif

#ifdef FRAGS
#define SECTION "xdp.frags"
#else
#define SECTION "xdp"
#endif

/* What is known of a packet. Without a version it is none of IP. */
struct packet {
	/* Of the frame, behind its first buffer. */
	__u64 behind;
	struct flow_key key;
	__u64 bytes;
	__u64 tcp_flags;
};

static __always_inline __u16 network16(const void *at)
{
	return bpf_ntohs(*(const __u16 *)at);
}

static __always_inline void count(void *map, __u32 key, __u64 bytes)
{
	struct counter *counter = bpf_map_lookup_elem(map, &key);

	if (counter) {
		counter->packets += 1;
		counter->bytes += bytes;
	}
}

/* The length that the header has, unless that is zero or more than there is. */
static __always_inline __u64 said_or_there(__u64 said, __u64 there)
{
	return said == 0 || said > there ? there : said;
}

static __always_inline void transport(struct packet *packet, const __u8 *cursor, const __u8 *end)
{
	__u8 protocol = packet->key.protocol;

	if (protocol != PROTO_TCP && protocol != PROTO_UDP && protocol != PROTO_SCTP)
		return;
	if (protocol == PROTO_TCP && cursor + 14 <= end)
		packet->tcp_flags = cursor[13];
	if (cursor + 4 > end)
		return;
	packet->key.source_port = *(const __u16 *)cursor;
	packet->key.destination_port = *(const __u16 *)(cursor + 2);
}

static __always_inline enum counted ipv4(struct packet *packet, const __u8 *cursor, const __u8 *end)
{
	struct flow_key *key = &packet->key;
	__u32 header_len;

	if (cursor + 20 > end || cursor[0] >> 4 != 4)
		return OTHER_IPV4;
	header_len = (cursor[0] & 15) * 4;
	if (header_len < 20 || cursor + header_len > end)
		return OTHER_IPV4;
	key->source[10] = key->source[11] = key->destination[10] = key->destination[11] = 0xff;
	__builtin_memcpy(key->source + 12, cursor + 12, 4);
	__builtin_memcpy(key->destination + 12, cursor + 16, 4);
	key->protocol = cursor[9];
	key->version = 4;
	packet->bytes = said_or_there(network16(cursor + 2), end - cursor + packet->behind);
	if ((network16(cursor + 6) & 0x1fff) == 0)
		transport(packet, cursor + header_len, end);
	switch (key->protocol) {
	case PROTO_TCP:
		return TCP;
	case PROTO_UDP:
		return UDP;
	case PROTO_ICMP:
		return ICMP;
	default:
		return OTHER_IPV4;
	}
}

static __always_inline enum counted ipv6(struct packet *packet, const __u8 *cursor, const __u8 *end)
{
	struct flow_key *key = &packet->key;
	int later_fragment = 0;
	__u64 payload;
	__u8 protocol;

	if (cursor + 40 > end || cursor[0] >> 4 != 6)
		return OTHER_IPV6;
	__builtin_memcpy(key->source, cursor + 8, 16);
	__builtin_memcpy(key->destination, cursor + 24, 16);
	key->version = 6;
	payload = network16(cursor + 4);
	packet->bytes = said_or_there(payload ? payload + 40 : 0, end - cursor + packet->behind);
	protocol = cursor[6];
	cursor += 40;
#pragma unroll
	for (int extensions = 0; extensions < MAX_EXTENSIONS; extensions++) {
		int is_fragment = protocol == PROTO_FRAGMENT;

		if (protocol != PROTO_HOP_BY_HOP && protocol != PROTO_ROUTING && protocol != PROTO_OPTIONS && !is_fragment)
			break;
		if (cursor + 8 > end)
			break;
		protocol = cursor[0];
		if (is_fragment) {
			later_fragment = (network16(cursor + 2) & 0xfff8) != 0;
			cursor += 8;
			if (later_fragment)
				break;
		} else {
			cursor += (cursor[1] + 1) * 8;
		}
	}
	key->protocol = protocol;
	if (!later_fragment)
		transport(packet, cursor, end);
	switch (protocol) {
	case PROTO_TCP:
		return TCP;
	case PROTO_UDP:
		return UDP;
	case PROTO_ICMPV6:
		return ICMPV6;
	default:
		return OTHER_IPV6;
	}
}

static __always_inline enum counted frame(struct packet *packet, const __u8 *cursor, const __u8 *end)
{
	__u16 ethertype;

	if (cursor + 14 > end)
		return NON_IP;
	ethertype = network16(cursor + 12);
	cursor += 14;
#pragma unroll
	for (int tags = 0; tags < MAX_TAGS; tags++) {
		if (ethertype != ETHERTYPE_VLAN && ethertype != ETHERTYPE_QINQ)
			break;
		if (cursor + 4 > end)
			return NON_IP;
		ethertype = network16(cursor + 2);
		cursor += 4;
	}
	switch (ethertype) {
	case ETHERTYPE_IPV4:
		return ipv4(packet, cursor, end);
	case ETHERTYPE_IPV6:
		return ipv6(packet, cursor, end);
	case ETHERTYPE_ARP:
		return ARP;
	default:
		return NON_IP;
	}
}

#ifdef FLOWS
static __always_inline void keep_in(void *flows, const struct packet *packet)
{
	__u64 now = bpf_ktime_get_ns();
	struct flow *flow = bpf_map_lookup_elem(flows, &packet->key);

	if (!flow) {
		struct flow new = { 1, packet->bytes, now, now, packet->tcp_flags };

		if (bpf_map_update_elem(flows, &packet->key, &new, BPF_NOEXIST) == 0)
			return;
		/* Another CPU was faster, or there is no room. */
		flow = bpf_map_lookup_elem(flows, &packet->key);
		if (!flow)
			return;
	}
	__sync_fetch_and_add(&flow->packets, 1);
	__sync_fetch_and_add(&flow->bytes, packet->bytes);
	flow->last_ns = now;
	if (packet->tcp_flags & ~flow->tcp_flags)
		__sync_fetch_and_or(&flow->tcp_flags, packet->tcp_flags);
}

static __always_inline void keep(const struct packet *packet)
{
	__u32 key = 0;
	__u64 *turn = bpf_map_lookup_elem(&xdp_flow_turn, &key);

	if (turn && *turn)
		keep_in(&xdp_flows_2, packet);
	else
		keep_in(&xdp_flows, packet);
}
#endif

SEC(SECTION)
int xdp_counters(struct xdp_md *ctx)
{
	const __u8 *cursor = (const __u8 *)(long)ctx->data;
	const __u8 *end = (const __u8 *)(long)ctx->data_end;
	__u64 frame_len = end - cursor;
	struct packet packet = {};
	enum counted counted;

#ifdef FRAGS
	frame_len = bpf_xdp_get_buff_len(ctx);
	packet.behind = frame_len - (end - cursor);
#endif
	counted = frame(&packet, cursor, end);
	count(&xdp_stats_map, XDP_PASS, frame_len);
	count(&xdp_proto_stats, counted, frame_len);
#ifdef FLOWS
	if (packet.key.version)
		keep(&packet);
#endif
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual MIT/GPL";
