import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { BlobStore } from "../../../sandbox/images/blobs";
import type { ImageSet } from "../../../sandbox/images/images";
import type { ImageRecipe } from "../../../sandbox/images/oci";
import { ensureImage } from "../../../sandbox/images/oci";

/** A file large enough to come in many chunks: several MiB that repeat in no simple way. */
export function manyBytes(mib: number): Buffer {
  const bytes = Buffer.alloc(mib * 2 ** 20);
  for (let i = 0, x = 1; i < bytes.length; i += 4)
    bytes.writeUInt32LE((x = Math.imul(x, 1664525) + 1013904223) >>> 0, i);
  return bytes;
}

/** A recipe of an image with one small file. */
export async function smallImage(dir: string, reference: string, text: string): Promise<ImageRecipe> {
  const file = path.join(dir, `${text}.txt`);
  await mkdir(dir, { recursive: true });
  await writeFile(file, text);
  return { reference, layers: [{ content: { files: [{ from: file, to: "etc/text" }] }, identity: text }] };
}

/** A set of small images in a store of its own. */
export async function smallSet(dir: string, references: string[]): Promise<ImageSet> {
  const store = new BlobStore(path.join(dir, "store"));
  const images = [];
  for (const reference of references) {
    const recipe = await smallImage(path.join(dir, "content"), reference, reference.replaceAll(/\W/g, "-"));
    images.push((await ensureImage(store, recipe, "none")).image);
  }
  return { store, images };
}
