import { numberReason } from "./addresses";
import { firewallReason } from "./build";
import { datapathReasons, encryptionReasons, xdpReasons } from "./dataPathReasons";
import { valueReasons } from "./cilium";
import { isolationReasons, planCpu } from "./cpu";
import { hetznerDecisions } from "./explainHetzner";
import { hostFirewallReason } from "./hostFirewall";
import { at, leafPaths, leaves, type JsonObject } from "./merge";
import { mtuReasons } from "./mtu";
import { apiNameReason, placementReason } from "./names";
import type { Reason } from "./reason";
import { bbrReasons, defaultReasons, defaults, hugePageReasons, resolvePools, type ResolvedPool } from "./resolve";
import { ruleTable } from "./rules";
import { hostsReasons, typeOfPool } from "./underlay";
import type { ClusterArgs, ClusterPlan, NodePlan, UnderlayPlan } from "./types";
import { testedSentence } from "./versions";

/** One choice of a plan: what, why, and where the reason is known from. */
export interface Decision {
  /** Stable, unique within a plan, e.g. `cilium.routingMode`. */
  id: string;
  /** Heading it belongs under, e.g. `MTU`. */
  topic: string;
  /** As the plan has it: a text, number, truth value or list. */
  value: unknown;
  why: string;
  source: string;
}

/**
 * Explains a plan: every decision with its value, which is the plan's own, its reason and the reason's source. Pure.
 * @param plan output of `planCluster`
 * @param args the arguments that it was made from; they tell a default from what somebody chose
 */
export function explain(plan: ClusterPlan, args: ClusterArgs): Decision[] {
  return [
    ...versionDecisions(plan, args),
    ...networkDecisions(plan, args),
    ...mtuDecisions(plan),
    ...accessDecisions(plan, args),
    ...poolDecisions(plan, args),
    ...ciliumDecisions(plan, args),
    ...kernelDecisions(plan, args),
    ...warningDecisions(plan),
  ];
}

function versionDecisions(plan: ClusterPlan, args: ClusterArgs): Decision[] {
  const { kubernetes, cilium, containerd, runc } = plan.versions;
  const topic = "Versions";
  const why = testedSentence(kubernetes, cilium);
  const source = args.artifacts === undefined ? "upstream's release files, held by checksum" : "argument artifacts";
  const installed = "What every node installs with this Kubernetes.";
  return [
    { id: "version.kubernetes", topic, value: kubernetes, why, source: origin("kubernetes.version", args) },
    { id: "version.cilium", topic, value: cilium, why, source: origin("cilium.version", args) },
    { id: "version.containerd", topic, value: containerd, why: installed, source },
    { id: "version.runc", topic, value: runc, why: installed, source },
  ];
}

function networkDecisions(plan: ClusterPlan, args: ClusterArgs): Decision[] {
  const { underlay } = plan;
  const bits = args.network?.nodePodCidrBits ?? defaults.nodePodCidrBits;
  const chosen = (id: string, value: unknown, path: string, { why, source }: Reason): Decision => {
    return { id, topic: "Network", value, why, source: `${origin(path, args)}; ${source}` };
  };
  return [
    ...(underlay.kind === "hetzner"
      ? hetznerDecisions(plan, underlay, args, chosen)
      : [{ id: "network.underlay", topic: "Network", value: underlay.segment, ...hostsReasons[underlay.segment] }]),
    chosen(
      "network.nodes",
      underlay.kind === "hetzner" ? underlay.subnets : underlay.nodeSubnet,
      "underlay.nodeSubnet",
      defaultReasons.nodeSubnet,
    ),
    chosen("network.pods", plan.podCidr, "network.podCidr", defaultReasons.podCidr),
    chosen("network.pods-of-a-node", `/${bits}`, "network.nodePodCidrBits", defaultReasons.nodePodCidrBits),
    chosen("network.services", plan.serviceCidr, "network.serviceCidr", defaultReasons.serviceCidr),
    chosen("network.encryption", plan.encryption, "network.encryption", encryptionReasons[plan.encryption]),
    chosen("network.datapath", plan.datapath, "network.datapath", datapathReasons[plan.datapath]),
    chosen("network.xdp", plan.xdp, "network.xdp", xdpReasons[plan.xdp]),
    ...poolsOf(plan, args).map(({ pool, nodes }) => ({
      id: `network.pool.${pool.name}`,
      topic: "Network",
      value: nodes.length === 0 ? `from number ${pool.firstNumber}; no nodes now` : addressesOf(nodes),
      ...numberReason,
    })),
  ];
}

function addressesOf(nodes: NodePlan[]): string {
  const span = (values: (string | number)[]): string => [...new Set([values[0], values.at(-1)])].join(" to ");
  const numbers = span(nodes.map((node) => node.number));
  const [addresses, pods] = [span(nodes.map((node) => node.privateAddress)), span(nodes.map((node) => node.podCidr))];
  return `number ${numbers}: ${addresses}, pods ${pods}`;
}

function mtuDecisions({ underlay, podMtu, encryption }: ClusterPlan): Decision[] {
  const topic = "MTU";
  const overhead = underlay.mtu - podMtu;
  return [
    { id: "mtu.nodes", topic, value: underlay.mtu, ...mtuReasons[nodesMtuReason(underlay)] },
    {
      id: "mtu.pods",
      topic,
      value: `${underlay.mtu} - ${overhead} = ${podMtu}`,
      ...mtuReasons[encryption === "none" ? "pod" : "podEncrypted"],
    },
  ];
}

