/*
 * Writes the state of the importer's cluster as this version makes it, for the test that later versions replace nothing of it. To be run
 * once, when a version is released; before that again whenever what it makes has changed on purpose.
 * usage: npm run state
 */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Importer } from "../world/importer";
import { World } from "../world/world";
import { type ExportedState, statePassphrase, stateText } from "./states";

async function main(): Promise<void> {
  const manifest = readFileSync(path.join(__dirname, "../../../package.json"), "utf8");
  const { version } = JSON.parse(manifest) as { version: string };
  const file = path.join(__dirname, `${version}.json`);
  const world = await World.create(statePassphrase);
  try {
    const importer = await Importer.create(world);
    await importer.compile("commonjs");
    await importer.succeed(["up", "--yes", "--skip-preview"]);
    const state = JSON.parse(await importer.succeed(["stack", "export"])) as ExportedState;
    writeFileSync(file, stateText(state));
    console.log(path.relative(process.cwd(), file));
  } finally {
    await world.remove();
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
