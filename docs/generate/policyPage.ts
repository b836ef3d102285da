import { policyRuleTable } from "../../components/policy/plan";
import { readDeclarations } from "./declarations";
import { cell, lines, made, reachable, section } from "./pages";

/** Files whose types a program that locks traffic down meets. */
const sources = [
  "components/policy/baseline.ts",
  "components/policy/objects.ts",
  "components/policy/plan/types.ts",
  "components/policy/serviceGraph.ts",
];

/** Reference of the policies' arguments, outputs and rules. */
export function policiesPage(): string {
  const declarations = readDeclarations(sources);
  const wanted = reachable(declarations, ["NamespaceBaselineArgs", "ServiceGraphArgs"]);
  const outputs = reachable(declarations, ["NamespaceBaseline", "ServiceGraph"]).filter(
    (name) => !wanted.includes(name),
  );
  const rows = policyRuleTable.map(({ id, severity, why }) => `| \`${id}\` | ${cell(why)} | ${severity} |`);
  return [
    made,
    "# Policies",
    lines(
      "`NamespaceBaseline` and `ServiceGraph`. How to use them: [guide](../guide/policies.md). All arguments are plain values; whatever is",
      "wrong with them comes back at once, before a policy is registered. `planNamespaceBaseline` and `planServiceGraph` give the same",
      "without an engine, `checkNamespaceBaseline` and `checkServiceGraph` without throwing.",
    ),
    "## Arguments",
    ...wanted.map((name) => section(declarations, name, "required")),
    "## Outputs",
    ...outputs.map((name) => section(declarations, name, "")),
    "## Rules",
    "A refusal stops the preview. A warning is told at every run; its id in `accept` silences it.",
    ["| rule | why it is there | what comes of it |", "| --- | --- | --- |", ...rows].join("\n"),
  ].join("\n\n");
}
