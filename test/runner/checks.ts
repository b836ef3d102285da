import path from "node:path";
import { root } from "./mochaTier";
import { endGroup, startGroup } from "./process";
import type { Screen, TierResult } from "./result";

/** A program that judges the sources: good when it ends with 0. */
export interface SourceCheck {
  name: string;
  /** Script under node_modules, then its arguments. */
  command: [script: string, ...args: string[]];
}

/** Types, lint and format of the whole repository. */
export const sourceChecks: SourceCheck[] = [
  { name: "types", command: ["typescript/bin/tsc", "--noEmit"] },
  { name: "lint", command: ["eslint/bin/eslint.js", ".", "--max-warnings", "0"] },
  { name: "format", command: ["prettier/bin/prettier.cjs", "--check", "--log-level", "warn", "."] },
];

/** Runs checks of the sources side by side; each counts as one test. */
export async function runChecks(
  tier: string,
  checks: SourceCheck[],
  limitMinutes: number,
  screen: Screen,
): Promise<TierResult> {
  const started = Date.now();
  const good = await Promise.all(
    checks.map(async ({ name, command: [script, ...args] }) => {
      const group = startGroup([path.join(root, "node_modules", script), ...args], { cwd: root });
      const limit = setTimeout(() => endGroup(group, 5_000), limitMinutes * 60_000);
      const { code } = await group.ended;
      clearTimeout(limit);
      if (code === 0) screen.tell(tier, `ok      ${name}`);
      else screen.fail(tier, name, group.lastLines().join("\n"));
      return code === 0;
    }),
  );
  const passed = good.filter(Boolean).length;
  return { tier, passed, failed: good.length - passed, skips: [], seconds: (Date.now() - started) / 1000 };
}
