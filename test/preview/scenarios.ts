import { copyFile, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import { pulumiHome } from "../../cli/engine";
import { writeStackConfig } from "../../cli/stackConfig";
import { type ClusterArgs, planCluster, type PoolArgs } from "../../components/plan";
import { pluginDir, sdkVersion } from "../../sandbox/plugins/install";
import type { World } from "../engine/world/world";
import { hostsCluster } from "../plan/clusters";

/** Takes what a preview printed, under the name of its recording. */
export type Keep = (name: string, text: string) => Promise<void>;

const web = (count: number, serverType = "ccx13"): PoolArgs => ({ name: "web", count, serverType });
const inFalkenstein = { kind: "hetzner", location: "fsn1" } as const;

/** Changed arguments of a standing cluster of one control plane and two workers, by the name of their recording. */
const changes: Record<string, Partial<ClusterArgs>> = {
  "no-change": {},
  "scale-up": { pools: [web(3)] },
  "scale-down": { pools: [web(1)] },
  "resize-workers": { pools: [web(2, "ccx23")] },
  "resize-control-plane": { controlPlane: { serverType: "ccx23" } },
  "image-change": { underlay: { ...inFalkenstein, image: "debian-12" } },
  "location-change": { underlay: { ...inFalkenstein, location: "nbg1" } },
  "cilium-version": { cilium: { version: "1.20.3" } },
  "cilium-values": { cilium: { values: { hubble: { enabled: false }, debug: { enabled: true } } } },
  "network-change": {
    underlay: { ...inFalkenstein, networkRange: "10.128.0.0/9", nodeSubnet: "10.128.0.0/24" },
    network: { podCidr: "10.244.0.0/16" },
  },
  "firewall-world": { access: { ssh: ["203.0.113.7/32"], api: ["0.0.0.0/0"] }, accept: ["access-open-to-all"] },
  "pool-added": { pools: [web(2), { name: "batch", count: 2, serverType: "ccx23", firstNumber: 31 }] },
  "pool-removed": { pools: [] },
  tuning: { tuning: { sysctls: { "net.core.somaxconn": "32768" }, bbr: "off" } },
  "cpu-isolation": { pools: [{ ...web(2), cpuIsolation: "strict" }], accept: ["isolation-needs-four-cpus"] },
  "failing-program": { controlPlane: { serverType: "ccx99" } },
};

/** Records previews of a cluster: before there is one, of each change, and of what happened behind its back. */
export async function recordCluster(world: World, keep: Keep, wanted: (name: string) => boolean): Promise<void> {
  const preview = async (name: string, args: string[] = []): Promise<void> => {
    if (!wanted(name)) return;
    await keep(name, (await world.run(["preview", "--json", "--show-sames", ...args])).stdout);
  };
  const reset = (more: Record<string, unknown> = {}): Promise<void> => world.configure(more);
  await world.configure();
  await preview("first-create");
  await world.upWell();
  for (const [name, change] of Object.entries(changes)) {
    await reset(change);
    await preview(name);
    if (name === "scale-up" && wanted(name)) {
      await keep("scale-up-events", await eventLog(world));
      await keep("scale-up-brief", (await world.run(["preview", "--json"])).stdout);
    }
  }
  await reset({ kubernetes: { version: "1.36.5" }, artifacts: artifactsOf("1.36.5") });
  await preview("kubernetes-version");
  await reset();
  await preview("control-plane-replaced", ["--replace", urnOf("hcloud:index/server:Server", "eng-control-plane-1")]);
  if (wanted("destroy")) await keep("destroy", (await world.run(["destroy", "--preview-only", "--json"])).stdout);
  await writeStackConfig(world.engine, { "zerosteal:doctor": { settleSeconds: 300 } });
  await preview("doctor-only");
  await writeStackConfig(world.engine, { "zerosteal:doctor": undefined });
  await world.succeed(["config", "set", "--secret", "hcloud:token", "planted-".padEnd(64, "1")]);
  await preview("secret-change");
  await world.succeed(["config", "rm", "hcloud:token"]);
  await loseServer(world, "eng-web-2");
  await preview("drift", ["--refresh"]);
}

/** Records the first preview of a cluster on existing hosts. */
export async function recordHosts(world: World, keep: Keep): Promise<void> {
  const keyFile = path.join(world.dir, "key");
  await writeFile(keyFile, "planted-private-key\n", { mode: 0o600 });
  await writeStackConfig(world.engine, { "zerosteal:sshKeyFile": keyFile, "zerosteal:cluster": hostsCluster() });
  await keep("hosts-create", (await world.run(["preview", "--json", "--show-sames"])).stdout);
}

/** Records a changed policy of a standing namespace, in a project of its own. */
export async function recordPolicies(world: World, keep: Keep): Promise<void> {
  const version = await sdkVersion("kubernetes");
  const plugin = path.join(pluginDir(pulumiHome(world.instance), "kubernetes", version), "pulumi-resource-kubernetes");
  const register = require.resolve("ts-node/register");
  await writeFile(
    plugin,
    `#!/bin/sh\nZEROSTEAL_PLUGIN_VERSION='${version}' exec '${process.execPath}' -r '${register}' '${__dirname}/policyPlugin.ts' "$@"\n`,
    { mode: 0o755 },
  );
  const project = path.join(__dirname, "policies");
  const { env } = world.engine;
  const configFile = path.join(world.dir, "Pulumi.shop.yaml");
  const pulumi = async (...args: string[]): Promise<string> => {
    const flags = ["--non-interactive", "--stack", "shop", "--config-file", configFile];
    return (await execa(world.engine.pulumi, [...args, ...flags], { cwd: project, env })).stdout;
  };
  // Its settings are written beside the project file, so the stack is made in a copy.
  await copyFile(path.join(project, "Pulumi.yaml"), path.join(world.dir, "Pulumi.yaml"));
  const init = ["stack", "init", "shop", "--no-select", "--non-interactive"];
  await execa(world.engine.pulumi, init, { cwd: world.dir, env });
  await pulumi("config", "set", "port", "8080");
  await pulumi("up", "--yes", "--skip-preview");
  await pulumi("config", "set", "port", "8443");
  await keep("policy-change", await pulumi("preview", "--json", "--show-sames"));
  await keep("policies-removed", await pulumi("destroy", "--preview-only", "--json"));
}

async function eventLog(world: World): Promise<string> {
  const file = path.join(world.dir, "events");
  await world.succeed(["preview", "--event-log", file]);
  return readFile(file, "utf8");
}

async function loseServer(world: World, name: string): Promise<void> {
  const { servers } = await world.cloud<{ servers: { id: number; name: string }[] }>("GET", "/servers");
  await world.cloud("DELETE", `/servers/${servers.find((server) => server.name === name)?.id ?? 0}`);
}

function urnOf(type: string, name: string): string {
  return `urn:pulumi:eng::zerosteal::zerosteal:index:TunedCluster$${type}::${name}`;
}

/** Upstream's own artifacts, with another version of what belongs to Kubernetes. */
function artifactsOf(version: string): ClusterArgs["artifacts"] {
  const { artifacts } = planCluster("eng", {
    underlay: inFalkenstein,
    access: { ssh: ["203.0.113.7/32"], api: ["203.0.113.7/32"] },
    controlPlane: { serverType: "ccx13" },
    pools: [],
  });
  const tools = ["kubeadm", "kubectl", "kubelet"];
  const manifest = artifacts.map((one) =>
    tools.includes(one.name) ? { ...one, version, sha256: "5".repeat(64) } : one,
  );
  return { baseUrl: "https://mirror.example/", manifest };
}
