/* `npm run record:previews [-- NAME…]`: records previews of the real engine anew. Their reports are rewritten by UPDATE_GOLDEN=1. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { readPreview, reportPreview } from "../../components/preview";
import { World } from "../engine/world/world";
import { recordCluster, recordHosts, recordPolicies } from "./scenarios";
import { trimDigest } from "./trim";

const folder = path.join(__dirname, "recorded");

async function keep(name: string, text: string): Promise<void> {
  const trimmed = name.endsWith("-events") ? undefined : `${JSON.stringify(trimDigest(text), undefined, 1)}\n`;
  // An event log is as long as the preview; the tests make theirs of the recorded documents.
  if (trimmed === undefined) return;
  assert.deepEqual(reportPreview(readPreview(trimmed)), reportPreview(readPreview(text)), `${name} loses what is read`);
  await writeFile(path.join(folder, `${name}.json`), trimmed);
  console.log(`${name}: ${trimmed.length} characters of ${text.length}`);
}

/** Who records what, by the beginning of the name; each has a world of its own. */
const recorders = [
  [/^(?!hosts-|polic)/, recordCluster],
  [/^hosts-/, recordHosts],
  [/^polic/, recordPolicies],
] as const;

async function main(names: string[]): Promise<void> {
  const wanted = (name: string): boolean => names.length === 0 || names.includes(name);
  for (const [own, record] of recorders) {
    if (names.length > 0 && !names.some((name) => own.test(name))) continue;
    const world = await World.create();
    try {
      await record(world, keep, wanted);
    } finally {
      await world.remove();
    }
  }
}

void main(process.argv.slice(2));
