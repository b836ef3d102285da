import { isPlainObject } from "../plan/merge";
import { show } from "./harmless";
import { changedInputs, changedProperties, finding } from "./judge";
import type { Step } from "./previewTypes";
import type { Finding } from "./types";

/** A node with the steps that make it. */
export interface NodeSteps {
  name: string;
  role: "control-plane" | "worker";
  /** Whether its whole cluster is made or removed, which is said once. */
  clusterIs: "kept" | "made" | "removed";
  /** The server, or the preflight that stands for an existing machine. */
  machine: Step | undefined;
  /** By the first word of the name: hostkey, tune, init, admit, join. */
  steps: ReadonlyMap<string, Step>;
  route: Step | undefined;
}

const server = "hcloud:index/server:Server";

/** Properties whose change the provider makes with the machine switched off. */
const whileOff: Readonly<Record<string, string>> = { serverType: "server type", placementGroupId: "placement group" };

const words = { ...whileOff, firewallIds: "firewalls", networks: "private network", publicNets: "public network" };

function labelOf(property: string): string {
  return new Map(Object.entries(words)).get(property) ?? property;
}

/** What happens to a node's machine. */
export function judgeMachine(node: NodeSteps): Finding[] {
  const { machine, clusterIs } = node;
  switch (machine?.operation) {
    case "create":
      return [madeMachine(node, machine, clusterIs === "made")];
    case "delete":
      return clusterIs === "removed" ? [] : [removedMachine(node)];
    case "replace":
      return [replacedMachine(node, machine)];
    case "update":
      return machine.type === server ? changedMachine(node, machine) : [];
    case "same":
    case undefined:
      return [];
  }
}

function madeMachine(node: NodeSteps, machine: Step, firstTime: boolean): Finding {
  const what = machine.type === server ? `a new server, ${describe(machine)}` : "an existing machine that is taken in";
  // The steps of a machine that was there are made again: it went behind the program's back.
  const wasThere = ["update", "replace"].includes(node.steps.get("tune")?.operation ?? "");
  if (firstTime) return finding("machine-new", "low", node.name, `becomes a node: ${what}`);
  if (node.role === "control-plane") {
    const text = `its machine is not there any more and is made again, ${describe(machine)}: the cluster begins anew, with an empty etcd`;
    return finding("control-plane-made", "critical", node.name, text, ["replaces-machine", "interrupts-etcd"]);
  }
  if (wasThere) {
    const text = `its machine is not there any more and is made again, ${describe(machine)}`;
    return finding("machine-lost", "medium", node.name, text, ["replaces-machine"]);
  }
  return finding("machine-new", "low", node.name, `joins the cluster: ${what}`);
}

function removedMachine({ name, role }: NodeSteps): Finding {
  if (role === "control-plane") {
    const text = "the control plane's machine goes, and etcd with everything that the cluster knows";
    return finding("control-plane-removed", "critical", name, text, ["replaces-machine", "interrupts-etcd"]);
  }
  const text = "leaves the cluster: its pods are moved off (120 s at most), then its machine goes with its disk";
  return finding("node-removed", "high", name, text, ["drains-pods"]);
}

function replacedMachine(node: NodeSteps, machine: Step): Finding {
  const reasons = machine.replaceReasons.length > 0 ? machine.replaceReasons : machine.reasons;
  const named = changedInputs(machine, words).filter((text) =>
    reasons.some((reason) => text.startsWith(labelOf(reason))),
  );
  const why = named.length > 0 ? ` (${named.join("; ")})` : "";
  if (node.role === "control-plane") {
    const text = `the control plane's machine is replaced${why}: etcd goes with it, the cluster begins anew, and everything in it is lost`;
    return finding("control-plane-replaced", "critical", node.name, text, ["replaces-machine", "interrupts-etcd"]);
  }
  const text = `its machine is replaced${why}: its pods are moved off (120 s at most), what is on its disk is lost`;
  return finding("machine-replaced", "high", node.name, text, ["replaces-machine", "drains-pods"]);
}

function changedMachine(node: NodeSteps, machine: Step): Finding[] {
  const changed = changedProperties(machine);
  const off = changed.filter((property) => property in whileOff);
  const plug = changed.filter((property) => ["networks", "publicNets"].includes(property));
  const text = changedInputs(machine, words).join("; ");
  if (off.length > 0) {
    const stops =
      node.role === "control-plane"
        ? "; etcd and the API stop meanwhile"
        : "; its pods stop meanwhile and are not moved off first";
    const effects =
      node.role === "control-plane" ? (["switches-off", "interrupts-etcd"] as const) : (["switches-off"] as const);
    return [finding("machine-off", "high", node.name, `is switched off and on: ${text}${stops}`, [...effects])];
  }
  if (plug.length > 0) {
    return [
      finding(
        "machine-network",
        "high",
        node.name,
        `its network is plugged anew: ${text}`,
        node.role === "control-plane" ? ["interrupts-etcd"] : [],
      ),
    ];
  }
  if (losesFirewall(machine)) {
    const bare = `${text}: a firewall no longer filters its public side`;
    return [finding("machine-open", "high", node.name, bare)];
  }
  const harmless = changed.every((property) =>
    ["labels", "backups", "deleteProtection", "rebuildProtection"].includes(property),
  );
  return [finding("machine-changed", harmless ? "low" : "medium", node.name, `changes as it runs: ${text}`)];
}

/** Whether a firewall that a server had is taken off it; one that is made anew counts. */
function losesFirewall({ old, new: next }: Step): boolean {
  const [before, after] = [old?.firewallIds, next?.firewallIds].map((ids) =>
    (Array.isArray(ids) ? ids : []).map(String),
  );
  return (
    JSON.stringify(old?.firewallIds) !== JSON.stringify(next?.firewallIds) &&
    !before?.every((id) => after?.includes(id))
  );
}

/** Server type and location, as far as they may be shown. */
function describe({ new: inputs }: Step): string {
  const known = isPlainObject(inputs) ? inputs : {};
  const [type, location] = ["serverType", "location"].map((key) =>
    show(key, typeof known[key] === "string" ? known[key] : null),
  );
  return `${type ?? "type not shown"} in ${location ?? "a location not shown"}`;
}
