import type { ResourceEvent } from "./update";

/** What a resource's step means to a person who watches machines, by the beginning of its logical name and by its type. */
const steps: [test: RegExp, words: string][] = [
  [/^hcloud:index\/server:Server .*$/, "server"],
  [/^hcloud:index\/network:Network /, "private network"],
  [/^hcloud:index\/networkSubnet:NetworkSubnet /, "subnet"],
  [/^hcloud:index\/networkRoute:NetworkRoute /, "pod route"],
  [/^hcloud:index\/firewall:Firewall /, "firewall"],
  [/^hcloud:index\/sshKey:SshKey /, "SSH key"],
  [/^hcloud:index\/placementGroup:PlacementGroup /, "placement group"],
  [/^command:remote:Command hostkey-/, "first boot, lasting host key"],
  [/^command:remote:Command tune-/, "kernel settings, container runtime, kubelet"],
  [/^command:remote:Command init-/, "kubeadm init"],
  [/^command:remote:Command admit-/, "Node object with its pod CIDR, token"],
  [/^command:remote:Command join-/, "kubeadm join"],
  [/^command:remote:Command kubeconfig-/, "operator's kubeconfig"],
  [/^kubernetes:helm\.sh\/v3:Release /, "Cilium"],
  [/^command:local:Command doctor-/, "doctor"],
];

/** Operations that tell nothing of their own: a replacement is told where its new half is made. */
const quiet = new Set(["same", "replace", "delete-replaced"]);

/** One line for a step of the engine; undefined for what nobody watches. */
export function describeStep(event: ResourceEvent): string | undefined {
  const words = steps.find(([test]) => test.test(`${event.type} ${event.name}`))?.[1];
  if (!words || quiet.has(event.op)) return undefined;
  const node = event.name.replace(/^(hostkey|tune|init|admit|join|kubeconfig|cilium|doctor)-/, "");
  const how = { begin: "…", end: "done", failed: "FAILED" }[event.kind];
  const op =
    { create: "", "create-replacement": " again", update: " changed", delete: " removed" }[event.op] ??
    ` (${event.op})`;
  return `${node}: ${words}${op} ${how}`;
}
