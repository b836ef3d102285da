import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Report } from "../components/doctor";
import { startSandbox } from "../sandbox/control";
import { chooseInstance, type Instance, saveInstance } from "../sandbox/instance";
import type { CiliumVersion } from "../toolchain/cilium";
import type { ProgressEvent } from "../toolchain/progress";
import { doctorRun, stackOutputs } from "./check";
import { type Engine, pulumi } from "./engine";
import { alone, holdInstance } from "./hold";
import { describeStep } from "./news";
import { runPhases } from "./phases";
import { checkHost, checkInstance, checkRoom } from "./preflight";
import { prepareEngine, prepareSupplies, prepareTools } from "./prepare";
import { recover } from "./recover";
import { ensureHosts, type Hosts, type UnderlayName } from "./hosts";
import {
  currentUnderlay,
  currentWorkers,
  machineImage,
  sandboxCluster,
  type Supplies,
  writeStackConfig,
} from "./stackConfig";
import { renderSummary, upExit } from "./summary";
import { logicalName, startOperation, type UpdateResult } from "./update";

/** Options of `up`. */
export interface UpOptions {
  /** Name of the sandbox. */
  instance: string;
  /** Where machines come from; decided when the sandbox is made. Default: what it is, `hetzner` at first. */
  underlay?: UnderlayName;
  /** Workers; default: as many as there are, two at first. */
  workers?: number;
  /** Version of Cilium; decided when the sandbox is made. Default: what it has, the newest at first. */
  cilium?: CiliumVersion;
  /** Whether new machines come with the container images on their disk; decided when the sandbox is made. */
  preload: boolean;
  /** Whether drift is mended: cloud objects are read anew, the nodes' files and kernel settings put into effect again. */
  repair: boolean;
}

/**
 * Makes the sandbox's cluster what it should be, and verifies it.
 * @returns the exit code: see `upExit`
 */
export async function up(options: UpOptions): Promise<number> {
  checkHost();
  await checkRoom();
  const instance = await alone(async () => {
    const chosen = await chooseInstance(options.instance, { preload: options.preload, cilium: options.cilium });
    if (options.cilium !== undefined && options.cilium !== chosen.cilium) {
      throw new Error(
        `--cilium: this sandbox was made with ${chosen.cilium}; end it with \`npm run down\`, or name another with --instance`,
      );
    }
    await checkInstance(chosen);
    await saveInstance(chosen);
    return chosen;
  });
  const release = await holdInstance(instance);
  try {
    return await hold(instance, options);
  } finally {
    await release();
  }
}

/** In which machines that this run has switched on, or that were restarted before it, come back: two boots of a slow host. */
const settleSeconds = 90;

async function hold(instance: Instance, options: UpOptions): Promise<number> {
  const paths: { tools?: Record<string, string>; supplies?: Supplies; engine?: Engine } = {};
  let update: UpdateResult | undefined;
  let report: Report | undefined;
  const toolNews = (tell: (news: string) => void) => (event: ProgressEvent) => {
    tell(`${event.step}: ${event.detail}`);
  };
  const times = await runPhases([
    {
      title: "Tools",
      run: async (tell) => void (paths.tools = await prepareTools(instance, toolNews(tell))),
    },
    {
      title: "Machine and container images",
      run: async (tell) => void (paths.supplies = await prepareSupplies(instance, toolNews(tell))),
    },
    {
      title: `Emulated cloud (${instance.name})`,
      run: async () => {
        await startSandbox(instance);
        paths.engine = await prepareEngine(instance, paths.tools ?? {});
      },
    },
    {
      title: "Cluster",
      run: async (tell) => {
        const engine = paths.engine as Engine;
        await configure(instance, engine, paths.supplies as Supplies, options);
        await recover(engine, tell);
        update = await apply(engine, options.repair ? await repairFlags(engine) : [], tell);
      },
    },
    {
      title: "Doctor",
      when: () => update?.stopped !== true,
      run: async (tell) => {
        const engine = paths.engine as Engine;
        const outputs = await stackOutputs(engine);
        if (outputs.kubeconfig) await keepKubeconfig(instance, outputs.kubeconfig);
        // Within the update it has waited already.
        report = await doctorRun(engine, outputs, update, tell, update?.doctorRan ? 0 : settleSeconds);
      },
    },
  ]);
  const result = { instance, tools: paths.tools ?? {}, update: update as UpdateResult, report, times };
  console.log(await renderSummary(result));
  return upExit(result);
}

async function configure(instance: Instance, engine: Engine, supplies: Supplies, options: UpOptions): Promise<void> {
  const size = { workers: options.workers ?? (await currentWorkers(engine)) ?? 2 };
  const hosts = await hostsFor(engine, supplies, size.workers, options.underlay);
  await writeStackConfig(engine, {
    "zerosteal:name": instance.name,
    "zerosteal:cluster": sandboxCluster(instance, supplies, size, hosts?.underlay),
    ...(hosts ? { "zerosteal:sshKeyFile": hosts.keyFile } : {}),
    // The mirror stands for the outside: it is the one thing beyond the machines that answers.
    "zerosteal:doctor": { egressTarget: `${instance.hostAddress}:${instance.mirrorPort}` },
  });
}

/** Existing machines for all nodes; undefined where the cloud makes new ones. */
async function hostsFor(
  engine: Engine,
  supplies: Supplies,
  workers: number,
  asked: UnderlayName | undefined,
): Promise<Hosts | undefined> {
  const current = await currentUnderlay(engine);
  if (current !== undefined && asked !== undefined && asked !== current) {
    throw new Error(
      `--underlay: this sandbox was made with ${current}; end it with \`npm run down\`, or name another with --instance`,
    );
  }
  const kind = current ?? asked ?? "hetzner";
  if (kind === "hetzner") return undefined;
  const keys = ["control-plane-1", ...Array.from({ length: workers }, (_, index) => `web-${index + 1}`)];
  return ensureHosts(engine, kind, keys, machineImage(supplies));
}

/** Runs the engine. The first Ctrl-C lets steps under way end and keeps what they made; the second drops them. */
async function apply(engine: Engine, flags: string[], tell: (news: string) => void): Promise<UpdateResult> {
  const operation = startOperation(
    engine,
    ["up", "--yes", "--skip-preview", "--continue-on-error", "--parallel", "24", ...flags],
    (event) => {
      const news = describeStep(event);
      if (news) tell(news);
    },
  );
  const stop = (): void => {
    tell("stopping after the steps under way; press Ctrl-C again to drop them");
    operation.stop();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  try {
    return await operation.result;
  } finally {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  }
}

async function keepKubeconfig(instance: Instance, text: string): Promise<void> {
  await mkdir(instance.stateDir, { recursive: true });
  await writeFile(path.join(instance.stateDir, "kubeconfig"), text, { mode: 0o600 });
}

/**
 * What `--repair` adds: the state is compared with the cloud first, and the steps that put a node's files into effect are made anew. These
 * run nothing when they are deleted, so replacing one only runs it again.
 */
async function repairFlags(engine: Engine): Promise<string[]> {
  const state = JSON.parse(await pulumi(engine, ["stack", "export"])) as {
    deployment: { resources?: { urn: string }[] };
  };
  const steps = (state.deployment.resources ?? [])
    .map(({ urn }) => urn)
    .filter((urn) => logicalName(urn).startsWith("tune-"));
  return ["--refresh", ...steps.flatMap((urn) => ["--replace", urn])];
}
