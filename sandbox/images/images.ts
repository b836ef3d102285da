import path from "node:path";
import { contentKey, defaultCacheDir, exists, withLock } from "../../toolchain/cache";
import type { ToolFile } from "../../toolchain/ensure";
import { ensure } from "../../toolchain/ensure";
import { defaultCilium } from "../../toolchain/cilium";
import { manifestWith, toolNames, versions } from "../../toolchain/manifest";
import { beginStep } from "../../toolchain/progress";
import type { CiliumSources } from "../../toolchain/sources";
import { ensureCiliumSources } from "../../toolchain/sources";
import { BlobStore } from "./blobs";
import type { DebianTree, ImageOptions } from "./bootstrap";
import { compilerFiles, ensureToolsTree, leftOut } from "./debianTools";
import type { Compression, LayerRecipe } from "./layers";
import type { ImageRecipe, OciImage } from "./oci";
import { agentForKernel } from "./noModules";
import { ensureImage } from "./oci";

/** All container images of the sandbox's clusters. */
export interface ImageSet {
  /** Holds every manifest, config and layer. */
  store: BlobStore;
  images: OciImage[];
}

/** Layers are stored as they are: over loopback, unpacking a compressed one costs more than reading a plain one. */
const layerCompression: Compression = "none";

/**
 * Makes sure that all container images lie in the cache: the control plane's, Cilium's, the doctor's probe and the workload's.
 * @param options cache folder and progress
 */
export async function ensureImages(options: ImageOptions = {}): Promise<ImageSet> {
  const cacheDir = options.cacheDir ?? defaultCacheDir();
  const manifest = manifestWith(options.cilium ?? defaultCilium);
  const tools = await ensure(toolNames("image"), { ...options, cacheDir, tools: manifest });
  const loopback = (await ensure(["loopback"], { ...options, cacheDir })).loopback as ToolFile;
  const debian = await ensureToolsTree(options);
  const sources = await ensureCiliumSources(options);
  const store = new BlobStore(path.join(cacheDir, "images"));
  const agent = await agentForKernel(tools["cilium-agent"] as ToolFile, cacheDir);
  const recipes = imageRecipes({ ...tools, "cilium-agent": agent, loopback }, debian, sources);
  const setKey = contentKey([recipes, layerCompression]);
  const images = (await recallSet(store, setKey)) ?? (await packAll(store, recipes, setKey, options));
  return { store, images };
}

/** What is remembered of a whole set of images, so that a warm run needs no lock. */
interface SetRecord {
  images: OciImage[];
  layerKeys: string[];
}

async function recallSet(store: BlobStore, setKey: string): Promise<OciImage[] | undefined> {
  const known = await store.recall<SetRecord>(setKey);
  if (!known) return undefined;
  const digests = known.images.flatMap((image) => [image.digest, ...image.blobs]);
  const there = await Promise.all(digests.map((digest) => exists(store.file(digest))));
  if (there.includes(false)) return undefined;
  await store.keepUsed(digests, [setKey, ...known.layerKeys]);
  return known.images;
}

async function packAll(
  store: BlobStore,
  recipes: ImageRecipe[],
  setKey: string,
  options: ImageOptions,
): Promise<OciImage[]> {
  const pack = async () => {
    const done: SetRecord = { images: [], layerKeys: [] };
    for (const recipe of recipes) {
      const step = beginStep(recipe.reference, options.onProgress);
      step.set("packing");
      try {
        const { image, layerKeys } = await ensureImage(store, recipe, layerCompression);
        done.images.push(image);
        done.layerKeys.push(...layerKeys);
      } finally {
        step.end();
      }
    }
    await store.remember(setKey, done);
    return done.images;
  };
  return withLock(store.dir, pack, options.onProgress);
}

/**
 * Recipes of all images, from files that are already there.
 * @param tools executables by name
 * @param debian tree with network tools and compiler
 * @param sources files of Cilium's own tree
 */
