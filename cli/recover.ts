import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { execa } from "execa";
import { sdkVersion } from "../sandbox/plugins/install";
import { type CloudObject, listCloud } from "./cloud";
import { type Engine, projectDir, pulumi } from "./engine";

/** The part of an exported stack that recovery reads and writes. */
interface Export {
  deployment: {
    resources?: { urn: string; type: string; id?: string }[];
    pending_operations?: { resource: { urn: string }; type: string }[];
  };
}

/** A resource to be taken into the state. */
interface Adoption {
  type: string;
  name: string;
  id: string;
}

const component = "zerosteal:index:TunedCluster";

/**
 * Brings the state up to what the cloud has, after a run that was cut off between making an object and writing it down: such objects are
 * found by the cluster's label and imported, operations that never ended are forgotten. Does nothing after a run that ended.
 */
export async function recover(engine: Engine, tell: (news: string) => void): Promise<void> {
  const state = JSON.parse(await pulumi(engine, ["stack", "export"])) as Export;
  const pending = state.deployment.pending_operations ?? [];
  if (pending.length > 0) {
    tell(`forgetting ${pending.length} operations that were cut off`);
    state.deployment.pending_operations = [];
    await pulumi(engine, ["stack", "import"], JSON.stringify(state));
  }
  const lost = lostObjects(await listCloud(engine, engine.instance.name), state.deployment.resources ?? []);
  if (lost.length === 0) return;
  tell(
    `taking ${lost.map((object) => `${object.type.split(":").at(-1) ?? ""} ${object.name}`).join(", ")} into the state`,
  );
  await adopt(engine, state.deployment.resources ?? [], lost);
}

/** Objects of the cluster that the state does not have. Their logical names are the names that the cloud knows. */
export function lostObjects(objects: CloudObject[], resources: { type: string; id?: string }[]): Adoption[] {
  const known = new Set(resources.map((resource) => `${resource.type} ${resource.id ?? ""}`));
  return objects.filter((object) => !known.has(`${object.type} ${object.id}`));
}

async function adopt(engine: Engine, resources: { urn: string; type: string }[], lost: Adoption[]): Promise<void> {
  const dir = await mkdtemp(path.join(os.tmpdir(), "zerosteal-"));
  const file = path.join(dir, "import.json");
  const parent = resources.find((resource) => resource.type === component);
  // With the SDK's version the engine takes the same default provider as the program does.
  const version = await sdkVersion("hcloud");
  const document = {
    nameTable: parent ? { cluster: parent.urn } : {},
    resources: [
      ...(parent ? [] : [{ type: component, name: "cluster", logicalName: engine.instance.name, component: true }]),
      ...lost.map(({ type, name, id }, index) => ({
        type,
        name: `lost${index}`,
        logicalName: name,
        id,
        parent: "cluster",
        version,
      })),
    ],
  };
  try {
    await writeFile(file, JSON.stringify(document));
    const args = [
      "import",
      "--file",
      file,
      "--yes",
      "--skip-preview",
      "--protect=false",
      "--generate-code=false",
      "--non-interactive",
    ];
    const result = await execa(engine.pulumi, [...args, "--stack", engine.stack, "--config-file", engine.configFile], {
      cwd: projectDir,
      env: engine.env,
      reject: false,
      all: true,
      stdin: "ignore",
    });
    if (result.failed)
      throw new Error(`objects of a run that was cut off could not be imported:\n${result.all.trim()}`);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
