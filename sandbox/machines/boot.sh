#!/bin/bash
# Boots one machine and boots it again when it asks for a restart. Runs in the machine's own cgroup and network namespace.
# usage: boot.sh NAMESPACE HOSTNAME CGROUP ROOT DATA   (the namespace's name is the machine's, unique on this host)
set -euo pipefail
namespace=$1 hostname=$2 cgroup=$3 root=$4 data=$5

# Enter the cgroup first: what is started from here belongs to this machine alone, in every hierarchy.
for procs in /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/*/cgroup.procs; do
  target=$(dirname "$procs")/$cgroup/cgroup.procs
  if [ -e "$target" ]; then echo $$ >"$target"; fi
done

# CAP_SYS_BOOT stays: without it a restart looks like a power-off from outside; in a pid namespace it reaches no further than the machine.
# 133 is how systemd-nspawn says that the machine wants to be booted again.
while true; do
  status=0
  # Entering the namespace before systemd-nspawn, not by its option: only then /sys shows the machine's own interfaces.
  nsenter --net="/run/netns/$namespace" env \
    SYSTEMD_SECCOMP=0 SYSTEMD_NSPAWN_API_VFS_WRITABLE=1 SYSTEMD_NSPAWN_LOCK=0 \
    systemd-nspawn --quiet --boot --register=no --keep-unit --machine="$namespace" --hostname="$hostname" --directory="$root" --console=pipe \
    --private-users=no --resolv-conf=off --capability=all \
    --drop-capability=CAP_SYS_TIME,CAP_SYS_RAWIO,CAP_SYS_MODULE \
    --bind-ro=/dev/kmsg --bind="$data/containerd:/var/lib/containerd" --bind="$data/kubelet:/var/lib/kubelet" \
    </dev/null || status=$?
  if [ "$status" -ne 133 ]; then exit "$status"; fi
done
