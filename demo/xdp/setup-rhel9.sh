#!/usr/bin/env bash
# Prepares a machine of the RHEL 9 family: packages, the program with its units, the directory of pins, labels of SELinux,
# ports. Only what is missing is done, and with --dry-run nothing, only said. Needs root for more than that.
set -euo pipefail

usage() {
    cat <<'TEXT'
setup-rhel9.sh [--program PATH] [--open] [--dry-run]

  --program  the netflow2traces to install; by default the one that `cargo build --release` made
  --open     open the ports of the Collector, Prometheus and Grafana to other machines; start the stack with BIND=0.0.0.0 then
  --dry-run  say what would be done
TEXT
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
units=$here/../../docs/systemd
program=$here/../../target/release/netflow2traces
open=false
dry_run=false

while [ $# -gt 0 ]; do
    case $1 in
        --dry-run) dry_run=true ;;
        --open) open=true ;;
        --program) program=${2:?--program needs a path}; shift ;;
        --help|-h) usage; exit 0 ;;
        *) echo "unknown option $1" >&2; usage >&2; exit 2 ;;
    esac
    shift
done

ok() { echo "ok: $*"; }
warn() { echo "warning: $*" >&2; }
run() {
    if $dry_run; then
        echo "would run: $*"
    else
        echo "run: $*"
        "$@"
    fi
}
has() { command -v "$1" >/dev/null; }
installed() { has rpm && rpm --quiet -q "$1"; }

system() {
    local id='' like='' version=''
    if [ -r "${OS_RELEASE:-/etc/os-release}" ]; then
        # shellcheck disable=SC1090 # What it sets is read here alone.
        read -r id version like < <(. "${OS_RELEASE:-/etc/os-release}" && echo "${ID:-none}" "${VERSION_ID:-0}" "${ID_LIKE:-}")
    fi
    case "$id $like" in
        *rhel*|*centos*|*fedora*) [ "${version%%.*}" = 9 ] || warn "this is for version 9, here is $id $version" ;;
        *) warn "this is for the RHEL 9 family, here is ${id:-something else}" ;;
    esac
    if ! $dry_run && [ "$(id -u)" -ne 0 ]; then
        echo "error: run this as root, or with --dry-run" >&2
        exit 1
    fi
    distribution=$id
}

packages() {
    # Whichever package has the command: curl is curl-minimal's on small machines, and dnf refuses to install curl beside it.
    local missing=() command
    for command in podman bpftool curl; do
        if has "$command"; then ok "command $command"; else missing+=("$command"); fi
    done
    if has podman-compose || { has docker && docker compose version >/dev/null 2>&1; }; then
        ok 'a compose command'
    else
        # Of EPEL, which RHEL itself does not carry.
        case $distribution in
            rhel) installed epel-release || run dnf install -y https://dl.fedoraproject.org/pub/epel/epel-release-latest-9.noarch.rpm ;;
            *) installed epel-release || run dnf install -y epel-release ;;
        esac
        missing+=(podman-compose)
    fi
    [ "${#missing[@]}" -eq 0 ] || run dnf install -y "${missing[@]}"
}

# since VERSION RELEASE: whether a kernel's release is that version or a later one.
since() { [ "$(printf '%s\n' "$1" "$2" | sort --version-sort | head --lines=1)" = "$1" ]; }

kernel() {
    local release unprivileged
    release=$(uname -r)
    unprivileged=$(sysctl -n kernel.unprivileged_bpf_disabled 2>/dev/null || echo 2)
    if since 5.8 "$release"; then
        ok "kernel $release has CAP_BPF and CAP_PERFMON"
    else
        warn "kernel $release is older than 5.8: only root attaches programs"
    fi
    if since 5.19 "$release" || [ "$unprivileged" = 0 ]; then
        ok "kernel $release lets a group read pins without a capability"
    else
        # The version alone does not tell: distributors take changes of later kernels over.
        warn "kernel $release: below 5.19, reading pins takes CAP_BPF while kernel.unprivileged_bpf_disabled is $unprivileged," \
            'unless the distributor took that change over; docs/xdp.md, "Permission denied"'
    fi
    if [ "$(stat --file-system --format %T /sys/fs/bpf 2>/dev/null)" = bpf_fs ]; then
        ok 'a BPF file system is mounted at /sys/fs/bpf'
    else
        run mount -t bpf bpf /sys/fs/bpf
    fi
}

