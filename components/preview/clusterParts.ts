import { isPlainObject } from "../plan/merge";
import { differences, renderPath } from "./differences";
import { showVersion } from "./harmless";
import { opened, type Sources } from "./openings";
import { unexplained } from "./scripts";
import { changedInputs, changedProperties, finding } from "./judge";
import type { Step } from "./previewTypes";
import type { Finding } from "./types";

type Judge = (step: Step, kubeconfigAnew: boolean) => Finding[];

/** Parts of a cluster that are no node's own, by type and name (`*` is the cluster's); a `-` at the end stands for further words. */
const parts: readonly [type: string, name: string, judge: Judge][] = [
  ["hcloud:index/network:Network", "*", judgeNetwork],
  ["hcloud:index/networkSubnet:NetworkSubnet", "*-", judgeNetwork],
  ["hcloud:index/firewall:Firewall", "*", judgeFirewall],
  ["hcloud:index/sshKey:SshKey", "*", judgeKey],
  ["hcloud:index/placementGroup:PlacementGroup", "*-", judgeGroup],
  ["pulumi:index:Stash", "operator-*", judgeKey],
  // One-time keys, of use at a machine's first boot alone.
  ["pulumi:index:Stash", "hostkey-*-", () => []],
  ["pulumi:providers:kubernetes", "*", judgeProvider],
  ["kubernetes:helm.sh/v3:Release", "cilium-*", judgeCilium],
  ["command:remote:Command", "kubeconfig-*", judgeKubeconfig],
  ["command:remote:Command", "services-*", judgeServices],
  ["command:local:Command", "doctor-*", judgeDoctor],
];

/**
 * What a step does that is no node's own; undefined for a step that this does not know.
 * @param kubeconfigAnew whether the cluster's kubeconfig is made anew in the same update
 */
export function judgePart(step: Step, cluster: string, kubeconfigAnew: boolean): Finding[] | undefined {
  const part = parts.find(([type, pattern]) => {
    const name = pattern.replace("*", cluster);
    return step.type === type && (name.endsWith("-") ? step.name.startsWith(name) : step.name === name);
  });
  if (!part || step.operation === "same") return part && [];
  return [...part[2](step, kubeconfigAnew), ...judgeCommand(step)];
}

/** Parts of a cluster that is made as a whole are said with it; only what comes to one that stands is looked at. */
function judgeCommand(step: Step): Finding[] {
  if (!step.type.startsWith("command:")) return [];
  const where = step.type === "command:local:Command" ? "where the engine runs" : "as root on the control plane";
  if (step.operation === "create")
    return [finding("script-new", "high", step.name, `a script that was not there is run ${where}`)];
  const changed = unexplained(step, step.type === "command:local:Command" ? "explained" : "own");
  if (changed.length === 0) return [];
  const names = changed.map((name) => (/^\w{1,40}$/.test(name) ? name : "another input")).join(", ");
  return [
    finding(
      "script-changed",
      "high",
      step.name,
      `what is run ${where} changes in a way that this report cannot explain: ${names}`,
    ),
  ];
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

/** Whom the rules let in, by protocol and port. What is known afterwards, or not shown, may be anybody. */
function sourcesOf(inputs: Step["old"]): Sources {
  const found = new Map<string, string[]>();
  const rules: unknown[] = Array.isArray(inputs?.rules) ? inputs.rules : inputs?.rules === undefined ? [] : [undefined];
  for (const rule of rules) {
    const { direction = "in", protocol, port, sourceIps } = isPlainObject(rule) ? rule : {};
    if (direction === "out") continue;
    const to = JSON.stringify([protocol, port]);
    const from: unknown[] = Array.isArray(sourceIps) ? sourceIps : [sourceIps];
    found.set(to, [...(found.get(to) ?? []), ...from.map(String)]);
  }
  return found;
}

function judgeFirewall(step: Step): Finding[] {
  if (step.operation === "delete")
    return [finding("firewall-removed", "high", "firewall", "goes: nothing filters the public side any more")];
  const words = opened(sourcesOf(step.old), sourcesOf(step.new));
  const text = step.operation === "create" ? "is new" : changedInputs(step).join("; ");
  if (words !== undefined) return [finding("firewall-open", "high", "firewall", `${words}: ${text}`)];
  const grade = step.operation === "replace" ? "high" : step.operation === "create" ? "low" : "medium";
  return [finding("firewall-changed", grade, "firewall", text)];
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

function judgeProvider(step: Step, kubeconfigAnew: boolean): Finding[] {
  const subject = "Kubernetes";
  if (step.operation === "create") return [];
  if (step.operation !== "update") {
    const text = "the cluster counts as another one: everything in it that this stack made is made again";
    return [finding("provider-replaced", "critical", subject, text)];
  }
  const explained = kubeconfigAnew && changedProperties(step).every((property) => property === "kubeconfig");
  const text = explained
    ? "is reached by the kubeconfig that is made anew"
    : "is reached in another way, perhaps another cluster: what this stack has in it would be made there";
  return [finding("provider-changed", explained ? "low" : "high", subject, text)];
}

/** Values of the chart by which packets find their way. */
const dataPath =
  /^values\.(MTU|routingMode|tunnel|ipam|bpf|loadBalancer|kubeProxyReplacement|devices|ipv4|ipv6|encryption|autoDirectNodeRoutes|cni|directRouting|enableIPv4Masquerade|k8sService|bandwidthManager)/;

function judgeCilium(step: Step): Finding[] {
  const subject = "Cilium";
  if (step.operation === "create") return [finding("cilium-new", "medium", subject, "is installed")];
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
