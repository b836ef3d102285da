import { defaultCacheDir } from "./cache";
import { ensure } from "./ensure";
import { manifest } from "./manifest";

/** `npm run toolchain -- list | ensure [name…]`: shows the manifest, or fills the cache. */
async function main([command, ...names]: string[]): Promise<void> {
  if (command === "list") {
    for (const { name, version, purpose, sizeMiB } of manifest.values()) {
      console.log(`${name.padEnd(26)} ${version.padEnd(10)} ${purpose.padEnd(7)} ${sizeMiB} MiB`);
    }
    return;
  }
  if (command !== "ensure") throw new Error("Say `list`, or `ensure` with tool names (none: all).");
  const files = await ensure(names.length > 0 ? names : [...manifest.keys()], {
    onProgress: ({ step, detail, elapsedMs }) => console.log(`[${(elapsedMs / 1000).toFixed(0)} s] ${step}: ${detail}`),
  });
  for (const file of Object.values(files)) {
    console.log(`${file.name.padEnd(26)} ${file.origin.padEnd(8)} ${file.cached ? "cached" : "new   "} ${file.sha256}`);
    for (const note of file.notes) console.log(`  ${note}`);
  }
  console.log(`in ${defaultCacheDir()}`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
