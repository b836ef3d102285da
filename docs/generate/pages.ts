import { readFileSync } from "node:fs";
import path from "node:path";
import { readClusterFile } from "../../cli/plan";
import { renderValue } from "../../cli/planText";
import {
  explain,
  planCluster,
  profileBbr,
  profileHugePages,
  ruleTable,
  type SysctlRow,
  sysctlTable,
  type TuningProfile,
  tuningProfiles,
} from "../../components/plan";
import { type Declaration, type Member, readDeclarations, root } from "./declarations";

/** Files whose types a program that uses the library meets. */
const sources = [
  "components/cluster.ts",
  "components/context.ts",
  "components/doctor/resource.ts",
  "components/plan/tuningTypes.ts",
  "components/plan/types.ts",
  "components/plan/planTypes.ts",
  "components/plan/hetznerTypes.ts",
  "components/plan/hostsTypes.ts",
  "components/underlay/hetzner.ts",
];

/** First line of every page that is made. */
export const made = "<!-- Made by `npm run docs` from the code. Change it there. -->";

/** Reference of the component's arguments and outputs, from the docstrings. */
export function argumentsPage(): string {
  const declarations = readDeclarations(sources);
  const wanted = reachable(declarations, ["TunedClusterArgs"]);
  const outputs = reachable(declarations, ["TunedCluster"]).filter((name) => !wanted.includes(name));
  return [
    made,
    "# Arguments and outputs",
    lines(
      "All arguments are plain values, unless their type names `pulumi.Input`. Whatever is wrong with them comes back at once, each",
      "problem with its path, before anything is created. See also [rules](rules.md) and [tuning](tuning.md).",
    ),
    "## Arguments",
    ...wanted.map((name) => section(declarations, name, "required")),
    "## Outputs",
    ...outputs.map((name) => section(declarations, name, "")),
  ].join("\n\n");
}

/** Reference of the kernel settings, from the tuning table. */
export function tuningPage(): string {
  const names = tuningProfiles.map((profile) => `\`${profile}\``);
  const overview = sysctlTable.map((row) => {
    const values = tuningProfiles.map((profile) =>
      row.bbr?.includes(profileBbr[profile]) === false ? null : row.profiles[profile].value,
    );
    return `| \`${row.key}\` | ${values.map((value) => (value === null ? "" : `\`${shortened(value)}\``)).join(" | ")} |`;
  });
  return [
    made,
    "# Kernel settings",
    lines(
      "Every node gets these, by cloud-init at its first boot and by a step of each update that changes one. The doctor compares",
      "them with the live nodes. `tuning.profile` chooses a column, `tuning.sysctls` overrides a key, `tuning.bbr` decides about BBR",
      "as a whole. A changed value is an update of the running nodes, never a replacement. What each profile is for:",
      "[decision](../decisions/tuning-profiles.md).",
    ),
    "Most values do not reach pods. `tuning.podSysctls` names keys that pods may set themselves; a pod then takes the plan's values:",
    [
      "```ts",
      'const args = { ...cluster, tuning: { podSysctls: ["net.core.somaxconn"] } };',
      'const spec = { securityContext: podSecurityContext(planCluster("prod", args)), containers };',
      "```",
    ].join("\n"),
    lines(
      "Keys that Kubernetes counts as unsafe join the kubelet's `allowedUnsafeSysctls` by that, beside those that `kubernetes.kubelet`",
      "names; namespaces that enforce Pod Security `baseline` or `restricted` refuse them all the same. Pods with `hostNetwork` have",
      "the node's values and may not set their own.",
    ),
    "## Profiles",
    "An empty cell leaves the key to the system. `tuning.bbr` and its keys are shown as the profile has them.",
    [
      `| key | ${names.join(" | ")} |`,
      `| --- | ${names.map(() => "---").join(" | ")} |`,
      ...overview,
      `| \`tuning.bbr\` | ${tuningProfiles.map((profile) => `\`${profileBbr[profile]}\``).join(" | ")} |`,
      `| \`tuning.transparentHugePages\` | ${tuningProfiles.map((profile) => `\`${profileHugePages[profile]}\``).join(" | ")} |`,
    ].join("\n"),
    "## Keys",
    ...sysctlTable.map(sysctlSection),
  ].join("\n\n");
}

function sysctlSection(row: SysctlRow): string {
  const bounds = "sentence" in row.range ? row.range.sentence : `${row.range.least} to ${row.range.most}`;
  return [
    `### \`${row.key}\``,
    [
      ...profileLines(row),
      `- Source: ${row.source}`,
      `- Belongs to: ${row.namespaced ? "each network namespace" : "the whole kernel"}`,
      `- New pods start with the node's value: ${row.podsInherit ? "yes" : "no"}`,
      ...(row.namespaced ? [`- \`tuning.podSysctls\`: ${safety(row)}`] : []),
      `- \`tuning.sysctls\`: ${bounds}${row.required === undefined && !row.bbr ? "; `null` leaves it to the system" : ""}`,
      ...(row.bbr ? [`- Set with \`tuning.bbr\`: ${row.bbr.map((scope) => `\`${scope}\``).join(", ")}`] : []),
    ].join("\n"),
  ].join("\n\n");
}

/** One line for the profiles that do the same for the same reason. */
function profileLines(row: SysctlRow): string[] {
  const groups = new Map<string, TuningProfile[]>();
  for (const profile of tuningProfiles) {
    const { value, why } = row.profiles[profile];
    const text = `${value === null ? "left to the system" : `\`${value}\``}. ${why}`;
    groups.set(text, [...(groups.get(text) ?? []), profile]);
  }
  return [...groups].map(([text, profiles]) => {
    const all = row.bbr === undefined ? "All profiles" : "With BBR";
    const who = profiles.length === tuningProfiles.length ? all : profiles.map((name) => `\`${name}\``).join(", ");
    return `- ${who}: ${text}`;
  });
}

