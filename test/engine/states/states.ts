import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { StateResource } from "../../e2e/support/cluster";

/** Opens the secrets of the checked-in states, which are those of no cluster. */
export const statePassphrase = "of the tests alone";

/** A stack as `pulumi stack export` gives it. */
export interface ExportedState {
  version: number;
  deployment: { resources: StateResource[] };
}

/** States that versions of the library wrote, by version. */
export function writtenStates(): Map<string, ExportedState> {
  const files = readdirSync(__dirname).filter((file) => file.endsWith(".json"));
  return new Map(
    files
      .sort()
      .map((file) => [
        path.basename(file, ".json"),
        JSON.parse(readFileSync(path.join(__dirname, file), "utf8")) as ExportedState,
      ]),
  );
}

/** Text of a state for the repository: one line a resource, without times and without places of programs, which no preview looks at. */
export function stateText({ version, deployment }: ExportedState): string {
  const passing = ["created", "modified", "sourcePosition", "stackTrace"];
  const resources = deployment.resources.map((resource) =>
    JSON.stringify(Object.fromEntries(Object.entries(resource).filter(([key]) => !passing.includes(key)))),
  );
  const rest = JSON.stringify({ ...deployment, resources: [] });
  return `{"version":${version},"deployment":${rest.replace('"resources":[]', () => `"resources":[\n${resources.join(",\n")}\n]`)}}\n`;
}
