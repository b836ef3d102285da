import { findPodProcess } from "./podProcess";

/**
 * What runs in a capture pod, as one bash script with three verbs: `begin` starts tcpdump in the pod's network namespace and on the
 * node's way to the other pod, `connect` makes connections out of the pod's namespace, `end` stops the captures and prints what they saw.
 * Needs bash, tcpdump, iproute2 and nsenter.
 *
 * Cilium's BPF redirects go past the host's end of a pod's NIC, so captures sit where packets are still seen: inside the pod, and on
 * the node's own NIC or tunnel device. XDP programs take packets before that, and are not seen.
 *
 * It travels in an environment variable of the pod, as the doctor's script does: no `$$`, and no `$(NAME)`.
 */
export const captureScript = String.raw`
export LC_ALL=C
verb=$1 uid=$2 peer=$3 port=$4 count=$5 way=$6
work=/dev/shm/capture-$uid
mkdir -p "$work"

# Where packets to the other pod leave the node: a tunnel's device, in which they are still plain, else the NIC of their route.
way_out() {
  local device
  for device in cilium_vxlan cilium_geneve cilium_wg0; do
    if [ -e /sys/class/net/$device ]; then echo $device; return; fi
  done
  ip -4 route get "$peer" | sed -n 's/.* dev \([^ ]*\).*/\1/p'
}

capture() {
  local name=$1
  shift
  setsid "$@" -n -tt --time-stamp-precision=nano --immediate-mode -l \
    "tcp port $port and host $peer and (tcp[tcpflags] & tcp-syn) != 0" \
    >"$work/$name" 2>"$work/$name.log" </dev/null &
  echo $! >"$work/$name.pid"
  disown
}

listening() {
  local i
  for i in $(seq 1 100); do
    if grep -q 'listening on' "$work/$1.log"; then return 0; fi
    sleep 0.1
  done
  echo "tcpdump does not listen: $(tail -n 1 "$work/$1.log")" >&2
  return 1
}

pid=$(${findPodProcess("uid")})
if [ -z "$pid" ]; then echo "no process of the pod was found on this node" >&2; exit 1; fi

begin() {
  local device
  capture pod nsenter --target "$pid" --net tcpdump -i eth0
  if [ "$way" = across ]; then
    device=$(way_out)
    capture node tcpdump -i "$device"
    listening node || exit 1
  fi
  listening pod || exit 1
  echo "${"$"}{device:-}"
}

# Five in a row without an answer are enough to know.
connect() {
  nsenter --target "$pid" --net bash -c '
    silent=0
    for i in $(seq 1 "$2"); do
      if timeout 4 bash -c "exec 3<>/dev/tcp/$0/$1" 2>/dev/null; then silent=0; else silent=$((silent + 1)); fi
      if [ $silent -ge 5 ]; then exit 0; fi
    done' "$peer" "$port" "$count"
}

end() {
  local name
  # What tcpdump was handed by the kernel and has not printed yet.
  sleep 0.5
  for name in pod node; do
    if [ -e "$work/$name.pid" ]; then kill "$(cat "$work/$name.pid")"; fi
  done
  for name in pod node; do
    echo "== $name"
    if [ -e "$work/$name" ]; then cat "$work/$name"; fi
  done
}

$verb
`;

/** What one run of the script is told. */
export interface CaptureRequest {
  verb: "begin" | "connect" | "end";
  /** UID of the pod on this node. */
  uid: string;
  /** Address of the pod at the other end. */
  peer: string;
  /** Port of the server. */
  port: number;
  /** How many connections `connect` makes. */
  count: number;
  /** Whether the pods are on two nodes. */
  way: "across" | "within";
}

/** Command of the exec request that runs the script of the pod's environment. */
export function captureCommand({ verb, uid, peer, port, count, way }: CaptureRequest): string[] {
  return ["bash", "-c", 'eval "$CAPTURE_SCRIPT"', "capture", verb, uid, peer, String(port), String(count), way];
}

/** What `end` printed, by place. */
export function parseCaptures(text: string): { pod: string; node: string } {
  const [, pod = "", node = ""] = text.split(/^== (?:pod|node)$/m);
  return { pod, node };
}