function nodesMtuReason(underlay: UnderlayPlan): keyof typeof mtuReasons {
  if (underlay.kind === "hosts") return "hosts";
  return underlay.vSwitch === undefined ? "underlay" : "vSwitch";
}

function accessDecisions({ api, firewall, underlay }: ClusterPlan, args: ClusterArgs): Decision[] {
  const topic = "Access";
  return [
    { id: "api.endpoint", topic, value: `${api.name}:${api.port} at ${api.privateAddress}`, ...apiNameReason },
    ...firewall.map(({ protocol, port, description, sourceCidrs }) => ({
      id: `firewall.${protocol}${port === undefined ? "" : `.${port}`}`,
      topic,
      value: `${description} from ${sourceCidrs.join(", ")}`,
      ...firewallReason,
    })),
    ...(underlay.kind === "hosts"
      ? [{ id: "firewall.where", topic, value: "nftables on each machine", ...hostFirewallReason }]
      : [
          {
            id: "node.image",
            topic: "Nodes",
            value: underlay.image,
            why: defaultReasons.image.why,
            source: `${origin("underlay.image", args)}; ${defaultReasons.image.source}`,
          },
        ]),
  ];
}

function poolDecisions(plan: ClusterPlan, args: ClusterArgs): Decision[] {
  return poolsOf(plan, args).flatMap(({ pool, nodes }): Decision[] => {
    const groups = plan.placementGroups.filter((group) => nodes.some((node) => node.placementGroup === group.name));
    return [
      {
        id: `cpu.${pool.name}`,
        topic: "Nodes",
        value: isolationOf(pool, args),
        ...isolationReasons[pool.cpuIsolation],
      },
      ...(plan.underlay.kind === "hosts"
        ? []
        : [
            {
              id: `placement.${pool.name}`,
              topic: "Nodes",
              value: groups.map(({ name }) => name),
              ...placementReason,
            },
          ]),
    ];
  });
}

/** Isolation of a pool with what is reserved, as the kubelet is told. */
function isolationOf(pool: ResolvedPool, args: ClusterArgs): string {
  const { cpuIsolation } = pool;
  const { name, ...type } = typeOfPool(args, pool);
  const { reserved } = planCpu(cpuIsolation, type);
  return `${cpuIsolation} (${name}, ${type.cores} ${type.cpuType} vCPUs; reserved: ${reserved || "none"})`;
}

const unexplained: Reason = { why: "No reason is recorded.", source: "components/plan/cilium.ts" };

function ciliumDecisions({ cilium: { values } }: ClusterPlan, args: ClusterArgs): Decision[] {
  const own = new Set(leafPaths({ ...args.cilium?.values }));
  const topic = "Data path (Helm values of Cilium)";
  return leaves(values).map(({ path, value }) => {
    const planned = Object.hasOwn(valueReasons, path) ? valueReasons[path] : undefined;
    const given = {
      why: planned === undefined ? "Set by cilium.values." : "Set by cilium.values in place of the plan's own value.",
      source: `argument cilium.values.${path}`,
    };
    return { id: `cilium.${path}`, topic, value, ...(own.has(path) ? given : (planned ?? unexplained)) };
  });
}

function kernelDecisions(plan: ClusterPlan, args: ClusterArgs): Decision[] {
  const topic = "Kernel settings";
  const left = Object.entries(args.tuning?.sysctls ?? {}).filter(([, value]) => value === null);
  return [
    { id: "bbr", topic, value: plan.bbr, ...bbrReasons[plan.bbr] },
    {
      id: "transparent-huge-pages",
      topic,
      value: plan.transparentHugePages,
      ...hugePageReasons[plan.transparentHugePages],
    },
    ...plan.sysctls.map(({ key, value, why, source }) => ({ id: `sysctl.${key}`, topic, value, why, source })),
    ...left.map(([key]) => ({
      id: `sysctl.${key}`,
      topic,
      value: "the system's own",
      why: "Left to the system.",
      source: `argument tuning.sysctls["${key}"]`,
    })),
  ];
}

/** Refusals that `accept` turned into warnings: the finding, why there is such a rule, and where it was accepted. */
function warningDecisions({ warnings }: ClusterPlan): Decision[] {
  return warnings.map(({ rule, path, message }) => ({
    id: `accepted.${rule}.${path}`,
    topic: "Accepted warnings",
    value: `${path}: ${message}`,
    why: ruleTable.find(({ id }) => id === rule)?.why ?? "",
    source: `argument accept: ["${rule}"]`,
  }));
}

function poolsOf(plan: ClusterPlan, args: ClusterArgs): { pool: ResolvedPool; nodes: NodePlan[] }[] {
  return resolvePools(args).map((pool) => ({ pool, nodes: plan.nodes.filter((node) => node.pool === pool.name) }));
}

/** Whether an argument was given, as the source of its value. */
function origin(path: string, args: ClusterArgs): string {
  return `${at(args as unknown as JsonObject, path) === undefined ? "default of" : "argument"} ${path}`;
}
