/* A counter of UDP packets as others write it, for every type of map. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct datarec {
	__u64 rx_packets;
	__u64 rx_bytes;
};

enum proto { PROTO_OTHER, PROTO_TCP, PROTO_UDP };

struct {
	__uint(type, MAP_TYPE);
	__uint(max_entries, ENTRIES);
	__type(key, KEY_TYPE);
	__type(value, struct datarec);
} xdp_stats_map SEC(".maps");

#ifdef VARIABLES
/* Each is in a map of its own: .bss, .data and .rodata. */
volatile __u64 seen;
volatile __u64 limit = ~0ULL;
const volatile __u64 step = 1;
#endif

SEC("xdp")
int count_udp(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = data + sizeof(*eth);
	struct datarec *value, first = {};
	KEY_TYPE key = KEY;

	if ((void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP) || ip->protocol != IPPROTO_UDP)
		return XDP_PASS;
#ifdef VARIABLES
	if (seen < limit)
		seen += step;
#endif
	value = bpf_map_lookup_elem(&xdp_stats_map, &key);
	if (!value) {
		bpf_map_update_elem(&xdp_stats_map, &key, &first, BPF_NOEXIST);
		value = bpf_map_lookup_elem(&xdp_stats_map, &key);
	}
	if (value) {
		__sync_fetch_and_add(&value->rx_packets, 1);
		__sync_fetch_and_add(&value->rx_bytes, end - data);
	}
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
