#!/bin/bash
# Puts this node's planned files into effect. Safe to run again: it changes only what differs from the plan.
set -euo pipefail

config=/etc/zerosteal
state=/var/lib/zerosteal
cache=/var/cache/zerosteal

say() { printf 'zerosteal-setup: %s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}

# Removes what an earlier plan wrote and this one no longer has.
remove_stale_files() {
  local path
  if [[ -f $state/files ]]; then
    while IFS= read -r path; do
      if ! grep -qxF -- "$path" "$config/files"; then rm -f -- "$path"; fi
    done <"$state/files"
  fi
  cp -- "$config/files" "$state/files.new"
  mv -f -- "$state/files.new" "$state/files"
}

# The node makes its own lasting host key; it takes the place of the one-time key that came with the user data.
make_host_key() {
  local unit
  [[ -f /etc/ssh/ssh_host_ed25519_key ]] && return
  ssh-keygen -q -t ed25519 -N '' -C '' -f /etc/ssh/ssh_host_ed25519_key
  for unit in ssh.service sshd.service; do
    if systemctl cat "$unit" >/dev/null 2>&1; then
      systemctl try-reload-or-restart "$unit"
      return
    fi
  done
  fail "there is neither ssh.service nor sshd.service to take up the new host key"
}

# The API's planned name and the node's own, as a marked block of /etc/hosts.
merge_hosts() {
  local new
  new=$(mktemp /etc/.hosts.XXXXXX)
  sed '/^# BEGIN zerosteal$/,/^# END zerosteal$/d' /etc/hosts >"$new"
  {
    echo '# BEGIN zerosteal'
    cat "$config/hosts"
    echo '# END zerosteal'
  } >>"$new"
  chmod 0644 "$new"
  if cmp -s "$new" /etc/hosts; then rm -f "$new"; else mv -f "$new" /etc/hosts; fi
}

# A module that cannot be loaded is named and recorded; a sysctl that needs it then fails by itself.
load_modules() {
  local module reason
  : >"$state/modules-skipped"
  while IFS= read -r module; do
    if [[ -z $module || $module == \#* || -d /sys/module/$module ]]; then continue; fi
    if ! reason=$(modprobe "$module" 2>&1); then
      say "module $module was not loaded: $reason"
      echo "$module: $reason" >>"$state/modules-skipped"
    fi
  done </etc/modules-load.d/90-zerosteal.conf
}

read_sysctl() { tr -s '[:space:]' ' ' <"$1" | sed 's/^ //; s/ $//'; }

# Writes each key and reads it back. Only a key that is missing or read-only here, as in a container, may stay as it is.
apply_sysctls() {
  local line key value path error
  : >"$state/sysctl-skipped"
  while IFS= read -r line; do
    [[ $line =~ ^([a-z0-9_.]+)\ =\ (.+)$ ]] || continue
    key=${BASH_REMATCH[1]} value=${BASH_REMATCH[2]}
    path=/proc/sys/${key//.//}
    if [[ ! -e $path ]]; then
      skip_sysctl "$key" "there is no such key here"
    elif [[ $(read_sysctl "$path") == "$value" ]]; then
      continue
    elif [[ ! -w $path ]]; then
      skip_sysctl "$key" "it is read-only here"
    else
      error=$({ printf '%s\n' "$value" >"$path"; } 2>&1) || fail "sysctl $key: the kernel refused '$value': $error"
      [[ $(read_sysctl "$path") == "$value" ]] || fail "sysctl $key: wrote '$value', reads '$(read_sysctl "$path")'"
    fi
  done </etc/sysctl.d/90-zerosteal.conf
}

skip_sysctl() {
  say "sysctl $1 was not set: $2"
  echo "$1: $2" >>"$state/sysctl-skipped"
}

# A NIC that came up before the default qdisc was set keeps its old one: take that away once, the kernel then attaches the default.
renew_qdiscs() {
  local device
  [[ -r /proc/sys/net/core/default_qdisc && $(</proc/sys/net/core/default_qdisc) == fq ]] || return 0
  grep -qxF sch_fq /etc/modules-load.d/90-zerosteal.conf || return 0
  for device in /sys/class/net/*; do
    [[ -e $device/device ]] || continue
    device=${device##*/}
    if [[ $'\n'$(tc qdisc show dev "$device") != *$'\nqdisc fq '* ]]; then
      tc qdisc replace dev "$device" root pfifo_fast
      tc qdisc del dev "$device" root
    fi
  done
}

# The kubelet does not know of it: pods of the shared CPUs would pile up on one of those.
check_isolated_cpus() {
  local isolated= file=/sys/devices/system/cpu/isolated
  if [[ -r $file ]]; then isolated=$(<"$file"); fi
  if [[ -n $isolated ]]; then
    fail "the kernel keeps CPUs $isolated from its scheduler (isolcpus), and pods would pile up on one of them: take isolcpus off the kernel's command line, boot again, and use cpuIsolation of the pool"
  fi
}

check_swap() {
  if [[ $REFUSE_SWAP == yes && $(wc -l </proc/swaps) -gt 1 ]]; then
    fail "swap is on, and the kubelet would refuse to start: swapoff -a, and take swap out of /etc/fstab"
  fi
}

# Fetches one artifact into the cache, where a file's name is its checksum: what lies there needs no second look.
fetch_artifact() {
  local name=$1 sum=$2 url=$3 part found
  [[ -f $cache/$sum ]] && return
  part=$(mktemp "$cache/part.XXXXXX")
  if ! curl --fail --silent --show-error --location --connect-timeout 10 --speed-limit 1024 --speed-time 60 \
    --retry 5 --retry-all-errors --retry-delay 2 --output "$part" "$url"; then
    rm -f "$part"
    fail "$name: could not fetch $url"
  fi
  found=$(sha256sum "$part" | cut -d' ' -f1)
  if [[ $found != "$sum" ]]; then
    rm -f "$part"
    fail "$name: $url has SHA-256 $found, the plan wants $sum"
  fi
  mv -f "$part" "$cache/$sum"
}

install_file() {
  local from=$1 to=$2 new
  mkdir -p "${to%/*}"
  new=$(mktemp "$to.XXXXXX")
  cp -- "$from" "$new"
  chmod 0755 "$new"
  mv -f -- "$new" "$to"
}

# What an artifact puts where, one target a line.
targets_of() {
  local kind=$1 target=$2 strip=$3 members=$4 member i
  if [[ $kind == file ]]; then
    echo "$target"
    return
  fi
  for member in ${members//,/ }; do
    for ((i = 0; i < strip; i++)); do member=${member#*/}; done
    echo "$target/$member"
  done
}

install_artifact() {
  local name=$1 sum=$2 kind=$3 target=$4 strip=$5 members=$6 stamp folder path member complete=yes
  stamp="$sum $kind $target $strip $members"
  while IFS= read -r path; do [[ -x $path ]] || complete=no; done < <(targets_of "$kind" "$target" "$strip" "$members")
  if [[ $complete == yes && -f $state/installed/$name && $(<"$state/installed/$name") == "$stamp" ]]; then return; fi
  if [[ $kind == file ]]; then
    install_file "$cache/$sum" "$target"
  else
    folder=$(mktemp -d "$cache/tar.XXXXXX")
    tar -xf "$cache/$sum" -C "$folder" --no-same-owner || fail "$name: could not unpack the archive"
    for member in ${members//,/ }; do
      [[ -f $folder/$member ]] || fail "$name: the archive has no member $member"
      install_file "$folder/$member" "$(targets_of tar "$target" "$strip" "$member")"
    done
    rm -rf "$folder"
  fi
  echo "$stamp" >"$state/installed/$name"
}

install_artifacts() {
  local name sum url kind target strip members pid failed=0 pids=()
  mkdir -p "$cache" "$state/installed"
  rm -rf "$cache"/part.* "$cache"/tar.*
  while IFS=$'\t' read -r name _ sum url kind target strip members; do
    if [[ -f $state/installed/$name && $(<"$state/installed/$name") == "$sum $kind $target $strip $members" ]]; then continue; fi
    fetch_artifact "$name" "$sum" "$url" &
    pids+=($!)
  done <"$config/artifacts.tsv"
  for pid in "${pids[@]}"; do wait "$pid" || failed=$((failed + 1)); done
  [[ $failed -eq 0 ]] || fail "$failed artifacts could not be fetched; nothing was installed"
  while IFS=$'\t' read -r name _ sum url kind target strip members; do
    install_artifact "$name" "$sum" "$kind" "$target" "$strip" "$members"
  done <"$config/artifacts.tsv"
}

# Restarts a service when what it was started with differs from what is there now, or when it is down.
restart_if_changed() {
  local unit=$1 sum path
  shift
  sum=$(for path in "$@"; do if [[ -f $path ]]; then echo "$path" && cat -- "$path"; fi; done | sha256sum | cut -d' ' -f1)
  systemctl enable --quiet "$unit"
  if [[ -f $state/applied/$unit && $(<"$state/applied/$unit") == "$sum" ]] && systemctl is-active --quiet "$unit"; then return; fi
  systemctl restart "$unit"
  echo "$sum" >"$state/applied/$unit"
}

# Nodes that the rules in force let in, each with the time it has left if it was about to leave before. Empty before the first set-up.
list_admitted_nodes() {
  { nft list set inet zerosteal nodes 2>/dev/null || true; } | tr -d '\n' | sed -n 's/.*elements = {\([^}]*\)}.*/\1/p' | tr , '\n' |
    awk '{ left = "30m"; for (i = 1; i < NF; i++) if ($i == "expires") left = $(i + 1); if (NF) print $1, left }'
}

# A node leaves after all others have been changed. Until its pods are drained it needs its peers, the API above all.
keep_leaving_nodes() {
  local address left
  while read -r address left; do
    if [[ -z $address ]] || nft get element inet zerosteal nodes "{ $address }" >/dev/null 2>&1; then continue; fi
    nft add element inet zerosteal nodes "{ $address timeout $left }"
  done <<<"$admitted"
}

# A machine without a cloud firewall before it has rules of its own.
start_firewall() {
  admitted=""
  if [[ ! -f $config/firewall.nft ]]; then return; fi
  admitted=$(list_admitted_nodes)
  nft --check --file "$config/firewall.nft" || fail "nftables refuses $config/firewall.nft"
  systemctl daemon-reload
  systemctl enable --quiet zerosteal-firewall.service
  # In one transaction, and each time, since others may have flushed them. A restart would first take them away.
  systemctl reload-or-restart zerosteal-firewall.service
  keep_leaving_nodes
}

# Others may have taken its rules away, and the unit still counts as active.
start_metadata_guard() {
  local unit=zerosteal-metadata-guard.service
  if (($(ip -4 rule | grep -c '^50:') != $(grep -c '^ExecStart=' "$units/$unit"))); then rm -f "$state/applied/$unit"; fi
  restart_if_changed "$unit" "$units/$unit"
}

start_services() {
  local units=/etc/systemd/system
  mkdir -p "$state/applied" /etc/containerd/conf.d /etc/kubernetes/manifests
  grep -E '^(containerd|runc)' "$config/artifacts.tsv" >"$state/runtime-artifacts"
  grep -E '^kubelet' "$config/artifacts.tsv" >"$state/kubelet-artifacts"
  systemctl daemon-reload
  start_metadata_guard
  restart_if_changed containerd.service "$units/containerd.service" "$units"/containerd.service.d/* \
    /etc/containerd/config.toml /etc/containerd/conf.d/*.toml "$state/runtime-artifacts"
  systemctl enable --quiet zerosteal-cpus.service
  /usr/local/sbin/zerosteal-cpus
  restart_if_changed kubelet.service "$units/kubelet.service" "$units"/kubelet.service.d/* \
    /etc/kubernetes/kubelet.conf.d/*.conf "$state/kubelet-artifacts"
}

main() {
  # shellcheck source=/dev/null
  source "$config/node.env"
  mkdir -p "$state"
  exec 9>"$state/lock"
  flock -w 600 9 || fail "another run has not ended within 600 s"
  make_host_key
  remove_stale_files
  merge_hosts
  start_firewall
  load_modules
  apply_sysctls
  renew_qdiscs
  check_isolated_cpus
  check_swap
  install_artifacts
  start_services
  # Again: where the kubelet was restarted it has loaded the rules anew.
  keep_leaving_nodes
  say "node $NODE_NAME is set up"
}

main "$@"
