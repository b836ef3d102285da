import { kernelOlder } from "../../plan/kernels";
import { valueOf, type NodeProbes, type PodProbe } from "../evidence";
import type { CheckResult, Expectation } from "../types";
import { findings, list, withoutPlan, type Check } from "./result";

/** Milliseconds that the quickest of five lookups inside the cluster may take. */
export const lookupLimit = 10;

/** A pod on every node resolves kubernetes.default to the API's ClusterIP, every time and quickly. */
export const dns: Check = {
  id: "dns",
  title: "pods resolve names quickly",
  settles: true,
  run: (expectation, evidence) => {
    const address = valueOf(evidence.apiService)?.clusterIp;
    return inPods("dns", evidence.probes, `kubernetes.default within ${lookupLimit} ms`, (node, pod) => [
      judgeLookups(node, pod, address),
      ...(expectation ? [judgeNameserver(node, pod, expectation)] : []),
    ]);
  },
};

function judgeLookups(node: string, pod: PodProbe, address: string | undefined): CheckResult {
  const { ok, failed, unseen } = findings("dns");
  const wanted = `${address ?? "an address"} within ${lookupLimit} ms`;
  const lookups = pod.lookups;
  if (lookups.length === 0) return unseen(node, wanted, "The probe made no lookup.");
  const lost = lookups.filter((lookup) => lookup.addresses.length === 0);
  if (lost.length > 0) {
    const reasons = [...new Set(lost.map((lookup) => lookup.error ?? "no address"))];
    const found = `${lost.length} of ${lookups.length} lookups failed: ${list(reasons)}`;
    const hint =
      "See kubectl -n kube-system get pods,endpointslices -l k8s-app=kube-dns; some of its pods may not be reached.";
    return failed(node, wanted, found, hint);
  }
  const answers = list([...new Set(lookups.flatMap((lookup) => lookup.addresses))]);
  const best = Math.min(...lookups.map((lookup) => lookup.milliseconds));
  const found = `${answers} within ${round(best)} ms`;
  if (address !== undefined && answers !== address) {
    return failed(node, wanted, found, "The cluster's DNS gives another address than the Service kubernetes has.");
  }
  if (best > lookupLimit) return failed(node, wanted, found, "The DNS pods are short of CPU, or far away.");
  return ok(node, wanted, found);
}

function judgeNameserver(node: string, pod: PodProbe, expectation: Expectation): CheckResult {
  const hint = "The kubelet hands pods another resolver: set clusterDNS in the KubeletConfiguration as planned.";
  return findings("dns").equal(
    node,
    `nameserver ${expectation.clusterDns}`,
    `nameserver ${list(pod.nameservers)}`,
    hint,
  );
}

/** A pod on every node connects to the API through its ClusterIP, afresh each time. */
export const clusterIp: Check = {
  id: "cluster-ip",
  title: "pods reach Services by ClusterIP",
  settles: true,
  run: (_expectation, evidence) => {
    const { ok, failed, unseen } = findings("cluster-ip");
    if ("unseen" in evidence.apiService) return [unseen("cluster", "the API answers", evidence.apiService.unseen)];
    const { clusterIp: address, port } = evidence.apiService.value;
    const wanted = `${address}:${port} accepts connections`;
    return inPods("cluster-ip", evidence.probes, wanted, (node, pod) => {
      const connects = pod.apiConnects;
      if (connects.length === 0) return [unseen(node, wanted, "The probe made no connection.")];
      const errors = connects.flatMap((connect) => (connect.ok ? [] : [connect.error ?? "failed"]));
      if (errors.length === 0) return [ok(node, wanted, wanted)];
      const found = `${errors.length} of ${connects.length} connections failed: ${list([...new Set(errors)])}`;
      const hint = `Look at Cilium's service map on ${node}: cilium-dbg bpf lb list, in the agent's pod; without it restart that agent.`;
      return [failed(node, wanted, found, hint)];
    });
  },
};

/** Probe pods on different nodes reach one another. */
export const podToPod: Check = {
  id: "pod-to-pod",
  title: "pods on different nodes reach one another",
  settles: true,
  run: (_expectation, evidence) => {
    const { ok, failed } = findings("pod-to-pod");
    const wanted = "packets arrive";
    return inPods("pod-to-pod", evidence.probes, wanted, (node, pod) =>
      Object.entries(pod.reach).map(([to, ping]) => {
        const subject = `${node} -> ${to}`;
        if (ping.received > 0) return ok(subject, wanted, wanted);
        const found = ping.complaint ? `no answer: ${ping.complaint}` : "lost without an answer";
        const hint = `Compare the network's route for the pods of ${to} with its pod CIDR; see cilium-dbg monitor -t drop in the agent's pod on ${node}.`;
        return failed(subject, wanted, found, hint);
      }),
    );
  },
};