# same FILE TARGET: whether it is there as it should be.
same() { cmp --quiet "$1" "$2"; }

program() {
    if [ ! -x "$program" ]; then
        warn "there is no $program: build it (cargo build --release), or name one with --program"
    elif same "$program" /usr/bin/netflow2traces; then
        ok '/usr/bin/netflow2traces'
    else
        run install --mode=0755 "$program" /usr/bin/netflow2traces
    fi
    local changed=false unit
    for unit in netflow2traces-xdp.service netflow2traces-xdp-pinned.service netflow2traces-xdp-attach@.service; do
        same "$units/$unit" "/etc/systemd/system/$unit" && { ok "unit $unit"; continue; }
        run install --mode=0644 "$units/$unit" "/etc/systemd/system/$unit"
        changed=true
    done
    if getent group netflow2traces-xdp >/dev/null; then
        ok 'group netflow2traces-xdp, which may read pins'
    else
        run install -D --mode=0644 "$units/netflow2traces-xdp.sysusers.conf" /etc/sysusers.d/netflow2traces-xdp.conf
        run systemd-sysusers netflow2traces-xdp.conf
    fi
    if [ -d /sys/fs/bpf/netflow2traces ]; then
        ok 'directory /sys/fs/bpf/netflow2traces, for pins'
    else
        run install -D --mode=0644 "$units/netflow2traces-xdp.tmpfiles.conf" /etc/tmpfiles.d/netflow2traces-xdp.conf
        run systemd-tmpfiles --create netflow2traces-xdp.conf
    fi
    if $changed; then run systemctl daemon-reload; fi
}

selinux() {
    local mode
    mode=$(getenforce 2>/dev/null || echo Disabled)
    if [ "$mode" = Disabled ]; then
        ok 'SELinux is off'
        return
    fi
    ok "SELinux is $mode"
    # A file that was moved from a home directory keeps a label that systemd may not execute.
    local label
    label=$(stat --format %C /usr/bin/netflow2traces 2>/dev/null || echo none)
    case $label in
        *:bin_t:*) ok "label of /usr/bin/netflow2traces ($label)" ;;
        *) run restorecon -v /usr/bin/netflow2traces ;;
    esac
    if installed container-selinux; then
        ok 'package container-selinux, for the labels that compose.yaml gives (Z)'
    else
        run dnf install -y container-selinux
    fi
}

# Who runs in a container is another user, who has to read these files, and to look into the directory.
readable() {
    local file closed=()
    for file in otel-collector-config.yaml prometheus.yml grafana-datasources.yml grafana-dashboards.yml dashboards \
        dashboards/xdp.json; do
        case $(stat --format %a "$here/$file") in
            *[57]) ;;
            *[46]) [ ! -d "$here/$file" ] || closed+=("$here/$file") ;;
            *) closed+=("$here/$file") ;;
        esac
    done
    if [ "${#closed[@]}" -eq 0 ]; then ok 'files of the stack can be read in containers'; else run chmod o+rX "${closed[@]}"; fi
}

firewall() {
    if ! $open; then
        ok 'ports of the stack are for this machine only; --open opens them'
        return
    fi
    if ! has firewall-cmd || ! firewall-cmd --state >/dev/null 2>&1; then
        ok 'firewalld does not run'
        return
    fi
    local port added=false
    for port in 4317 4318 8889 9090 3000; do
        if firewall-cmd --quiet --query-port="$port/tcp"; then
            ok "port $port"
        else
            run firewall-cmd --quiet --permanent --add-port="$port/tcp"
            added=true
        fi
    done
    if $added; then run firewall-cmd --quiet --reload; fi
}

system
packages
kernel
program
selinux
readable
firewall
cat <<TEXT
next:
  podman-compose -f $here/compose.yaml up -d     # as a user; loginctl enable-linger keeps it running
  systemctl enable --now netflow2traces-xdp      # the map xdp_stats_map, or what /etc/netflow2traces/xdp.environment names
  $here/test-setup.sh
TEXT
