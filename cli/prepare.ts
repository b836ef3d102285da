import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import { probeHost } from "../sandbox/images/host";
import type { Instance, Made } from "../sandbox/instance";
import { artifactManifest, ensureArtifacts } from "../sandbox/mirror/artifacts";
import { installPlugins, pluginDir, pluginNames, sdkVersion } from "../sandbox/plugins/install";
import { hasBbr } from "../sandbox/kernelValues";
import { ensureSupplies } from "../sandbox/supplies";
import { ensureDebianPackages } from "../toolchain/debian";
import { ensure } from "../toolchain/ensure";
import { manifestWith, toolNames } from "../toolchain/manifest";
import type { OnProgress } from "../toolchain/progress";
import { ensureCiliumSources } from "../toolchain/sources";
import { UpstreamProbe } from "../toolchain/upstream";
import { describeEngine, type Engine, ensureStack, pulumiHome } from "./engine";
import { endOrphans } from "./orphans";
import type { Supplies } from "./stackConfig";

/** Gets every tool: the host's packages, the engine, the files of nodes and the programs of images. */
export async function prepareTools({ cilium }: Made, onProgress: OnProgress): Promise<Record<string, string>> {
  await ensureDebianPackages(undefined, onProgress);
  const tools = await ensure(toolNames("engine", "node", "image"), { onProgress, tools: manifestWith(cilium) });
  return Object.fromEntries(Object.entries(tools).map(([name, file]) => [name, file.path]));
}

/** Makes machine images, container images and the chart. */
export async function prepareSupplies(made: Made, onProgress: OnProgress): Promise<Supplies> {
  await ensureSupplies(made, onProgress);
  const host = await probeHost();
  return {
    artifacts: artifactManifest(await ensureArtifacts({ onProgress })),
    ciliumChart: (await ensureCiliumSources(made)).chart,
    envoy: false,
    sysResource: host.sysResource,
    cgroupVersion: host.cgroupVersion,
    bbr: await hasBbr(),
  };
}

/** Makes the engine of an instance ready: plugins, state backend, stack. */
export async function prepareEngine(instance: Instance, tools: Record<string, string>): Promise<Engine> {
  const engine = await describeEngine(instance, tools);
  await ensurePlugins(engine);
  await ensureStack(engine);
  // A run that was killed leaves programs and its lock behind; the sandbox's own lock says that no other run is under way.
  await endOrphans(pulumiHome(instance));
  await rm(path.join(instance.stateDir, "pulumi/.pulumi/locks"), { recursive: true, force: true });
  return engine;
}

/** Where the engine looks for its plugins' files. */
const pluginHost = "https://get.pulumi.com";

/** Gets the real resource plugins where they can be had, and puts the stand-ins in the place of those that cannot. */
async function ensurePlugins(engine: Engine): Promise<void> {
  const home = pulumiHome(engine.instance);
  if (await new UpstreamProbe().reachable(pluginHost)) {
    for (const name of pluginNames) {
      if (existsSync(pluginDir(home, name, await sdkVersion(name)))) continue;
      const installed = await execa(engine.pulumi, ["plugin", "install", "resource", name, await sdkVersion(name)], {
        env: engine.env,
        reject: false,
        stdin: "ignore",
      });
      if (installed.failed) console.error(`The ${name} plugin could not be downloaded; its stand-in takes its place.`);
    }
  }
  await installPlugins(home);
}
