/* `npm run docs`: writes the pages of the reference that are made from the code. */
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { root } from "./declarations";
import { referencePages } from "./reference";

async function main(): Promise<void> {
  for (const { file, content } of await referencePages()) {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
    console.log(path.relative(root, file));
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
