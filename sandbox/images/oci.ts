import { hostArch } from "../../toolchain/manifest";
import type { BlobStore } from "./blobs";
import type { Compression, Layer, LayerRecipe } from "./layers";
import { ensureLayer } from "./layers";

/** Recipe of a container image. */
export interface ImageRecipe {
  /** Full name with registry and tag, e.g. `registry.k8s.io/pause:3.10.2`. */
  reference: string;
  /** Bottom layer first. Equal layers are stored once. */
  layers: LayerRecipe[];
  entrypoint?: string[];
  cmd?: string[];
  /** Beside PATH. */
  env?: Record<string, string>;
  workingDir?: string;
}

/** An image in the store. */
export interface OciImage {
  reference: string;
  /** Host part, e.g. `quay.io`. */
  registry: string;
  /** Path part, e.g. `cilium/cilium`. */
  repository: string;
  tag: string;
  /** Digest of the manifest: what a reference by digest names. */
  digest: string;
  /** Digests of config and layers. */
  blobs: string[];
  /** Sum of all layers as stored, bytes. */
  size: number;
}

/** Media type of every manifest in the store. */
export const manifestType = "application/vnd.oci.image.manifest.v1+json";

/**
 * Splits a full image name.
 * @param reference with registry and tag
 */
export function parseReference(reference: string): { registry: string; repository: string; tag: string } {
  const match = /^([^/]+)\/(.+):([^:/]+)$/.exec(reference);
  if (!match) throw new Error(`${reference} is not an image name with registry and tag`);
  const [, registry = "", repository = "", tag = ""] = match;
  return { registry, repository, tag };
}

/**
 * Makes sure that an image lies in the store.
 * @param store where blobs are kept
 * @param recipe layers and configuration
 * @param compression of its layers
 * @returns the image and the keys of its layers' records
 */
export async function ensureImage(
  store: BlobStore,
  recipe: ImageRecipe,
  compression: Compression,
): Promise<{ image: OciImage; layerKeys: string[] }> {
  const layers: Layer[] = [];
  for (const layer of recipe.layers) layers.push(await ensureLayer(store, layer, compression));
  const config = await store.add(configText(recipe, layers));
  const manifest = {
    schemaVersion: 2,
    mediaType: manifestType,
    config: { mediaType: "application/vnd.oci.image.config.v1+json", ...config },
    layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
  };
  const { digest } = await store.add(JSON.stringify(manifest));
  return {
    image: {
      reference: recipe.reference,
      ...parseReference(recipe.reference),
      digest,
      blobs: [config.digest, ...layers.map((layer) => layer.digest)],
      size: layers.reduce((sum, layer) => sum + layer.size, 0),
    },
    layerKeys: layers.map((layer) => layer.key),
  };
}

function configText(recipe: ImageRecipe, layers: Layer[]): string {
  const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  const env = Object.entries(recipe.env ?? {}).map(([key, value]) => `${key}=${value}`);
  return JSON.stringify({
    created: "1970-01-01T00:00:00Z",
    architecture: hostArch(),
    os: "linux",
    config: {
      Env: [path, ...env],
      ...(recipe.entrypoint && { Entrypoint: recipe.entrypoint }),
      ...(recipe.cmd && { Cmd: recipe.cmd }),
      ...(recipe.workingDir && { WorkingDir: recipe.workingDir }),
    },
    rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.diffId) },
    history: layers.map(() => ({ created: "1970-01-01T00:00:00Z", created_by: "zerosteal" })),
  });
}
