# Looks whether this machine can become the planned node, and changes nothing. Every problem is named before it ends.
problems=0
problem() {
  printf 'node %s: %s\n' "$NODE_NAME" "$*" >&2
  problems=$((problems + 1))
}

check_system() {
  local tool
  [[ -d $ROOT/run/systemd/system ]] || problem "does not run systemd, which starts the node's services; use a machine with it"
  [[ $(uname -m) == x86_64 ]] || problem "has CPUs of type $(uname -m), and the node artifacts are for x86_64"
  for tool in base64 curl flock gzip ip modprobe nft sha256sum systemctl tar tc; do
    command -v "$tool" >/dev/null || problem "lacks the program $tool; install it"
  done
}

# version_at_least HAVE WANT, both MAJOR.MINOR
version_at_least() { [[ $(printf '%s\n' "$2" "$1" | sort -V | head -n 1) == "$2" ]]; }

check_kernel() {
  local kernel
  kernel=$(uname -r)
  version_at_least "$(cut -d. -f1,2 <<<"$kernel")" "$KERNEL" ||
    problem "has kernel $kernel, and the plan needs $KERNEL or newer; upgrade it, or choose less (tuning.bbr, network.datapath)"
}

check_modules() {
  local module
  for module in $MODULES; do
    [[ -d $ROOT/sys/module/$module ]] || modprobe --dry-run --quiet "$module" ||
      problem "has a kernel without the module $module, which the plan needs (network.encryption); use a kernel with it"
  done
}

check_size() {
  local cpus memory
  cpus=$(nproc --all)
  ((cpus == CPUS)) || problem "has $cpus CPUs, and underlay.machines says $CPUS; correct the plan"
  memory=$(awk '/^MemTotal:/ { print $2 }' "$ROOT/proc/meminfo")
  # The kernel keeps a part for itself: what it shows is less than what was bought.
  ((memory * 100 >= MEMORY_GIB * 1024 * 1024 * 85)) ||
    problem "has $((memory / 1024)) MiB of memory, and underlay.machines says $MEMORY_GIB GiB; correct the plan"
}

check_isolated_cpus() {
  local isolated=
  if [[ -r $ROOT/sys/devices/system/cpu/isolated ]]; then isolated=$(<"$ROOT/sys/devices/system/cpu/isolated"); fi
  [[ -z $isolated ]] ||
    problem "keeps CPUs $isolated from its kernel's scheduler (isolcpus), and pods would pile up on one of them; take isolcpus off the kernel's command line, and use cpuIsolation of the pool"
}

# word_after NAME: the word behind the first NAME of standard input.
word_after() { awk -v name="$1" '!found { for (i = 1; i < NF; i++) if ($i == name && !found) { print $(i + 1); found = 1 } }'; }

matches() {
  local pattern=$2
  if [[ $pattern == *+ ]]; then pattern="${pattern%+}*"; fi
  # An unquoted right side is a pattern.
  # shellcheck disable=SC2053
  [[ $1 == $pattern ]]
}

check_network() {
  local device mtu default
  device=$(ip -4 -o address show to "$PRIVATE_ADDRESS/32" | awk 'NR == 1 { print $2 }')
  if [[ -z $device ]]; then
    problem "has no NIC with $PRIVATE_ADDRESS; correct underlay.machines, or configure the NIC"
  else
    matches "$device" "$PRIVATE_INTERFACE" ||
      problem "has $PRIVATE_ADDRESS on $device, and the plan says $PRIVATE_INTERFACE; set underlay.privateInterface to $device"
    mtu=$(ip -o link show dev "$device" | word_after mtu)
    ((mtu >= MTU)) || problem "sends at most $mtu bytes on $device, and underlay.mtu says $MTU; set it to $mtu"
  fi
  default=$(ip -4 -o route show default | word_after dev)
  if [[ -z $default ]]; then
    problem "has no default route"
  else
    matches "$default" "$PUBLIC_INTERFACE" ||
      problem "has its default route on $default, and the plan says $PUBLIC_INTERFACE; set underlay.publicInterface to $default"
  fi
}

# Certificates are made on the first machine and judged on all: a clock that is far off makes them invalid.
check_clock() {
  local date theirs ours apart
  date=$(curl --silent --show-error --head --max-time 20 --output - "$CLOCK_URL" 2>/dev/null | tr -d '\r' | sed -n 's/^[Dd]ate: //p' | tail -n 1) || date=
  if [[ -z $date ]]; then
    problem "gets no answer from $CLOCK_URL, where its programs come from; open the way, or set artifacts.baseUrl"
    return
  fi
  theirs=$(date --date "$date" +%s)
  ours=$(date +%s)
  apart=$((ours > theirs ? ours - theirs : theirs - ours))
  ((apart <= 60)) || problem "has a clock that is $apart s off that of $CLOCK_URL; set it, and let it follow a time server"
}

# Cluster DNS asks the node's resolvers from a pod.
check_resolvers() {
  local file=$RESOLV_CONF address
  # kubeadm takes what systemd-resolved asks, where that runs.
  if [[ -z $file ]]; then file=/run/systemd/resolve/resolv.conf; fi
  if [[ -z $RESOLV_CONF && ! -f $ROOT$file ]]; then file=/etc/resolv.conf; fi
  if [[ ! -f $ROOT$file ]]; then return; fi
  for address in $GUARDED; do
    if grep -qE "^nameserver[[:space:]]+${address//./\\.}([[:space:]]|$)" "$ROOT$file"; then
      problem "has its resolver at $address, which pods are kept from, so names outside the cluster would not be found; name another one in a file of its own and that file in kubernetes.kubelet.resolvConf"
    fi
  done
}

check_foreign_cluster() {
  local owner=
  if [[ ! -e $ROOT/etc/kubernetes/kubelet.conf && ! -e $ROOT/etc/kubernetes/admin.conf && ! -e $ROOT/var/lib/rancher ]]; then return; fi
  if [[ -f $ROOT/etc/zerosteal/node.env ]]; then owner=$(sed -n 's/^NODE_NAME=//p' "$ROOT/etc/zerosteal/node.env"); fi
  if [[ $owner == "$NODE_NAME" ]]; then return; fi
  problem "already runs Kubernetes${owner:+ as $owner}; take it out of that cluster first (kubeadm reset)"
}

main() {
  check_system
  check_kernel
  check_modules
  check_size
  check_isolated_cpus
  check_network
  check_clock
  check_resolvers
  check_foreign_cluster
  if ((problems > 0)); then
    echo "node $NODE_NAME: $problems problems, and nothing was changed on it" >&2
    exit 1
  fi
}

main