function safety({ safeForPods }: SysctlRow): string {
  if (safeForPods === undefined) return "yes; unsafe for Kubernetes, so the kubelet is told to allow it";
  return safeForPods === "always" ? "yes; safe" : `yes; safe from Kubernetes ${safeForPods} on, unsafe before`;
}

function shortened(value: string): string {
  return value.length > 40 ? `${value.slice(0, value.indexOf(",", 20))},…` : value;
}

/** Reference of the plan's rules, from their table. */
export function rulesPage(): string {
  const rows = ruleTable.map(
    ({ id, acceptable, why }) => `| \`${id}\` | ${cell(why)} | ${acceptable ? "yes" : "no"} |`,
  );
  return [
    made,
    "# Rules",
    lines(
      "What the plan refuses. Where a rule can be accepted, its id in `accept` turns the refusal into a warning that is repeated at",
      "every run.",
    ),
    ["| rule | why it is there | can be accepted |", "| --- | --- | --- |", ...rows].join("\n"),
  ].join("\n\n");
}

/** Stack whose decisions the reference shows. */
const exampleStack = "stacks/cluster/Pulumi.hetzner.example.yaml";

/** What the plan decides for the example stack, and why. */
export function decisionsPage(): string {
  const { name, args } = readClusterFile(readFileSync(path.join(root, exampleStack), "utf8"), exampleStack);
  const decisions = explain(planCluster(name, args), args);
  const topics = [...new Set(decisions.map(({ topic }) => topic))];
  const sections = topics.flatMap((topic) => [
    `## ${topic}`,
    decisions
      .filter((decision) => decision.topic === topic)
      .map(({ id, value, why, source }) => `- \`${id}\` = \`${renderValue(value)}\`: ${why} Source: ${linked(source)}`)
      .join("\n"),
  ]);
  return [
    made,
    "# What a plan decides, and why",
    lines(
      `Every decision of the plan of [the example stack](../../${exampleStack}). For a cluster of your own:`,
      "`npm run zerosteal -- plan --explain FILE`, or `explain(plan, args)` in a program.",
    ),
    ...sections,
  ].join("\n\n");
}

/** A source with links to the pages of docs/decisions that it names. */
function linked(source: string): string {
  return source.replace(/docs\/(decisions\/[\w-]+\.md)/g, "[docs/$1](../$1)");
}

/** Names of a type and of all that it mentions, in the order in which a reader meets them. */
export function reachable(declarations: Map<string, Declaration>, names: string[]): string[] {
  const order: string[] = [];
  const queue = [...names];
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    const declaration = declarations.get(name);
    if (!declaration || order.includes(name)) continue;
    order.push(name);
    queue.push(...declaration.extends, ...declaration.mentions);
  }
  return order;
}

/**
 * A type with its members.
 * @param always what is said of a member that is not optional
 */
export function section(declarations: Map<string, Declaration>, name: string, always: string): string {
  const declaration = declarations.get(name);
  if (!declaration) throw new Error(`no type is called ${name}`);
  const { doc, members, alias } = declaration;
  const parents = declaration.extends.filter((parent) => declarations.has(parent));
  return [
    `### ${name}`,
    doc,
    ...(parents.length > 0
      ? [`Has those of ${parents.map((parent) => `[${parent}](#${parent.toLowerCase()})`).join(", ")} too.`]
      : []),
    ...(alias === undefined ? [] : [`\`${alias}\``]),
    members.map((member) => item(member, always)).join("\n"),
  ]
    .filter(Boolean)
    .join("\n\n");
}

function item({ path, type, optional, doc }: Member, always: string): string {
  const [first = "", ...rest] = doc.split("\n\n");
  const head = `- **\`${path}\`** \`${type}\`${optional || !always ? "" : `, ${always}`}${first ? `: ${first}` : ""}`;
  return [head, ...rest.map((paragraph) => `  ${paragraph}`)].join("\n\n");
}

/** Lines of one paragraph. */
export function lines(...texts: string[]): string {
  return texts.join("\n");
}

/** Text in a cell of a table. */
export function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
