#!/bin/bash
# Keeps the reserved CPUs for interrupts, the data path and the system, as the pool's cpuIsolation says, and everything else off them; and
# sets what is no sysctl: huge pages.
# Runs at boot, with each setup, and with --before-kubelet ahead of each start of the kubelet. Safe to run again.
set -euo pipefail

config=/etc/zerosteal
state=/var/lib/zerosteal
drop_ins=/etc/kubernetes/kubelet.conf.d
cpus=/sys/devices/system/cpu
interrupts=/proc/irq
workqueues=/sys/devices/virtual/workqueue/cpumask
huge_pages=/sys/kernel/mm/transparent_hugepage/enabled
# Daemons and people's sessions; containers live beside these.
slices=(init.scope system.slice user.slice)

say() { printf 'zerosteal-cpus: %s\n' "$*" >&2; }

# One CPU a line, of a list such as 0-1,4.
expand() {
  local part
  for part in ${1//,/ }; do seq "${part%-*}" "${part#*-}"; done
}

# A list such as 0-1,4, of one CPU a line.
collapse() {
  sort -nu | awk '
    NR > 1 && $1 == last + 1 { last = $1; next }
    NR > 1 { out = out sep (first == last ? first : first "-" last); sep = "," }
    { first = last = $1 }
    END { if (NR) print out sep (first == last ? first : first "-" last) }'
}

# A mask as the kernel takes it: groups of 32 bits, the highest first, without leading zeros.
mask() {
  local cpu groups=() text=
  for cpu in $(expand "$1"); do groups[cpu / 32]=$((${groups[cpu / 32]:-0} | 1 << cpu % 32)); done
  for ((cpu = $(expand "$1" | tail -n 1) / 32; cpu >= 0; cpu--)); do printf -v text '%s%08x,' "$text" "${groups[cpu]:-0}"; done
  shortest <<<"${text%,}"
}

shortest() { sed 's/^[0,]*//'; }

# Two threads of one core share its units and caches: half a core reserved would leave its other half to a pod.
whole_cores() {
  local cpu
  for cpu in $(expand "$1"); do
    if [[ -r $cpus/cpu$cpu/topology/thread_siblings_list ]]; then
      expand "$(<"$cpus/cpu$cpu/topology/thread_siblings_list")"
    else
      echo "$cpu"
    fi
  done | collapse
}

# No pipe into it: grep ends at the first match, and what then writes to it would fail, and with it the answer.
has_threads() { grep -qs '[-,]' "$cpus"/cpu[0-9]*/topology/thread_siblings_list; }

# What the plan cannot know and the kubelet must be told: threads, which only the machine shows.
tell_kubelet() {
  local file=$drop_ins/45-zerosteal-cores.conf new
  if [[ $CPU_ISOLATION == none ]] || ! has_threads; then
    rm -f "$file"
    return
  fi
  new=$(mktemp "$drop_ins/.cores.XXXXXX")
  {
    echo 'apiVersion: kubelet.config.k8s.io/v1beta1'
    echo 'kind: KubeletConfiguration'
    if [[ $CPU_ISOLATION == strict ]]; then
      printf 'cpuManagerPolicyOptions:\n  full-pcpus-only: "true"\n  strict-cpu-reservation: "true"\n'
    fi
    echo "reservedSystemCPUs: \"$reserved\""
  } >"$new"
  chmod 0644 "$new"
  if cmp -s "$new" "$file"; then rm -f "$new"; else mv -f "$new" "$file"; fi
}

# The kubelet refuses to start with the CPU assignments of other settings or of another set of CPUs, as after a resize.
forget_assignments() {
  local file=/var/lib/kubelet/cpu_manager_state now
  # Drop-ins of the machine's owner may say so too; their other lines are of no concern.
  now=$({
    cat "$drop_ins"/4?-zerosteal-*.conf "$cpus/online"
    grep -hE 'cpuManagerPolicy|reservedSystemCPUs' "$drop_ins"/*.conf
  } | sha256sum | cut -d' ' -f1)
  if [[ -f $file && $(cat "$state/cpus" 2>/dev/null) != "$now" ]]; then
    say "the CPU settings or the CPUs changed: the kubelet starts without its old CPU assignments"
    rm -f "$file"
  fi
  echo "$now" >"$state/cpus"
}

skip() {
  say "$1: $2"
  echo "$1: $2" >>"$state/cpus-skipped"
}

# Some container managers let their machines write what belongs to the host.
is_container() { systemd-detect-virt --quiet --container; }

# put FILE VALUE NAME: writes what differs. Some interrupts are the kernel's own to place: those are named, and stay.
put() {
  local error
  if [[ $(<"$1") == "$2" ]]; then return; fi
  if [[ ! -w $1 ]]; then
    skip "$3" "read-only here"
  elif ! error=$({ printf '%s\n' "$2" >"$1"; } 2>&1); then
    skip "$3" "stays on $(<"$1"): ${error##*: }"
  fi
}

put_mask() { [[ $(shortest <"$1") == "$2" ]] || put "$@"; }

# move_interrupts LIST: those that there are, and those of devices that come later.
move_interrupts() {
  local irq action
  if is_container; then
    skip interrupts "they belong to the host of this machine"
    return
  fi
  put_mask "$interrupts/default_smp_affinity" "$(mask "$1")" "interrupts of later devices"
  for irq in "$interrupts"/[0-9]*; do
    action=$(find "$irq" -mindepth 1 -maxdepth 1 -type d -printf '%f ')
    if [[ -n $action ]]; then put "$irq/smp_affinity_list" "$1" "interrupt ${irq##*/} (${action% })"; fi
  done
}

# It would move interrupts back within seconds.
stop_irqbalance() {
  if systemctl is-enabled --quiet irqbalance.service 2>/dev/null || systemctl is-active --quiet irqbalance.service; then
    systemctl disable --quiet --now irqbalance.service
    touch "$state/irqbalance-stopped"
  fi
}

start_irqbalance() {
  if [[ -e $state/irqbalance-stopped ]]; then
    systemctl enable --quiet --now irqbalance.service
    rm -f "$state/irqbalance-stopped"
  fi
}

set_huge_pages() {
  local now
  if [[ -z $HUGE_PAGES || ! -e $huge_pages ]]; then return; fi
  now=$(<"$huge_pages")
  if [[ $now == *"[$HUGE_PAGES]"* ]]; then return; fi
  if is_container; then
    skip "huge pages" "they are as the host of this machine has them: $now"
  else
    put "$huge_pages" "$HUGE_PAGES" "huge pages"
  fi
}

# hold_daemons LIST: by cgroup, which daemons that run feel at once and containers do not inherit, as they would CPUAffinity.
hold_daemons() {
  local slice
  for slice in "${slices[@]}"; do systemctl set-property --runtime "$slice" "AllowedCPUs=$1"; done
  if [[ -e $workqueues ]] && ! is_container; then put_mask "$workqueues" "$(mask "${1:-$online}")" "work queues of the kernel"; fi
}

main() {
  # shellcheck source=/dev/null
  source "$config/node.env"
  mkdir -p "$state"
  : >"$state/cpus-skipped"
  online=$(<"$cpus/online")
  set_huge_pages
  reserved=$(whole_cores "$RESERVED_CPUS")
  tell_kubelet
  if [[ ${1:-} == --before-kubelet ]]; then forget_assignments; fi
  if [[ $CPU_ISOLATION != none ]]; then
    stop_irqbalance
    move_interrupts "$reserved"
    touch "$state/interrupts-moved"
  elif [[ -e $state/interrupts-moved ]]; then
    move_interrupts "$online"
    start_irqbalance
    rm -f "$state/interrupts-moved"
  fi
  if [[ $CPU_ISOLATION == strict ]]; then
    hold_daemons "$reserved"
    touch "$state/daemons-held"
  elif [[ -e $state/daemons-held ]]; then
    hold_daemons ""
    rm -f "$state/daemons-held"
  fi
}

main "$@"
