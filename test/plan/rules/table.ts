import assert from "node:assert/strict";
import { checkCluster, type ClusterArgs, renderProblem } from "../../../components/plan";
import { type HetznerCluster, smallCluster } from "../clusters";

/** One mistake: how it is made in good arguments, and the lines that must come of it, exactly these; a pattern where a figure is no promise. */
export interface Mistake {
  rule: string;
  what: string;
  /** Changes valid arguments, or gives others; `name` replaces the cluster's. */
  name?: string;
  make?: (args: HetznerCluster) => unknown;
  lines: (string | RegExp)[];
}

/** Defines a test for every mistake, and one that the same arguments without it have no problem. */
export function testMistakes(mistakes: Mistake[]): void {
  it("finds nothing in good arguments", () => {
    assert.deepEqual(checkCluster("prod", smallCluster()).problems, []);
  });
  for (const mistake of mistakes) {
    it(`${mistake.rule}: ${mistake.what}`, () => {
      const { problems, plan } = checkMistake(mistake);
      const lines = problems.map(renderProblem);
      assert.deepEqual(
        lines,
        mistake.lines.map((line, index) => (line instanceof RegExp ? matching(lines[index], line) : line)),
      );
      assert.ok(
        problems.some((problem) => problem.rule === mistake.rule),
        `none of ${problems.map((problem) => problem.rule).join(", ")} is ${mistake.rule}`,
      );
      assert.equal(plan, undefined);
    });
  }
}

/** What the planner says to a mistake. */
export function checkMistake(mistake: Mistake): ReturnType<typeof checkCluster> {
  const args = smallCluster();
  const made = mistake.make?.(args);
  const given = typeof made === "object" && made !== null && "replaced" in made ? made.replaced : args;
  return checkCluster(mistake.name ?? "prod", given as ClusterArgs);
}

/** Arguments as a configuration file may hold them: of any type. */
export function replaced(args: unknown): { replaced: unknown } {
  return { replaced: args };
}

/** Sets a field of arguments to a value that the types do not allow. */
export function setRaw(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

/** The line if it fits the pattern, else the pattern's text, which no line equals. */
function matching(line: string | undefined, pattern: RegExp): string {
  return line !== undefined && pattern.test(line) ? line : String(pattern);
}