/** A pod on every node reaches the outside. Judged only against a target that the node itself reaches, unless it was named by the caller. */
export const egress: Check = {
  id: "egress",
  title: "pods reach the outside",
  settles: true,
  run: (_expectation, evidence) =>
    evidence.probes.map((probes) => {
      const { ok, failed, unseen } = findings("egress");
      const pod = valueOf(probes.pod);
      const host = valueOf(probes.host);
      const wanted = "the outside answers";
      if (!pod) return unseen(probes.node, wanted, "unseen" in probes.pod ? probes.pod.unseen : "");
      const usable = evidence.egressTargets.find(
        ({ target, asked }) =>
          asked || (host?.connects[target]?.ok === true && !host.addresses.includes(target.split(":")[0] ?? "")),
      );
      if (!usable)
        return unseen(
          probes.node,
          wanted,
          "No target outside that the node itself reaches: name one with --egress-target HOST:PORT.",
        );
      const connect = pod.connects[usable.target];
      const text = `${usable.target} answers`;
      if (!connect) return unseen(probes.node, text, "The probe did not try it.");
      if (connect.ok) return ok(probes.node, text, text);
      const fromNode = host?.connects[usable.target]?.ok;
      const hint = fromNode
        ? `${probes.node} itself reaches it, so look at masquerading: Cilium needs the NIC that leads outside among its devices.`
        : `${probes.node} itself does not reach it either: is the target right, and its way there open?`;
      return failed(probes.node, text, `${usable.target}: ${connect.error ?? "failed"}`, hint);
    }),
};

/** The probe pods themselves start on every Ready node, and are gone afterwards. */
export const probe: Check = {
  id: "probe",
  title: "a pod starts on every Ready node",
  settles: true,
  run: (_expectation, evidence) => {
    const { ok, failed } = findings("probe");
    const started = evidence.probes.map((probes) => {
      const wanted = "probe pods run";
      if (probes.notStarted.length === 0) return ok(probes.node, wanted, wanted);
      const found = probes.notStarted.join("; ");
      const hint = /image|pull/i.test(found)
        ? "The node cannot get the probe's image: name one that it can, with --image."
        : `No new pod starts on ${probes.node}: see its kubelet and its Cilium agent.`;
      return failed(probes.node, wanted, found, hint);
    });
    if (evidence.leftBehind === undefined) return started;
    const hint = "They end by themselves after 15 minutes; the namespace stays until it is removed.";
    return [...started, failed("cluster", "probe pods are removed", evidence.leftBehind, hint)];
  },
};

/** kubelet and Cilium have the planned versions. */
export const versions: Check = {
  id: "versions",
  title: "versions as planned",
  settles: false,
  run: (expectation, evidence) => {
    const { equal, unseen } = findings("versions");
    const agents = valueOf(evidence.agents) ?? [];
    return evidence.nodes.flatMap((node) => {
      const agent = agents.find((candidate) => candidate.node === node.name && "value" in candidate.status);
      const cilium = agent && valueOf(agent.status)?.version;
      const kubelet = `kubelet ${bare(node.kubeletVersion)}`;
      const containerd = node.containerRuntimeVersion.replace("://", " ");
      if (!expectation)
        return [unseen(node.name, "-", withoutPlan, `${kubelet}, ${containerd}, Cilium ${cilium ?? "not seen"}`)];
      const { kubernetes, cilium: planned } = expectation.versions;
      const hint = "The node was not upgraded with the plan, or by something else.";
      return [
        equal(node.name, `kubelet ${bare(kubernetes)}`, kubelet, hint),
        equal(node.name, `containerd ${expectation.versions.containerd}`, containerd, hint),
        judgeKernel(node.name, expectation.versions.kernel, node.kernelVersion),
        !cilium
          ? unseen(node.name, `Cilium ${bare(planned)}`, "No agent told its version.")
          : equal(node.name, `Cilium ${bare(planned)}`, `Cilium ${bare(cilium)}`, hint),
      ];
    });
  },
};

function judgeKernel(node: string, oldest: string, version: string): CheckResult {
  const { ok, failed, unseen } = findings("versions");
  const minor = /^\d+\.\d+/.exec(version)?.[0];
  const wanted = `kernel ${oldest} or newer`;
  if (minor === undefined) return unseen(node, wanted, "The node does not tell its kernel.");
  if (!kernelOlder(minor, oldest)) return ok(node, wanted, `kernel ${version}`);
  return failed(node, wanted, `kernel ${version}`, "What was chosen needs a newer one: take an image that has it.");
}

function inPods(
  check: string,
  probes: NodeProbes[],
  wanted: string,
  judge: (node: string, pod: PodProbe) => CheckResult[],
): CheckResult[] {
  return probes.flatMap(({ node, pod }) =>
    "unseen" in pod ? [findings(check).unseen(node, wanted, pod.unseen)] : judge(node, pod.value),
  );
}

function bare(version: string): string {
  return version.replace(/^v/, "");
}

function round(milliseconds: number): string {
  return milliseconds < 10 ? milliseconds.toFixed(1) : milliseconds.toFixed(0);
}
