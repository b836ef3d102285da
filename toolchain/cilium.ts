import type { Tool } from "./manifest";

/**
 * Versions of Cilium that can be made here, without a leading v. The first is what the sandbox runs; another one is built and run only when it
 * is asked for. 1.16.1 is the version that the article names.
 */
export const ciliumVersions = ["1.20.2", "1.16.1"] as const;
export type CiliumVersion = (typeof ciliumVersions)[number];

/** The version that nobody has to ask for. */
export const defaultCilium = ciliumVersions[0];

/** Folder under toolchain/go that pins a version: each has dependencies of its own. */
export function ciliumModule(version: CiliumVersion): string {
  return version === defaultCilium ? "cilium" : `cilium-${version}`;
}

/** Cilium's executables: all that its images hold. Sizes are the largest of all versions. */
export function ciliumTools(version: CiliumVersion): Tool[] {
  const tool = (name: string, folder: string, sizeMiB: number, tags?: string): Tool => ({
    name,
    version,
    purpose: "image",
    sizeMiB,
    recipe: {
      kind: "go",
      module: ciliumModule(version),
      package: `github.com/cilium/cilium/${folder}`,
      tags,
      ldflags: `-X github.com/cilium/cilium/pkg/version.ciliumVersion=${version}`,
    },
  });
  return [
    tool("cilium-agent", "daemon", 128),
    tool("cilium-dbg", "cilium-dbg", 94),
    tool("cilium-health", "cilium-health", 16),
    tool("cilium-health-responder", "cilium-health/responder", 6),
    tool("cilium-mount", "tools/mount", 8),
    tool("cilium-sysctlfix", "tools/sysctlfix", 3),
    tool("cilium-cni", "plugins/cilium-cni", 17),
    tool("cilium-operator-generic", "operator", 117, "ipam_provider_operator"),
  ];
}
