# Takes off a machine what the library put on it. Kernel settings that are in effect stay until its next boot.
state=/var/lib/zerosteal
units=(kubelet.service containerd.service zerosteal-metadata-guard.service zerosteal-cpus.service)

stop_pods() {
  if [[ -e /etc/kubernetes/kubelet.conf || -e /etc/kubernetes/admin.conf ]]; then
    kubeadm reset --force >/var/log/zerosteal-kubeadm.log 2>&1 || tail -n 25 /var/log/zerosteal-kubeadm.log >&2
  fi
}

stop_units() {
  local unit
  for unit in "${units[@]}"; do
    if systemctl cat "$unit" >/dev/null 2>&1; then systemctl disable --quiet --now "$unit"; fi
  done
}

# Interrupts, and daemons of the machine's owner, get all CPUs again: what a pool without isolation does.
release_cpus() {
  local script=/usr/local/sbin/zerosteal-cpus
  if [[ -x $script && -f /etc/zerosteal/node.env ]]; then
    sed -i 's/^CPU_ISOLATION=.*/CPU_ISOLATION=none/; s/^RESERVED_CPUS=.*/RESERVED_CPUS=/' /etc/zerosteal/node.env
    "$script" || echo 'some CPUs stay reserved until the next boot' >&2
  fi
}

# Links of the data path, and the programs that are pinned: with their last pin they leave the NICs.
remove_data_path() {
  local link mount
  # Cilium mounts the cgroups of the whole machine there: nothing below may be taken for its files.
  while read -r mount; do umount "$mount"; done < <(awk '$2 ~ "^/(var/)?run/cilium/" { print $2 }' /proc/mounts | sort -ru)
  rm -rf /sys/fs/bpf/cilium /sys/fs/bpf/tc/globals/cilium_*
  for link in /sys/class/net/cilium_* /sys/class/net/lxc*; do
    if [[ -e $link ]]; then ip link delete dev "${link##*/}" 2>/dev/null || continue; fi
  done
  rm -rf --one-file-system /etc/cni/net.d/05-cilium* /run/cilium /etc/sysctl.d/99-zzz-override_cilium.conf
}

remove_files() {
  local path
  if [[ -f $state/files ]]; then
    while IFS= read -r path; do rm -f -- "$path"; done <"$state/files"
  fi
  sed -i '/^# BEGIN zerosteal$/,/^# END zerosteal$/d' /etc/hosts
  # A folder that the machine's owner mounted stays, and so does what it holds of others.
  rm -rf --one-file-system /etc/zerosteal "$state" /var/cache/zerosteal /var/lib/etcd
  # Drop-ins for kubelet and containerd that the machine's owner put beside the plan's are not ours to take.
  rm -rf --one-file-system /etc/kubernetes/manifests /etc/kubernetes/pki /etc/kubernetes/*.conf
  find /var/lib/kubelet -xdev -mindepth 1 -delete 2>/dev/null || echo 'some files of pods stay in /var/lib/kubelet' >&2
  systemctl daemon-reload
}

# Last: until then nothing of the node answers to anybody new.
remove_firewall() {
  if systemctl cat zerosteal-firewall.service >/dev/null 2>&1; then systemctl disable --quiet --now zerosteal-firewall.service; fi
}

stop_pods
stop_units
release_cpus
remove_data_path
remove_firewall
remove_files
