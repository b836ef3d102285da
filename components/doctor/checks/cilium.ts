import { valueOf, type CiliumAgent, type CiliumStatus, type Evidence } from "../evidence";
import type { CheckResult, Expectation } from "../types";
import { findings, list, withoutPlan, type Check } from "./result";

/** What one check of the agents' status compares. */
interface StatusCheck {
  id: string;
  title: string;
  wanted: (cilium: Expectation["cilium"]) => string;
  found: (status: CiliumStatus) => string;
  hint: string;
}

const statusChecks: StatusCheck[] = [
  {
    id: "host-routing",
    title: "packets skip the host's network stack",
    wanted: (cilium) => `host routing ${cilium.hostRouting}`,
    found: (status) => `host routing ${status.hostRouting}`,
    hint: "BPF host routing needs kubeProxyReplacement and bpf.masquerade, and bpf.hostLegacyRouting off; the agent's log names what it lacks.",
  },
  {
    id: "masquerading",
    title: "pods are masqueraded by BPF, outside of the native CIDR only",
    wanted: (cilium) => `${cilium.masquerading}, not to ${cilium.nativeRoutingCidr}`,
    found: (status) => `${status.masquerading}, not to ${status.nativeRoutingCidr || "any network"}`,
    hint: "Set bpf.masquerade and ipv4NativeRoutingCIDR in Cilium's values as planned; agents read them when they start.",
  },
  {
    id: "routing-mode",
    title: "packets between nodes travel as planned",
    wanted: (cilium) => cilium.routingMode,
    found: (status) => status.routingMode.toLowerCase(),
    hint: "Set routingMode in Cilium's values as planned and restart the agents.",
  },
  {
    id: "lb-mode",
    title: "load balancing mode",
    wanted: (cilium) => cilium.loadBalancerMode,
    found: (status) => status.loadBalancerMode.toLowerCase() || "off",
    hint: "Set loadBalancer.mode in Cilium's values as planned and restart the agents.",
  },
  {
    id: "device-mode",
    title: "pods have devices of the planned kind",
    wanted: (cilium) => cilium.deviceMode,
    found: (status) => status.deviceMode || "not told",
    hint: "Set bpf.datapathMode in Cilium's values as planned. Pods keep the device that they began with: the node must be emptied first.",
  },
];

/** The agents replace kube-proxy. Also where it shows that an agent is missing; the other checks then see nothing there. */
export const kubeProxyReplacement: Check = {
  id: "kube-proxy-replacement",
  title: "Cilium replaces kube-proxy",
  settles: true,
  run(expectation, evidence) {
    const { unseen, failed, equal } = findings("kube-proxy-replacement");
    const wanted = expectation && (expectation.cilium.kubeProxyReplacement ? "True" : "False");
    if ("unseen" in evidence.agents) return [unseen("cluster", wanted ?? "-", evidence.agents.unseen)];
    return subjects(expectation, evidence).map((node) => {
      const agent = agentOn(evidence, node);
      const status = agent && valueOf(agent.status);
      if (!expectation || !wanted) {
        return unseen(node, "-", withoutPlan, status?.kubeProxyReplacement ?? "no agent's answer");
      }
      const hint = `See kubectl -n kube-system get pods -l k8s-app=cilium -o wide, and the log of the one on ${node}.`;
      if (!agent) return failed(node, wanted, "no Cilium agent", hint);
      if (!agent.ready) return failed(node, wanted, `the agent ${agent.pod} is not ready`, hint);
      if (!status) return unseen(node, wanted, reasonOf(agent));
      return equal(node, wanted, status.kubeProxyReplacement, "Set kubeProxyReplacement in Cilium's values.");
    });
  },
};

/** The devices that carry Cilium's programs are the planned ones, and packets to other nodes leave by the private one. */
export const devices: Check = {
  id: "devices",
  title: "Cilium works on the planned devices",
  settles: true,
  run(expectation, evidence) {
    const wanted = (cilium: Expectation["cilium"]) => list(cilium.devices);
    return onAgents("devices", expectation, evidence, wanted, (node, cilium, status) => [
      plannedDevices(node, cilium.devices, status.devices),
      directRouting(node, expectation?.nodes.find((candidate) => candidate.name === node)?.privateAddress, status),
    ]);
  },
};

function plannedDevices(node: string, patterns: string[], present: string[]): CheckResult {
  const { unseen, ok, failed } = findings("devices");
  const wanted = list(patterns);
  const found = list(present);
  if (patterns.length === 0) return unseen(node, "-", "The plan leaves the devices to Cilium.", found);
  const included = patterns.filter((pattern) => !pattern.startsWith("!"));
  const bare = included.filter((pattern) => !present.some((device) => matches(pattern, device)));
  const extra = present.filter((device) => !allowed(patterns, device));
  if (bare.length === 0 && extra.length === 0) return ok(node, wanted, found);
  const hint = `Without programs: ${list(bare)}; not planned: ${list(extra)}. Set devices in Cilium's values, and check the names with ip link.`;
  return failed(node, wanted, found, hint);
}

