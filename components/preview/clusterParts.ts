import { isPlainObject } from "../plan/merge";
import { differences, renderPath } from "./differences";
import { showVersion } from "./harmless";
import { changedInputs, changedProperties, finding } from "./judge";
import type { Step } from "./previewTypes";
import type { Finding } from "./types";

type Judge = (step: Step) => Finding[];

/** Parts of a cluster that are no node's own, by type and beginning of the name; the first that fits. */
const parts: readonly [type: string, name: string, judge: Judge][] = [
  ["hcloud:index/network:Network", "", judgeNetwork],
  ["hcloud:index/networkSubnet:NetworkSubnet", "", judgeNetwork],
  ["hcloud:index/firewall:Firewall", "", judgeFirewall],
  ["hcloud:index/sshKey:SshKey", "", judgeKey],
  ["hcloud:index/placementGroup:PlacementGroup", "", judgeGroup],
  ["pulumi:index:Stash", "operator-", judgeKey],
  ["pulumi:providers:kubernetes", "", judgeProvider],
  ["kubernetes:helm.sh/v3:Release", "", judgeCilium],
  ["command:remote:Command", "kubeconfig-", judgeKubeconfig],
  ["command:remote:Command", "services-", judgeServices],
  ["command:local:Command", "doctor-", judgeDoctor],
];

/** What a step does that is no node's own; undefined for a step that this does not know. */
export function judgePart(step: Step): Finding[] | undefined {
  const part = parts.find(([type, name]) => step.type === type && step.name.startsWith(name));
  return part && (step.operation === "same" ? [] : part[2](step));
}

function judgeNetwork(step: Step): Finding[] {
  const changed = changedInputs(step).join("; ");
  switch (step.operation) {
    case "replace":
    case "delete": {
      const text = `the private network is ${step.operation === "delete" ? "removed" : `replaced (${changed})`}: every machine on it loses its address and its way to the others`;
      return [finding("network-replaced", "critical", "network", text, ["interrupts-etcd"])];
    }
    case "update":
      return [finding("network-changed", "medium", "network", `changes: ${changed}`)];
    case "create":
    case "same":
      return [];
  }
}

const world = /^(0\.0\.0\.0\/0|::\/0)$/;

function judgeFirewall(step: Step): Finding[] {
  if (step.operation === "create") return [];
  if (step.operation === "delete")
    return [finding("firewall-removed", "high", "firewall", "goes: nothing filters the public side any more")];
  const opened = differences(step.old, step.new).some(({ after }) => typeof after === "string" && world.test(after));
  const text = changedInputs(step).join("; ");
  if (opened) return [finding("firewall-open", "high", "firewall", `lets the whole world in: ${text}`)];
  return [finding("firewall-changed", step.operation === "replace" ? "high" : "medium", "firewall", text)];
}

function judgeKey(step: Step): Finding[] {
  if (step.operation === "create" || step.operation === "delete") return [];
  const labelsAlone = changedProperties(step).every((property) => ["labels", "name"].includes(property));
  if (step.operation === "update" && labelsAlone) return [finding("key-labels", "low", "SSH key", "is labelled anew")];
  const text = "the operator's key changes: machines that stand let the old one in only, and steps on them would fail";
  return [finding("key-changed", "high", "SSH key", text, ["not-until-replacement"])];
}

function judgeGroup(step: Step): Finding[] {
  if (step.operation === "replace" || step.operation === "update") {
    return [
      finding("group-changed", "medium", "placement groups", "change: which machines may share a host is decided anew"),
    ];
  }
  return [];
}

function judgeProvider({ operation }: Step): Finding[] {
  if (operation !== "replace") return [];
  const text = "the cluster counts as another one: everything in it that this stack made is made again";
  return [finding("provider-replaced", "critical", "Kubernetes", text)];
}

/** Values of the chart by which packets find their way. */
const dataPath =
  /^values\.(MTU|routingMode|tunnel|ipam|bpf|loadBalancer|kubeProxyReplacement|devices|ipv4|ipv6|encryption|autoDirectNodeRoutes|cni|directRouting|enableIPv4Masquerade|k8sService|bandwidthManager)/;

function judgeCilium(step: Step): Finding[] {
  const subject = "Cilium";
  if (step.operation === "create") return [];
  if (step.operation !== "update") {
    const text = "is removed and perhaps installed again: no pod has a network until it is back";
    return [finding("cilium-replaced", "critical", subject, text)];
  }
  const changed = changedInputs(step);
  if (changed.length === 0) return [finding("cilium-again", "low", subject, "is compared with the cluster again")];
  const [was, is] = [versionOf(step.old), versionOf(step.new)];
  if (was !== is) {
    const values = differences(step.old?.values as object | undefined as never, step.new?.values as never).length;
    const more = values > 0 ? `, with ${values} changed values` : "";
    const text = `${showVersion(was)} → ${showVersion(is)}${more}: its agent restarts on every node; connections go on, new pods and policies wait`;
    return [finding("cilium-version", "high", subject, text)];
  }
  const paths = differences(step.old, step.new).map(({ path }) => renderPath(path));
  const text = `${changed.join("; ")}: its agent restarts on every node`;
  if (paths.some((path) => dataPath.test(path))) {
    return [
      finding("cilium-data-path", "high", subject, `${text}, and packets take another way: connections may break`),
    ];
  }
  return [finding("cilium-values", "medium", subject, text)];
}

function versionOf(inputs: Step["old"]): string | undefined {
  const version = isPlainObject(inputs) ? inputs.version : undefined;
  return typeof version === "string" ? version : undefined;
}

function judgeKubeconfig({ operation }: Step): Finding[] {
  if (operation !== "replace" && operation !== "update") return [];
  return [
    finding(
      "kubeconfig",
      "low",
      "kubeconfig",
      "a new operator's certificate is made; the old one stays valid until it expires",
    ),
  ];
}

function judgeServices({ operation }: Step): Finding[] {
  if (operation === "create") return [];
  if (operation === "delete")
    return [finding("services-removed", "high", "Services", "their outside addresses are no longer announced")];
  return [
    finding(
      "services-changed",
      "medium",
      "Services",
      "the range of their outside addresses, or who announces it, changes",
    ),
  ];
}

function judgeDoctor({ operation }: Step): Finding[] {
  if (operation === "delete") return [];
  return [finding("doctor", "low", "doctor", "verifies the cluster at the end of the update")];
}
