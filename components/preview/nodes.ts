import { compareFiles } from "./files";
import { byName, changedProperties, finding, gravest, sorted } from "./judge";
import { judgeMachine, type NodeSteps } from "./machines";
import type { Step } from "./previewTypes";
import type { Finding, NodeReport } from "./types";

const remote = "command:remote:Command";
const stepName = /^(hostkey|tune|init|admit|join|preflight)-(.+)$/;

const server = "hcloud:index/server:Server";
const route = "hcloud:index/networkRoute:NetworkRoute";

/** Finds the nodes of a cluster by what is made for each: resources that stay may be left out of a preview. */
export function nodesOf(component: Step, steps: Step[]): NodeSteps[] {
  const byNode = new Map<string, Map<string, Step>>();
  for (const step of steps) {
    const [, kind = "", name = ""] = step.type === remote ? (stepName.exec(step.name) ?? []) : machineName(step);
    if (name !== "") byNode.set(name, (byNode.get(name) ?? new Map<string, Step>()).set(kind, step));
  }
  const clusterIs = component.operation === "create" ? "made" : component.operation === "delete" ? "removed" : "kept";
  return [...byNode].map(([name, own]): NodeSteps => ({
    name,
    role: roleOf(name, own),
    clusterIs,
    machine: own.get("server") ?? own.get("preflight"),
    steps: own,
    route: own.get("route"),
  }));
}

function machineName({ type, name }: Step): string[] {
  if (type === server) return ["", "server", name];
  return type === route ? ["", "route", name] : [];
}

function roleOf(name: string, own: ReadonlyMap<string, Step>): NodeSteps["role"] {
  if (own.has("init")) return "control-plane";
  if (own.has("join") || own.has("admit")) return "worker";
  // The planner names control planes so, and refuses the name to pools.
  return /-control-plane-\d+$/.test(name) ? "control-plane" : "worker";
}

/** What happens to each node; those to which nothing happens have no findings. Control planes first. */
export function judgeNodes(nodes: NodeSteps[]): NodeReport[] {
  const reports = nodes.map((node): NodeReport => {
    const machine = judgeMachine(node);
    // What a machine that comes or goes does by itself is said with it.
    const stays = ["same", "update", undefined].includes(node.machine?.operation);
    const findings = stays ? [...machine, ...judgeFiles(node), ...judgeBootstrap(node), ...judgeRoute(node)] : machine;
    return { name: node.name, role: node.role, grade: gravest(findings), findings: sorted(findings) };
  });
  const rank = ({ role }: NodeReport): number => (role === "control-plane" ? 0 : 1);
  return reports.sort((a, b) => rank(a) - rank(b) || byName(a.name, b.name));
}

/** What changes on the running system. */
function judgeFiles({ name, steps }: NodeSteps): Finding[] {
  const tune = steps.get("tune");
  if (tune?.operation !== "update" && tune?.operation !== "replace") return [];
  const compared = compareFiles(tune.old?.create, tune.new?.create);
  if (compared === undefined || compared.changes.length === 0) {
    const why = changedProperties(tune).includes("connection") ? "is logged into in another way, and its" : "its";
    return [finding("node-again", "low", name, `${why} files and settings are put into effect again`)];
  }
  const { changes, restarts, untilBoot, versions } = compared;
  const restart = restarts.length > 0 ? `; ${restarts.join(" and ")} restarts, its pods keep running` : "";
  return [
    finding("node-settings", versions.length > 0 ? "high" : "medium", name, `${changes.join("; ")}${restart}`),
    ...(untilBoot.length > 0
      ? [
          finding(
            "needs-reboot",
            "medium",
            name,
            `${untilBoot.join(", ")}: what was set stays in effect until the next boot`,
            ["needs-reboot"],
          ),
        ]
      : []),
  ];
}

/** What kubeadm was given. It ran once, so a change of it says what a new machine would get. */
function judgeBootstrap({ name, steps }: NodeSteps): Finding[] {
  return ["init", "join"].flatMap((kind) => {
    const step = steps.get(kind);
    if (step?.operation !== "update") return [];
    const [before, after] = [documentsOf(step.old?.create), documentsOf(step.new?.create)];
    const found: Finding[] = [];
    if (before.kubeadm !== after.kubeadm) {
      const text =
        "what kubeadm was given changes: it has run here and does not run again, so nothing of it comes into effect until the machine is replaced";
      found.push(finding("kubeadm-document", "medium", name, text, ["not-until-replacement"]));
    }
    if (before.node !== after.node)
      found.push(finding("node-object", "low", name, "its Node object is patched (labels, taints)"));
    return found;
  });
}

/** The documents within a script; empty where there are none. */
function documentsOf(script: unknown): { kubeadm: string; node: string } {
  const read = (end: string): string =>
    typeof script === "string" ? (new RegExp(`<<'${end}'\\n([\\s\\S]*?)^${end}$`, "m").exec(script)?.[1] ?? "") : "";
  return { kubeadm: read("END_OF_DOCUMENT"), node: read("END_OF_NODE") };
}

function judgeRoute({ name, route }: NodeSteps): Finding[] {
  if (!route || route.operation === "same") return [];
  if (route.operation === "create") {
    return [finding("route-made", "medium", name, "the network route to its pods is made (again)")];
  }
  const text = "the network route to its pods changes or goes: they cannot be reached meanwhile";
  return [finding("route-changed", "high", name, text)];
}
