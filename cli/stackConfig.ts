import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { parse, stringify } from "yaml";
import {
  type ClusterArgs,
  type ClusterPlan,
  type HostsUnderlayArgs,
  type NodeArtifact,
  planCluster,
} from "../components/plan";
import type { Instance } from "../sandbox/instance";
import { type CiliumVersion, defaultCilium } from "../toolchain/cilium";
import type { Engine } from "./engine";
import type { UnderlayName } from "./hosts";

/** What the sandbox's stack needs to know of the sandbox: ordinary public arguments, as an air-gapped user would set them. */
export interface Supplies {
  /** Artifacts of the mirror. */
  artifacts: NodeArtifact[];
  /** Folder of the Cilium chart. */
  ciliumChart: string;
  /** Whether Cilium's Envoy image can be had. */
  envoy: boolean;
  /** Whether this host may raise scores of the out-of-memory killer and the like (CAP_SYS_RESOURCE). */
  sysResource: boolean;
  cgroupVersion: 1 | 2;
  /** Whether this host's kernel has BBR. */
  bbr: boolean;
}

/** Size of the cluster that `up` makes. */
export interface ClusterSize {
  /** Workers. */
  workers: number;
}

/** System image of the sandbox's machines: newer ones need cgroup v2. */
export function machineImage(supplies: Supplies): string {
  return supplies.cgroupVersion === 1 ? "debian-12" : "debian-13";
}

/**
 * Arguments of the sandbox's cluster.
 * @param hosts existing machines; default: the emulated Hetzner Cloud makes new ones
 */
export function sandboxCluster(
  instance: Instance,
  supplies: Supplies,
  size: ClusterSize,
  hosts?: HostsUnderlayArgs,
): ClusterArgs {
  const mirror = `http://${instance.hostAddress}:${instance.mirrorPort}`;
  const operator = [`${instance.hostAddress}/32`];
  return {
    underlay: hosts ?? { kind: "hetzner", location: "fsn1", image: machineImage(supplies) },
    ...(hosts?.segment === "routed" ? { network: { tunnel: "vxlan" } } : {}),
    access: { ssh: operator, api: operator },
    controlPlane: hosts ? {} : { serverType: "ccx13" },
    pools: [{ name: "web", count: size.workers, ...(hosts ? {} : { serverType: "ccx13" }) }],
    // kubeadm looks for kernel modules and cgroups as a machine of its own would have them.
    kubernetes: { ignorePreflightErrors: ["SystemVerification"] },
    artifacts: { baseUrl: `${mirror}/`, manifest: supplies.artifacts },
    registryMirrors: Object.fromEntries(["registry.k8s.io", "quay.io", "docker.io"].map((host) => [host, mirror])),
    ...(supplies.bbr ? {} : { tuning: { bbr: "off" } }),
    ...olderCilium(instance.cilium),
    cilium: {
      ...(instance.cilium === defaultCilium ? {} : { version: instance.cilium }),
      chart: supplies.ciliumChart,
      values: ciliumValues(supplies, instance.cilium),
    },
  };
}

/** Who asks for an older Cilium by name takes a pair that nobody tested. */
function olderCilium(version: CiliumVersion): Pick<ClusterArgs, "accept"> {
  return version === defaultCilium ? {} : { accept: ["versions-untested"] };
}

/** Images come by tag from the mirror; what a closed network or a container lacks is switched off by ordinary values. */
function ciliumValues(supplies: Supplies, version: CiliumVersion): Record<string, unknown> {
  const drop = (names: string[]): string[] =>
    supplies.sysResource ? names : names.filter((name) => name !== "SYS_RESOURCE");
  return {
    image: { useDigest: false },
    // The job that would make the certificates needs an image that a closed network lacks; Helm makes as good ones.
    hubble: { tls: { auto: { method: "helm" } } },
    operator: { image: { useDigest: false } },
    ...(supplies.envoy ? {} : { envoy: { enabled: false }, l7Proxy: false }),
    securityContext: {
      capabilities: {
        ciliumAgent: drop([
          ...[
            "CHOWN",
            "KILL",
            "NET_ADMIN",
            "NET_RAW",
            "IPC_LOCK",
            "SYS_ADMIN",
            "SYS_RESOURCE",
            "DAC_OVERRIDE",
            "FOWNER",
          ],
          ...["SETGID", "SETUID", "SYSLOG"],
          // Cilium before 1.17 asks the image's bpftool for features, and Debian's does not answer without these.
          ...(version === "1.16.1" ? ["BPF", "PERFMON"] : []),
        ]),
        cleanCiliumState: drop(["NET_ADMIN", "SYS_ADMIN", "SYS_RESOURCE"]),
      },
    },
  };
}

/** Writes the stack's settings next to its state, keeping what the engine wrote there. */
export async function writeStackConfig(engine: Engine, settings: Record<string, unknown>): Promise<void> {
  const { configFile } = engine;
  const old = existsSync(configFile) ? (parse(await readFile(configFile, "utf8")) as Record<string, unknown>) : {};
  const merged = { ...old, config: { ...(old.config as Record<string, unknown> | undefined), ...settings } };
  await mkdir(path.dirname(configFile), { recursive: true });
  await writeFile(`${configFile}.new`, stringify(merged), { mode: 0o600 });
  await rename(`${configFile}.new`, configFile);
}

/** Workers that the stack's settings name now; undefined before the first update. */
export async function currentWorkers(engine: Engine): Promise<number | undefined> {
  return (await readCluster(engine))?.pools?.[0]?.count;
}

/** Where the machines of the stack's cluster come from; undefined before the first update. */
export async function currentUnderlay(engine: Engine): Promise<UnderlayName | undefined> {
  const underlay = (await readCluster(engine))?.underlay;
  if (underlay === undefined) return undefined;
  return underlay.kind === "hosts" ? `hosts-${underlay.segment}` : "hetzner";
}

/**
 * The plan of the cluster that the stack's settings describe.
 * @throws PlanError that lists every problem of the settings
 */
export async function plannedCluster(engine: Engine, name: string): Promise<ClusterPlan> {
  return planCluster(name, (await readCluster(engine)) as ClusterArgs);
}

async function readCluster(engine: Engine): Promise<ClusterArgs | undefined> {
  if (!existsSync(engine.configFile)) return undefined;
  const { config } = parse(await readFile(engine.configFile, "utf8")) as {
    config?: { "zerosteal:cluster"?: ClusterArgs };
  };
  return config?.["zerosteal:cluster"];
}
