/**
 * Part of the probe script: CPUs, interrupts and counters of the machine, as its kernel shows them to a pod on the node's network. What holds
 * for the text of probeScript.ts holds here.
 */
export const machineTasks = String.raw`# NICs with a device of their own: links of software interrupt nobody.
interrupts() {
  local nic folder irq name cpus
  for nic in /sys/class/net/*; do
    for folder in "$nic/device/msi_irqs" "$nic/device/../msi_irqs"; do
      [ -d "$folder" ] || continue
      for irq in $(ls "$folder"); do
        [ -d "/proc/irq/$irq" ] || continue
        name=$(cd "/proc/irq/$irq" && ls -d */ 2>/dev/null | tr -d '/\n')
        cpus=$(cat "/proc/irq/$irq/effective_affinity_list")
        # An interrupt that nobody has asked for has no CPU yet.
        [ -n "$name" ] && [ -n "$cpus" ] && printf '%s\t%s\t%s\t%s\n' "${"$"}{nic##*/}" "$irq" "$name" "$cpus"
      done
    done
  done
}

allowed_cpus() { sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' "$1"; }

allowed() {
  local status name
  printf 'probe\t%s\n' "$(allowed_cpus /proc/self/status)"
  for status in /proc/[0-9]*/status; do
    read -r _ name 2>/dev/null <"$status" || continue
    [ "$name" != kubelet ] || printf 'kubelet\t%s\n' "$(allowed_cpus "$status")"
  done
}

siblings() { cat /sys/devices/system/cpu/cpu[0-9]*/topology/thread_siblings_list | sort -u; }

counters() {
  grep '^cpu ' /proc/stat
  cat /proc/net/softnet_stat
}

# Steal shows on busy CPUs only: one is kept busy for a while, with the lowest priority that there is.
window() {
  task first counters
  timeout 3 nice -n 19 bash -c 'while :; do :; done' &
  sleep 8
  task last counters
}`;
