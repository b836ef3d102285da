#!/bin/bash
# Waits until the planned private address is on a NIC: the cloud plugs that NIC in some time after the boot.
# usage: zerosteal-wait-network [SECONDS]
set -euo pipefail

# shellcheck source=/dev/null
source /etc/zerosteal/node.env

say() { printf 'zerosteal-wait-network: %s\n' "$*" >&2; }

limit=${1:-120}
said=-10
while true; do
  device=$(ip -4 -o address show to "$PRIVATE_ADDRESS/32" | awk 'NR == 1 { print $2 }')
  if [[ -n $device ]]; then break; fi
  if ((SECONDS >= limit)); then
    say "$NODE_NAME has no NIC with $PRIVATE_ADDRESS after $limit s: is the server attached to the private network?"
    exit 1
  fi
  if ((SECONDS - said >= 10)); then
    say "$NODE_NAME waits for its private address $PRIVATE_ADDRESS"
    said=$SECONDS
  fi
  sleep 0.5
done

pattern=$PRIVATE_INTERFACE
if [[ $pattern == *+ ]]; then pattern="${pattern%+}*"; fi
# An unquoted right side is a pattern.
# shellcheck disable=SC2053
if [[ $device != $pattern ]]; then
  say "$NODE_NAME has $PRIVATE_ADDRESS on $device, but Cilium is told $PRIVATE_INTERFACE: set underlay.privateInterface to $device"
  exit 1
fi
