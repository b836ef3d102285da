import { controlPlaneTasks } from "./probeControlPlane";
import { machineTasks } from "./probeMachine";

/**
 * What runs inside a probe pod, as one bash script. It prints one JSON line for each thing it tried: id, exit code,
 * time, output in base64. Needs bash, coreutils or busybox, iproute2, iputils ping; uses iptables-save, nft and dig
 * where the image has them.
 *
 * It travels in an environment variable of the pod, so that the exec request stays short. Kubernetes expands `$$` and
 * `$(NAME)` there: the script has no `$$`, and no command substitution that consists of a variable's name alone.
 */
export const probeScript = String.raw`
export LC_ALL=C
role=$1 node_mtu=$2 pod_mtu=$3 api=$4 egress=${"$"}{5//,/ }
shift 5
[ "$egress" != - ] || egress=""
work=$(mktemp -d /dev/shm/probe.XXXXXX) || exit 1
trap 'rm -rf "$work"' EXIT

task() {
  local id=$1 begin=$EPOCHREALTIME out rc end
  shift
  out=$("$@" 2>&1)
  rc=$?
  end=$EPOCHREALTIME
  printf '{"id":"%s","rc":%d,"us":%d,"out":"%s"}\n' "$id" "$rc" "$((10#${"$"}{end/./} - 10#${"$"}{begin/./}))" \
    "$(printf %s "$out" | base64 | tr -d '\n')"
}

# Tasks that run at the same time must not mix their lines.
background() {
  count=$((count + 1))
  "$@" >"$work/$count" &
}

finish() {
  wait
  cat "$work"/[0-9]* 2>/dev/null
  rm -f "$work"/[0-9]*
}

sysctls() {
  local key file
  for key in $PROBE_SYSCTLS; do
    file=/proc/sys/${"$"}{key//.//}
    if [ -e "$file" ]; then
      printf '%s\t%s\t%s\n' "$key" "$(stat -c %a "$file")" "$(tr -s '\t\n' '  ' <"$file")"
    else
      printf '%s\tabsent\n' "$key"
    fi
  done
}

# Both backends of iptables can hold rules at once; the plain name is one of the two.
rules() {
  local tool out tools=""
  for tool in iptables-nft-save iptables-legacy-save ip6tables-nft-save ip6tables-legacy-save; do
    command -v $tool >/dev/null && tools="$tools $tool"
  done
  [ -n "$tools" ] || tools="iptables-save ip6tables-save"
  for tool in $tools; do
    # Asked for a table that is not there, the older packet filter makes it.
    if ! $tool --version 2>/dev/null | grep -q nf_tables && ! grep -qx nat /proc/net/${"$"}{tool%%tables*}_tables_names 2>/dev/null; then
      printf '%s\t0\n' $tool
      continue
    fi
    if out=$($tool -t nat 2>&1); then
      printf '%s\t%d\n' $tool "$(printf '%s\n' "$out" | grep -cE 'KUBE-(SVC|SEP|EXT|SERVICES|NODEPORTS)')"
    else
      printf '%s\terror\t%s\n' $tool "$(printf %s "$out" | tail -n 1)"
    fi
  done
  if command -v nft >/dev/null; then
    printf 'nft\t%d\n' "$(nft list tables 2>/dev/null | grep -c kube-proxy)"
  fi
  if [ -r /proc/net/ip_vs ]; then
    printf 'ipvs\t%d\n' "$(grep -cE '^(TCP|UDP|SCTP|FWM) ' /proc/net/ip_vs)"
  fi
}

connect() {
  timeout 2 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "${"$"}{1%:*}" "${"$"}{1##*:}"
}

# Prints device and MTU that this sender believes in for a destination: the route's, else the device's.
route() {
  local line device mtu
  line=$(ip -j -4 route get "$1") || return
  device=$(printf %s "$line" | sed -n 's/.*"dev":"\([^"]*\)".*/\1/p')
  mtu=$(printf %s "$line" | sed -n 's/.*"metrics":\[{[^]]*"mtu":\([0-9]*\).*/\1/p')
  printf '%s %s\n' "$device" "${"$"}{mtu:-$(cat "/sys/class/net/$device/mtu")}"
}

believed() {
  local device mtu
  read -r device mtu < <(route "$1" 2>/dev/null)
  printf '%d' "${"$"}{mtu:-0}"
}

# "probe" looks past what the kernel has learnt about the path, so the answer is always a fresh one. Before 2024 ping
# did not offer it; "do" then needs a route that is new (see raise).
if ping -M probe -n -c 1 -W 1 127.0.0.1 >/dev/null 2>&1; then
  discovery=probe
else
  discovery=do
fi

big() {
  timeout 6 ping -n -c 3 -i 0.2 -W 1 -M $discovery -s "$(($2 - 28))" "$1"
}

# As many as tell the slow ones from the usual ones.
small() {
  timeout 6 ping -n -c 50 -i 0.02 -W 1 "$1"
}

# In this pod's own namespace only: lets it send more than the path is said to carry. Each time another value, as an
# equal route would keep what was learnt about the path.
raise() {
  local device rest
  rest=$(ip -4 route show default | head -n 1 | sed -E 's/ mtu (lock )?[0-9]+//')
  device=$(printf %s "$rest" | sed -n 's/.* dev \([^ ]*\).*/\1/p')
  ip link set "$device" mtu "$(($1 + 100))" || return
  [ $discovery = probe ] || ip -4 route replace $rest mtu "$1"
}

lookup() {
  if command -v dig >/dev/null; then
    dig +tries=1 +time=2 "$1" A
  else
    timeout 2 getent ahostsv4 "$1"
  fi
}

# After two without an answer there is nothing to learn from more.
lookups() {
  local domain i line silent=0
  domain=$(sed -n 's/^search.* svc\.\([^ ]*\).*/\1/p' /etc/resolv.conf)
  for i in 1 2 3 4 5; do
    line=$(task "lookup $i" lookup "kubernetes.default.svc.${"$"}{domain:-cluster.local}.")
    printf '%s\n' "$line"
    case $line in *'"rc":0,'*) silent=0 ;; *) silent=$((silent + 1)) ;; esac
    [ $silent -lt 2 ] || return
  done
}

${machineTasks}
${controlPlaneTasks}
# Whoever has no curl sees at least whether somebody listens.
readyz() {
  if command -v curl >/dev/null; then
    curl -sSk -m 5 -o /dev/null -w '%{http_code} ' "https://$1/readyz"
  else
    connect "$1"
  fi
}

connects() {
  local target
  for target in $1; do
    case $target in
      https:*) task "readyz ${"$"}{target#https:}" readyz "${"$"}{target#https:}" ;;
      *) task "connect $target" connect "$target" ;;
    esac
  done
}

api_connects() {
  local i
  [ "$api" = - ] && return
  for i in 1 2 3; do
    task "api $i" connect "$api"
  done
}

host() {
  local peer name ip mtu
  task pidns readlink /proc/self/ns/pid
  task addresses ip -j -4 addr show
  task resolv cat /etc/resolv.conf
  task sysctls sysctls
  task isolated cat /sys/devices/system/cpu/isolated
  task siblings siblings
  task hugepages cat /sys/kernel/mm/transparent_hugepage/enabled
  task interrupts interrupts
  task allowed allowed
  task qdiscs tc qdisc show
  task time-services time_services
  background task certificates certificates
  background task rules rules
  background connects "$egress $(sed -n 's/^nameserver \([0-9.]*\)$/\1:53/p' /etc/resolv.conf | tr '\n' ' ')"
  for peer in "$@"; do
    IFS=, read -r name _ ip <<<"$peer"
    mtu=$node_mtu
    [ "$mtu" != 0 ] || mtu=$(believed "$ip")
    # Without an address of the peer there is nothing to ask.
    [ "$ip" != - ] || continue
    task "route $name" route "$ip"
    # Cilium's health port.
    background task "connect $ip:4240" connect "$ip:4240"
    background task "reach $name" small "$ip"
    background task "exact $name" big "$ip" "$mtu"
  done
  finish
}

# What is asked once the pod may send big packets, so that the sender cannot answer in the path's place.
pod_big() {
  local peer name pod ip way=$1
  shift
  for peer in "$@"; do
    IFS=, read -r name pod ip <<<"$peer"
    case $way in
      exact) [ "$pod" = - ] || background task "exact $name" big "$pod" "${"$"}{mtu_of[$name]}" ;;
      more)
        [ "$pod" = - ] || background task "more $name" big "$pod" "$((${"$"}{mtu_of[$name]} + 1))"
        [ "$node_mtu" = 0 ] || [ "$ip" = - ] || background task "nodemore $name" big "$ip" "$((node_mtu + 1))"
        ;;
    esac
  done
  finish
}

pod() {
  local peer name pod ip most=$node_mtu
  declare -A mtu_of
  task addresses ip -j -4 addr show
  task resolv cat /etc/resolv.conf
  task sysctls sysctls
  background lookups
  background api_connects
  background connects "$egress"
  for peer in "$@"; do
    IFS=, read -r name pod ip <<<"$peer"
    [ "$pod" = - ] && continue
    mtu_of[$name]=$pod_mtu
    [ "$pod_mtu" != 0 ] || mtu_of[$name]=$(believed "$pod")
    [ "${"$"}{mtu_of[$name]}" -le "$most" ] || most=${"$"}{mtu_of[$name]}
    task "route $name" route "$pod"
    background task "reach $name" small "$pod"
  done
  finish
  task raise raise "$((most + 100))"
  pod_big exact "$@"
  task raise-again raise "$((most + 200))"
  pod_big more "$@"
}

task discovery echo $discovery
$role "$@"
`;