export function imageRecipes(
  tools: Record<string, ToolFile>,
  debian: DebianTree,
  sources: CiliumSources,
): ImageRecipe[] {
  const kubernetes = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"].map((name) => ({
    reference: `registry.k8s.io/${name}:v${versions.kubernetes}`,
    layers: [binaries(tools, { [name]: `usr/local/bin/${name}` })],
  }));
  const base: LayerRecipe = { content: { tree: debian.rootDir, without: leftOut }, identity: debian.key };
  return [
    ...kubernetes,
    {
      reference: `registry.k8s.io/coredns/coredns:v${versions.coredns}`,
      layers: [binaries(tools, { coredns: "coredns" })],
      entrypoint: ["/coredns"],
    },
    {
      reference: `registry.k8s.io/etcd:${versions.etcd}-0`,
      layers: [binaries(tools, { etcd: "usr/local/bin/etcd" })],
    },
    {
      reference: `registry.k8s.io/pause:${versions.pause}`,
      layers: [binaries(tools, { pause: "pause" })],
      entrypoint: ["/pause"],
    },
    {
      reference: `quay.io/cilium/operator-generic:v${tools["cilium-operator-generic"]?.version}`,
      layers: [binaries(tools, { "cilium-operator-generic": "usr/bin/cilium-operator-generic" })],
      cmd: ["/usr/bin/cilium-operator-generic"],
    },
    {
      reference: `quay.io/cilium/cilium:v${tools["cilium-agent"]?.version}`,
      layers: [base, compiler(debian), cilium(tools, sources)],
      cmd: ["/usr/bin/cilium-dbg"],
      env: { HUBBLE_SERVER: "unix:///var/run/cilium/hubble.sock" },
      workingDir: "/home/cilium",
    },
    {
      reference: echoImage,
      layers: [binaries(tools, { httpecho: "httpecho" })],
      entrypoint: ["/httpecho"],
      cmd: ["serve"],
    },
    { reference: probeImage, layers: [base], cmd: ["/bin/bash"], workingDir: "/root" },
  ];
}

/** The doctor's default image, under the name that real clusters pull; here with Debian's network tools in it. */
export const probeImage = "docker.io/nicolaka/netshoot:v0.13";

/** The workload stack's pods: a web service of the toolchain, under a name that machines look for at the mirror. */
export const echoImage = `docker.io/zerosteal/httpecho:${versions.httpecho}`;

/** @param places image path by tool name */
function binaries(tools: Record<string, ToolFile>, places: Record<string, string>): LayerRecipe {
  const chosen = Object.entries(places).map(([name, to]) => ({ tool: tools[name] as ToolFile, to }));
  return {
    content: { files: chosen.map(({ tool, to }) => ({ from: tool.path, to })) },
    identity: chosen.map(({ tool }) => tool.sha256),
  };
}

function compiler(debian: DebianTree): LayerRecipe {
  return {
    content: {
      files: compilerFiles.map(({ from, to }) => ({ from: path.join(debian.unpackedDir, from), to })),
    },
    identity: debian.key,
  };
}

function cilium(tools: Record<string, ToolFile>, sources: CiliumSources): LayerRecipe {
  const programs = [
    ...["cilium-agent", "cilium-dbg", "cilium-health", "cilium-health-responder"],
    ...["cilium-mount", "cilium-sysctlfix"],
  ];
  const layer = binaries(tools, {
    ...Object.fromEntries(programs.map((name) => [name, `usr/bin/${name}`])),
    "cilium-cni": "opt/cni/bin/cilium-cni",
    loopback: "cni/loopback",
  });
  if (!("files" in layer.content)) throw new Error("a layer of binaries has files");
  return {
    content: {
      files: [
        ...layer.content.files,
        ...sources.scripts.map((script) => ({ from: script, to: path.basename(script) })),
        { from: sources.bpf, to: "var/lib/cilium/bpf" },
      ],
      links: [{ at: "usr/bin/cilium", to: "cilium-dbg" }],
    },
    identity: [layer.identity, tools["cilium-agent"]?.version],
  };
}
