/*
 * Breaks each rule of plans and policies, and runs the rules' own tests: one must fail each time. First every rule is made to find nothing,
 * one after the other; then conditions, connectives and limits of the rules' sources are changed, one at a time.
 * usage: npm run mutation -- [silent | one | all]   `silent`: the former only; `one`: and one change a rule; default `all`
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";
import { type Mutant, mutantsIn } from "./mutants";
import { type Outcome, runTests, takeOverLoading } from "./workshop";

const root = path.join(__dirname, "../..");
const load = createRequire(__filename);

/** Rules, and the tests that must know when one is broken. */
const suites = [
  {
    name: "plan",
    index: "components/plan/rules/index.ts",
    tests: ["test/plan/rules/rules.test.ts", "test/plan/rules/allowed.test.ts"],
  },
  { name: "policy", index: "components/policy/plan/rules/index.ts", tests: ["test/policy/rules.test.ts"] },
];

/** A rule as it is loaded: it can be changed. */
interface LoadedRule {
  id: string;
  check: (...subject: unknown[]) => unknown[];
}

/** Rules of a suite in the modules as they are loaded now. */
function loadedRules(index: string): LoadedRule[] {
  const loaded = load(path.join(root, index)) as Record<string, unknown>;
  return Object.values(loaded).flatMap((value) => (Array.isArray(value) ? value.filter(isRule) : []));
}

function isRule(value: unknown): value is LoadedRule {
  return typeof value === "object" && value !== null && "check" in value && typeof value.check === "function";
}

async function main([scope = "all"]: string[]): Promise<void> {
  if (!["silent", "one", "all"].includes(scope)) throw new Error(`no scope is called ${scope}: silent, one or all`);
  takeOverLoading();
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { cwd: root, encoding: "utf8" }).trim();
  console.log(`commit ${commit}`);
  const survivors: string[] = [];
  for (const suite of suites) {
    const whole = await runTests(suite.tests);
    if (whole !== "passed") throw new Error(`the tests fail before anything is broken: ${whole.failed}`);
    if (suite.name === "plan") survivors.push(...(await silenceStructure(suite)));
    survivors.push(...(await silence(suite)), ...(scope === "silent" ? [] : await change(suite, scope === "one")));
  }
  console.log(survivors.length === 0 ? "no survivor" : `survivors:\n${survivors.join("\n")}`);
  process.exitCode = survivors.length === 0 ? 0 : 1;
}

/** What is judged outside the lists of rules: by the types of arguments, and by the finished plan. */
const structural = [
  ...["type", "missing", "unknown"].map((kind) => ({
    id: `argument-${kind}`,
    from: `...of("argument-${kind}", found.${kind}),`,
  })),
  { id: "user-data-size", from: "tooLarge.length > 0 ? { problems: tooLarge } :" },
];

/** Takes the judgements out of the source that are in no list of rules. */
async function silenceStructure({ tests }: (typeof suites)[number]): Promise<string[]> {
  const file = path.join(root, "components/plan/cluster.ts");
  const text = readFileSync(file, "utf8");
  const survivors: string[] = [];
  for (const { id, from } of structural) {
    if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
    const outcome = await runTests(tests, { file, source: text.replace(from, "") });
    if (outcome === "passed") survivors.push(`plan: ${id} finds nothing`);
    tell(`plan: ${id} finds nothing`, outcome);
  }
  console.log(`plan: ${structural.length} judgements outside the rules made silent, ${survivors.length} survived`);
  return survivors;
}

/** Makes each rule find nothing. */
async function silence({ name, index, tests }: (typeof suites)[number]): Promise<string[]> {
  const ids = loadedRules(index).map(({ id }) => id);
  const survivors: string[] = [];
  for (const id of ids) {
    const outcome = await runTests(tests, undefined, () => {
      for (const rule of loadedRules(index)) if (rule.id === id) rule.check = () => [];
    });
    if (outcome === "passed") survivors.push(`${name}: ${id} finds nothing`);
    tell(`${name}: ${id} finds nothing`, outcome);
  }
  console.log(`${name}: ${ids.length} rules made silent, ${survivors.length} survived`);
  return survivors;
}

/** Changes the rules' sources, one place at a time. */
async function change({ name, index, tests }: (typeof suites)[number], one: boolean): Promise<string[]> {
  const mutants = mutantsIn(path.dirname(path.join(root, index)));
  const chosen = one ? mutants.filter((mutant, at) => mutants.findIndex(({ of }) => of === mutant.of) === at) : mutants;
  const survivors: string[] = [];
  for (const mutant of chosen) {
    const outcome = await runTests(tests, mutant);
    const line = describe(mutant);
    if (outcome === "passed") survivors.push(`${name}: ${line}`);
    tell(`${name}: ${line}`, outcome);
  }
  console.log(`${name}: ${chosen.length} changes of ${mutants.length}, ${survivors.length} survived`);
  return survivors;
}

function describe({ file, line, of, what }: Mutant): string {
  return `${path.relative(root, file)}:${line} ${of}: ${what}`;
}

function tell(what: string, outcome: Outcome): void {
  console.log(outcome === "passed" ? `SURVIVED ${what}` : `killed ${what} (${outcome.failed})`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
});