/** One peer of a probe: the other node, its probe pod's address where it runs, the node's own address. */
export interface Peer {
  node: string;
  podAddress?: string;
  nodeAddress?: string;
}

/** `window` samples the node's counters, in the pod on the node's network, beside the other two. */
export type ProbePart = "host" | "pod" | "window";

/** What one run of the script is told. */
export interface ProbeRequest {
  role: ProbePart;
  /** Bytes; 0: what the sender believes in. */
  nodeMtu: number;
  podMtu: number;
  /** `address:port` of the API's Service; undefined: unknown. */
  api?: string;
  /**
   * What to connect to, `host:port`; an API that is asked whether it is ready, `https:host:port`. The host role adds its resolvers; the window
   * measures round trips.
   */
  egress: string[];
  peers: Peer[];
}

/** Command of the exec request that runs the script of the pod's environment. */
export function probeCommand(request: ProbeRequest): string[] {
  const peers = request.peers.map((peer) => [peer.node, peer.podAddress ?? "-", peer.nodeAddress ?? "-"].join(","));
  return [
    "bash",
    "-c",
    'eval "$PROBE_SCRIPT"',
    "probe",
    request.role,
    String(request.nodeMtu),
    String(request.podMtu),
    request.api ?? "-",
    request.egress.length > 0 ? request.egress.join(",") : "-",
    ...peers,
  ];
}
