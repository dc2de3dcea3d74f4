#!/usr/bin/env bash
# Looks at each step from the map in the kernel to the dashboard, says what is wrong and what helps, and changes nothing.
# Exit code 0: all is well; 1: something is not; 2: a wrong option.
set -uo pipefail

usage() {
    cat <<'TEXT'
test-setup.sh [--map-name NAME | --pin PATH | --iface INTERFACE] [--collector HOST:PORT] [--metrics URL]
          [--prometheus URL] [--grafana URL|none] [--program PATH] [--dry-run]

  --map-name, --pin, --iface  the map that is exported; xdp_stats_map by default
  --collector                 where the Collector takes OTLP over grpc; localhost:4317 by default
  --metrics                   where it has metrics for Prometheus; http://localhost:8889/metrics by default
  --prometheus                http://localhost:9090 by default
  --grafana                   http://localhost:3000 by default; none: it is not looked at
  --program                   netflow2traces by default
  --dry-run                   say what would be looked at, and how
TEXT
}

map=(--map-name xdp_stats_map)
collector=localhost:4317
metrics=http://localhost:8889/metrics
prometheus=http://localhost:9090
grafana=http://localhost:3000
program=netflow2traces
dry_run=false

while [ $# -gt 0 ]; do
    case $1 in
        --dry-run) dry_run=true; shift; continue ;;
        --help|-h) usage; exit 0 ;;
        --map-name|--pin|--iface|--collector|--metrics|--prometheus|--grafana|--program) ;;
        *) echo "unknown option $1" >&2; usage >&2; exit 2 ;;
    esac
    [ $# -ge 2 ] || { echo "$1 needs a value" >&2; exit 2; }
    case $1 in
        --map-name|--pin|--iface) map=("$1" "$2") ;;
        --collector) collector=$2 ;;
        --metrics) metrics=$2 ;;
        --prometheus) prometheus=${2%/} ;;
        --grafana) grafana=${2%/} ;;
        --program) program=$2 ;;
    esac
    shift 2
done

failed=0

# check WHAT HELP COMMAND...: runs it and shows the last line of what it prints when it fails.
check() {
    local what=$1 help=$2 output
    shift 2
    if $dry_run; then
        printf 'would check: %s (%s)\n' "$what" "$*"
    elif output=$("$@" 2>&1); then
        printf 'ok: %s\n' "$what"
    else
        failed=$((failed + 1))
        printf 'FAILED: %s\n' "$what"
        [ -z "$output" ] || printf '  %s\n' "${output##*$'\n'}"
        printf '  %s\n' "$help"
    fi
}

bpf_file_system() { [ "$(stat --file-system --format %T /sys/fs/bpf)" = bpf_fs ]; }

# Bit 21 of the effective capabilities is CAP_SYS_ADMIN.
may_see_maps() { (((0x$(sed -n 's/^CapEff:\s*//p' /proc/self/status) >> 21) & 1)); }

# Opens a connection and closes it.
# shellcheck disable=SC2016 # Those are of the inner shell.
connects() { timeout 5 bash -c 'exec 3<>"/dev/tcp/$1/$2"' connects "${1%:*}" "${1##*:}"; }

fetch() { curl --fail --silent --show-error --max-time 5 "$@"; }

exports_metrics() { fetch "$1" | grep --quiet '^xdp_xdp_packets_total' || { echo "no xdp_xdp_packets_total at $1"; false; }; }

# Whether a query has a result.
answers() {
    local answer
    answer=$(fetch --get --data-urlencode "query=$2" "$1/api/v1/query") || { echo "$answer"; return 1; }
    case $answer in
        *'"result":[{'*) ;;
        *) echo "no result for $2"; return 1 ;;
    esac
}

check 'the program is installed' 'setup-rhel9.sh installs it; --program says where it is' command -v "$program"
if [ "${map[0]}" = --pin ]; then
    check 'the pin can be read' 'mode, owner and SELinux label of it and of its directories: docs/xdp.md, "Permission denied"' \
        test -r "${map[1]}"
else
    check 'maps may be seen by name' 'run this as root, or pin the map: docs/xdp.md, "Permission denied"' may_see_maps
    check 'a BPF file system is mounted' 'mount -t bpf bpf /sys/fs/bpf' bpf_file_system
fi
check "the map is found (${map[*]})" 'netflow2traces xdp list has what there is: docs/xdp.md, "No such map"' \
    "$program" xdp read "${map[@]}"
check "the Collector listens at $collector" 'is it up? podman-compose ps; docs/xdp.md, "The Collector is not reached"' \
    connects "$collector"
check "the Collector has metrics at $metrics" 'does netflow2traces xdp run? its log says where it exports to' \
    exports_metrics "$metrics"
check 'Prometheus reads the Collector' "$prometheus/targets says why not: docs/xdp.md, \"Nothing in Prometheus\"" \
    answers "$prometheus" 'up{job="collector"} == 1'
for query in 'xdp_xdp_packets_total' 'rate(xdp_xdp_packets_total[1m])' 'rate(xdp_xdp_bytes_total[1m])'; do
    check "Prometheus answers $query" 'a rate takes two scrapes, so wait 15 s; docs/xdp.md, "Nothing in Prometheus"' \
        answers "$prometheus" "$query"
done
if [ "$grafana" != none ]; then
    check 'Grafana is up' 'podman-compose logs grafana' fetch --output /dev/null "$grafana/api/health"
fi

if [ "$failed" -gt 0 ]; then
    echo "$failed checks failed"
    exit 1
fi
