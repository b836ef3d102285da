import { compareFiles } from "./files";
import { byName, changedProperties, finding, gravest, sorted } from "./judge";
import { judgeMachine, type NodeSteps } from "./machines";
import type { Step } from "./previewTypes";
import { unexplained } from "./scripts";
import type { Finding, NodeReport } from "./types";

const remote = "command:remote:Command";
const stepName = /^(hostkey|tune|init|admit|join|preflight)-(.+)$/;

const server = "hcloud:index/server:Server";
const route = "hcloud:index/networkRoute:NetworkRoute";

/** Finds the nodes of a cluster by what is made for each: resources that stay may be left out of a preview. */
export function nodesOf(component: Step, steps: Step[]): NodeSteps[] {
  const byNode = new Map<string, Map<string, Step>>();
  for (const step of steps) {
    const [kind, name] = placeOf(step);
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

/** Whether a step makes a node, or a part of one. */
export function isOfNode(step: Step): boolean {
  return placeOf(step)[1] !== "";
}

function placeOf({ type, name }: Step): [kind: string, node: string] {
  if (type === server) return ["server", name];
  if (type === route) return ["route", name];
  const [, kind = "", node = ""] = type === remote ? (stepName.exec(name) ?? []) : [];
  return [kind, node];
}

function roleOf(name: string, own: ReadonlyMap<string, Step>): NodeSteps["role"] {
  if (own.has("init")) return "control-plane";
  if (own.has("join") || own.has("admit")) return "worker";
  // The planner names control planes so, and refuses the name to pools.
  return /-control-plane-\d+$/.test(name) ? "control-plane" : "worker";
}

/** What happens to each node; those to which nothing happens have no findings. Control planes first. */
export function judgeNodes(nodes: NodeSteps[]): NodeReport[] {
  // What a worker gets from the control plane is known anew when that has changed.
  const again = nodes.some(({ steps }) => isTouched(steps.get("init")));
  const reports = nodes.map((node): NodeReport => {
    const machine = judgeMachine(node);
    // What a machine that comes or goes does by itself is said with it.
    const stays = ["same", "update", undefined].includes(node.machine?.operation);
    const findings = [
      ...machine,
      ...judgeScripts(node, again),
      ...(stays ? [...judgeSteps(node), ...judgeFiles(node, again), ...judgeBootstrap(node), ...judgeRoute(node)] : []),
    ];
    return { name: node.name, role: node.role, grade: gravest(findings), findings: sorted(findings) };
  });
  const rank = ({ role }: NodeReport): number => (role === "control-plane" ? 0 : 1);
  return reports.sort((a, b) => rank(a) - rank(b) || byName(a.name, b.name));
}

function isTouched(step: Step | undefined): boolean {
  return step !== undefined && step.operation !== "same";
}

/** What is run as root, where neither the plan's files nor its documents explain the change. */
function judgeScripts({ name, machine, steps }: NodeSteps, again: boolean): Finding[] {
  const anew = machine?.operation === "create" || machine?.operation === "replace";
  const inputOf = (kind: string): "explained" | "identity" | "own" => {
    if (kind === "join") return again || isTouched(steps.get("admit")) ? "explained" : "own";
    return anew && ["init", "admit"].includes(kind) ? "identity" : "own";
  };
  const changed = [...steps].flatMap(([kind, step]) => {
    const inputs = step.type === remote ? unexplained(step, inputOf(kind)) : [];
    return inputs.length === 0 ? [] : [`${kind} (${inputs.map(nameOf).join(", ")})`];
  });
  const files = compareFiles(steps.get("tune")?.old?.create, steps.get("tune")?.new?.create)?.grave ?? [];
  const text = "what is run as root changes in a way that this report cannot explain";
  return [
    ...(changed.length > 0 ? [finding("script-changed", "high", name, `${text}: ${changed.sort().join(", ")}`)] : []),
    ...(files.length > 0 ? [finding("file-unexplained", "high", name, `${text}: ${files.join("; ")}`)] : []),
  ];
}

function nameOf(input: string): string {
  return /^\w{1,40}$/.test(input) ? input : "another input";
}

/** Steps that come, go or are made again while their machine stays. */
function judgeSteps({ name, machine, steps }: NodeSteps): Finding[] {
  const own = [...steps].filter(([, step]) => step.type === remote && step !== machine);
  const of = (operation: Step["operation"]): string[] =>
    own.flatMap(([kind, step]) => (step.operation === operation ? [kind] : [])).sort();
  const [made, gone, again] = [of("create"), of("delete"), of("replace").filter((kind) => kind !== "tune")];
  const leaves = "its pods are moved off, and it leaves the cluster";
  return [
    ...(made.length > 0
      ? [finding("step-made", "high", name, `steps that were not there run as root: ${made.join(", ")}`)]
      : []),
    ...(gone.length > 0
      ? [
          gone.includes("admit")
            ? finding("step-gone", "high", name, leaves, ["drains-pods"])
            : finding("step-gone", "high", name, `steps that made it a node go: ${gone.join(", ")}`),
        ]
      : []),
    ...(again.length > 0
      ? [
          again.includes("admit")
            ? finding("step-again", "high", name, `is admitted anew: ${leaves} in between`, ["drains-pods"])
            : finding("step-again", "medium", name, `steps are run again: ${again.join(", ")}`),
        ]
      : []),
  ];
}

/** What changes on the running system. */
function judgeFiles({ name, steps }: NodeSteps, again: boolean): Finding[] {
  const tune = steps.get("tune");
  if (tune?.operation !== "update" && tune?.operation !== "replace") return judgeAgain(name, steps, again);
  const compared = compareFiles(tune.old?.create, tune.new?.create);
  if (compared === undefined || compared.changes.length + compared.grave.length === 0) {
    const why = changedProperties(tune).includes("connection") ? "is logged into in another way, and its" : "its";
    return [finding("node-again", "low", name, `${why} files and settings are put into effect again`)];
  }
  const { changes, opened, restarts, untilBoot, versions } = compared;
  const restart = restarts.length > 0 ? `; ${restarts.join(" and ")} restarts, its pods keep running` : "";
  const later = `${untilBoot.join(", ")}: what was set stays in effect until the next boot`;
  return [
    ...(changes.length > 0
      ? [finding("node-settings", versions.length > 0 ? "high" : "medium", name, `${changes.join("; ")}${restart}`)]
      : []),
    ...(opened.length > 0 ? [finding("firewall-open", "high", name, opened.join("; "))] : []),
    ...(untilBoot.length > 0 ? [finding("needs-reboot", "medium", name, later, ["needs-reboot"])] : []),
  ];
}

/** Steps whose change does nothing by itself, while the node's files stay. */
function judgeAgain(name: string, steps: NodeSteps["steps"], controlPlaneAnew: boolean): Finding[] {
  const again = [...steps].filter(([kind, step]) => {
    if (step.type !== remote || step.operation !== "update" || (kind === "admit" && controlPlaneAnew)) return false;
    // What a join is told follows from other steps, and it has joined; documents are said by themselves.
    const silent = kind === "preflight" ? [] : ["stdin", "create"];
    return changedProperties(step).some((property) => !silent.includes(property));
  });
  return again.length > 0 ? [finding("node-again", "low", name, "its steps run again, and change nothing")] : [];
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
