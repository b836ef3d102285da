import { spawn } from "node:child_process";
import { rename } from "node:fs/promises";
import path from "node:path";
import type { NodeArtifact } from "../../components/plan/types";
import { contentKey, defaultCacheDir, exists, keepUsed, sha256File, withLock } from "../../toolchain/cache";
import type { ToolFile } from "../../toolchain/ensure";
import { ensure } from "../../toolchain/ensure";
import { toolNames, versions } from "../../toolchain/manifest";
import { ensureBaseImage } from "../images/baseImage";
import type { ImageOptions } from "../images/bootstrap";

/** A node artifact and the file that the mirror serves for it. */
export interface ServedArtifact {
  artifact: NodeArtifact;
  /** Path on this host. */
  file: string;
}

/** Folder of all artifacts in the mirror's URLs. */
const prefix = "artifacts/";

/**
 * Makes sure that all node artifacts lie in the cache, in the shape in which upstream publishes them: single executables, and tar
 * archives of containerd (`bin/…`) and the CNI plugins (`./…`).
 * @param options cache folder and progress
 */
export async function ensureArtifacts(options: ImageOptions = {}): Promise<ServedArtifact[]> {
  const cacheDir = options.cacheDir ?? defaultCacheDir();
  const tools = await ensure(toolNames("node"), { ...options, cacheDir });
  const { runc } = await ensureBaseImage("debian-13", options);
  const containerd = ["containerd", "containerd-shim-runc-v2", "ctr"];
  const archives = path.join(cacheDir, "artifacts");
  const served = await Promise.all([
    ...["kubeadm", "kubelet", "kubectl"].map((name) => single(tools[name] as ToolFile)),
    packArchive(archives, "containerd", "bin/", pick(tools, containerd), { to: "/usr/local/bin", stripComponents: 1 }),
    packArchive(archives, "cni-plugins", "./", pick(tools, ["loopback"]), { to: "/opt/cni/bin", stripComponents: 0 }),
    runcArtifact(runc),
  ]);
  await keepUsed(
    archives,
    served.map(({ file }) => path.basename(file)),
  );
  return served;
}

/**
 * What a cluster's `artifacts.manifest` says for this mirror; `artifacts.baseUrl` is the mirror's address with a trailing slash.
 * @param served from `ensureArtifacts`
 */
export function artifactManifest(served: ServedArtifact[]): NodeArtifact[] {
  return served.map(({ artifact }) => artifact);
}

function pick(tools: Record<string, ToolFile>, names: string[]): ToolFile[] {
  return names.map((name) => tools[name] as ToolFile);
}

async function single(tool: ToolFile): Promise<ServedArtifact> {
  const { name, version, sha256 } = tool;
  const artifact = { name, version, sha256, url: `${prefix}${name}-${version}`, installTo: `/usr/local/bin/${name}` };
  return { artifact, file: tool.path };
}

/** runc is Debian's own build: it finds its libseccomp in the machine image. Its version is the package's, known only by content. */
async function runcArtifact(file: string): Promise<ServedArtifact> {
  const sha256 = await sha256File(file);
  const version = `debian-${sha256.slice(0, 12)}`;
  return {
    artifact: { name: "runc", version, sha256, url: `${prefix}runc-${version}`, installTo: "/usr/local/sbin/runc" },
    file,
  };
}

/**
 * Packs executables as upstream publishes them, once for the same executables.
 * @param dir where the archive is kept
 * @param name of the artifact
 * @param memberPrefix what stands before each member's name, e.g. `bin/`
 * @param tools what to pack
 * @param place where a node unpacks it
 */
export async function packArchive(
  dir: string,
  name: "containerd" | "cni-plugins",
  memberPrefix: string,
  tools: ToolFile[],
  place: { to: string; stripComponents: number },
): Promise<ServedArtifact> {
  const version = name === "containerd" ? versions.containerd : versions.cniPlugins;
  const key = contentKey([memberPrefix, tools.map((tool) => [tool.name, tool.sha256])]);
  const file = path.join(dir, `${name}-${version}-${key}.tar`);
  const make = async () => {
    if (await exists(file)) return;
    await tar(`${file}.new`, memberPrefix, tools);
    await rename(`${file}.new`, file);
  };
  if (!(await exists(file))) await withLock(dir, make);
  const members = tools.map((tool) => path.posix.join(memberPrefix, tool.name));
  return {
    artifact: {
      name,
      version,
      sha256: await sha256File(file),
      url: `${prefix}${name}-${version}.tar`,
      extract: { ...place, members },
    },
    file,
  };
}

/** The same executables always give the same archive: no times, no owners of this host. */
async function tar(file: string, memberPrefix: string, tools: ToolFile[]): Promise<void> {
  const fixed = ["--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--format=gnu", "--mode=0755"];
  const members = tools.flatMap((tool) => ["-C", path.dirname(tool.path), tool.name]);
  const args = [...fixed, `--transform=s,^,${memberPrefix},`, "-cf", file, ...members];
  await new Promise<void>((resolve, reject) => {
    const child = spawn("tar", args, { stdio: ["ignore", "ignore", "inherit"] });
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve() : reject(new Error(`tar of ${file} ended with ${code}`))));
  });
}
