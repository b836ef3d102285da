import type { Reason } from "./reason";
import type { Datapath, Encryption, Xdp } from "./types";

/** What each kind of encryption gives and costs. */
export const encryptionReasons: Readonly<Record<Encryption, Reason>> = {
  none: {
    why: "What pods send to other nodes is readable on the network between them; WireGuard would cost CPU on both nodes and 95 bytes a packet.",
    source: "Cilium documentation, WireGuard transparent encryption",
  },
  wireguard: {
    why: "Pods of different nodes talk encrypted, by UDP port 51871 between the nodes. Price: CPU on both nodes, a smaller MTU, and Services by snat alone. What nodes say themselves is not encrypted.",
    source: "docs/decisions/data-path-options.md; Cilium documentation, WireGuard transparent encryption",
  },
};

/** What each kind of the pods' devices gives and costs. */
export const datapathReasons: Readonly<Record<Datapath, Reason>> = {
  veth: {
    why: "Runs on every kernel and with every feature of Cilium; a packet passes a queue between pod and node.",
    source: "Cilium documentation, tuning guide",
  },
  netkit: {
    why: "A pod's packet reaches the node's NIC without a queue between, as the node's own. Price: kernel 6.8, host routing by BPF, no transparent proxy; upstream calls it beta, and running pods cannot change over.",
    source: "docs/decisions/data-path-options.md; Cilium documentation, tuning guide",
  },
};

/** What XDP gives and costs. */
export const xdpReasons: Readonly<Record<Xdp, Reason>> = {
  disabled: {
    why: "Services are answered in the kernel's traffic control; XDP on virtio NICs lacks queues and was reported to take nodes off the network.",
    source: "hetznercloud/hcloud-cloud-controller-manager issue 241",
  },
  "best-effort": {
    why: "Requests for a backend on another node turn round in the NIC's driver where it can do that. Price: queues of the NIC, and no tcpdump sees them.",
    source: "docs/decisions/data-path-options.md; Cilium documentation, XDP acceleration",
  },
};