function directRouting(node: string, address: string | undefined, status: CiliumStatus): CheckResult {
  const { unseen, ok, failed } = findings("devices");
  const wanted = `direct routing by the NIC with ${address}`;
  const device = status.directRoutingDevice;
  if (address === undefined || device === "") return unseen(node, wanted, "The agent names no direct routing device.");
  const found = `direct routing by ${device} with ${list(status.directRoutingAddresses)}`;
  if (status.directRoutingAddresses.includes(address)) return ok(node, wanted, found);
  return failed(node, wanted, found, "Set nodePort.directRoutingDevice in Cilium's values to the private NIC.");
}

/** Pods' packets to other nodes are encrypted, with a key for each of them; or nobody pays for it. */
export const encryption: Check = {
  id: "encryption",
  title: "pods' packets between nodes are encrypted as planned",
  settles: true,
  run(expectation, evidence) {
    const words = (mode: string, peers: number): string =>
      mode === "wireguard" ? `wireguard with ${peers} peers` : mode;
    const wanted = (cilium: Expectation["cilium"]) => words(cilium.encryption, evidence.nodes.length - 1);
    const found = (status: CiliumStatus) =>
      words(status.encryption.toLowerCase().replace("disabled", "none"), status.encryptionPeers);
    return onAgents(
      "encryption",
      expectation,
      evidence,
      wanted,
      (node, cilium, status) => [
        findings("encryption").equal(
          node,
          wanted(cilium),
          found(status),
          `See cilium-dbg encrypt status in the agent on ${node}: each other node must show its key, by the annotation of its CiliumNode, and UDP port 51871 must be open between the nodes.`,
        ),
      ],
      found,
    );
  },
};

/** All comparisons of the agents' status that are one text each. */
export const ciliumModes: Check[] = statusChecks.map((check) => ({
  id: check.id,
  title: check.title,
  settles: true,
  run: (expectation, evidence) =>
    onAgents(
      check.id,
      expectation,
      evidence,
      check.wanted,
      (node, cilium, status) => [findings(check.id).equal(node, check.wanted(cilium), check.found(status), check.hint)],
      check.found,
    ),
}));

/** Runs a comparison for each node's agent; says why where it cannot. */
export function onAgents(
  id: string,
  expectation: Expectation | undefined,
  evidence: Evidence,
  wanted: (cilium: Expectation["cilium"]) => string,
  compare: (node: string, cilium: Expectation["cilium"], status: CiliumStatus) => CheckResult[],
  show: (status: CiliumStatus) => string = (status) => list(status.devices),
): CheckResult[] {
  const { unseen } = findings(id);
  const text = expectation ? wanted(expectation.cilium) : "-";
  if ("unseen" in evidence.agents) return [unseen("cluster", text, evidence.agents.unseen)];
  return subjects(expectation, evidence).flatMap((node) => {
    const agent = agentOn(evidence, node);
    const status = agent && valueOf(agent.status);
    if (!status) return [unseen(node, text, agent ? reasonOf(agent) : "No Cilium agent runs there.")];
    if (!expectation) return [unseen(node, text, withoutPlan, show(status))];
    return compare(node, expectation.cilium, status);
  });
}

function subjects(expectation: Expectation | undefined, evidence: Evidence): string[] {
  const present = evidence.nodes.map((node) => node.name);
  return expectation ? expectation.nodes.map((node) => node.name).filter((name) => present.includes(name)) : present;
}

function agentOn(evidence: Evidence, node: string): CiliumAgent | undefined {
  const agents = valueOf(evidence.agents)?.filter((agent) => agent.node === node) ?? [];
  // While an agent is replaced, the old one may still be listed.
  return agents.find((agent) => agent.ready) ?? agents[0];
}

function reasonOf(agent: CiliumAgent): string {
  return "unseen" in agent.status ? `${agent.status.unseen}.` : "";
}

/** Cilium's patterns: a name, or a prefix with `+`. */
function matches(pattern: string, device: string): boolean {
  return pattern.endsWith("+") ? device.startsWith(pattern.slice(0, -1)) : device === pattern;
}

function allowed(patterns: string[], device: string): boolean {
  const excluded = patterns.some((pattern) => pattern.startsWith("!") && matches(pattern.slice(1), device));
  return !excluded && patterns.some((pattern) => !pattern.startsWith("!") && matches(pattern, device));
}
