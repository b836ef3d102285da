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

time_services() {
  cat /proc/[0-9]*/comm 2>/dev/null | grep -xE 'chronyd|systemd-timesyn|ntpd|ntpd-rs|ntp-daemon|openntpd|phc2sys' | sort -u
}

siblings() { cat /sys/devices/system/cpu/cpu[0-9]*/topology/thread_siblings_list | sort -u; }

counters() {
  grep '^cpu ' /proc/stat
  cat /proc/net/softnet_stat
}

fragments() { grep '^Ip:' /proc/net/snmp; }

# The node's own time stands where others have the time that they took: it must not wait for a program to start.
tick() { printf '{"id":"clock %d","rc":0,"us":%d,"out":""}\n' "$1" "${"$"}{EPOCHREALTIME/./}"; }

# Fresh connections, each in microseconds; nothing is started in between that would be timed with them.
round_trips() {
  timeout 8 bash -c '
    address=$(getent ahostsv4 "$0" | sed -n "1s/ .*//p")
    [ -n "$address" ] || { echo "no address"; exit 1; }
    for try in {1..20}; do
      begin=${"$"}{EPOCHREALTIME/./}
      { exec 3<>"/dev/tcp/$address/$1"; } 2>&1 || continue
      echo "$((${"$"}{EPOCHREALTIME/./} - begin)) us"
      exec 3>&-
      sleep 0.2
    done' "${"$"}{1%:*}" "${"$"}{1##*:}"
}

# Steal shows on busy CPUs only: one is kept busy for a while, with the lowest priority that there is.
window() {
  local second target
  tick 0
  task first-fragments fragments
  task first-etcd etcd
  task first counters
  timeout 3 nice -n 19 bash -c 'while :; do :; done' &
  for target in $egress; do background task "rtt $target" round_trips "$target"; done
  for second in 1 2 3 4 5 6 7 8; do
    sleep 1
    tick $second
  done
  finish
  task last-fragments fragments
  task last-etcd etcd
  task last counters
}`;
