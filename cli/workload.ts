import path from "node:path";
import { defaultInstance, findInstance, type Instance } from "../sandbox/instance";
import { echoImage } from "../sandbox/images/images";
import { ensure } from "../toolchain/ensure";
import { toolNames } from "../toolchain/manifest";
import { stackOutputs } from "./check";
import { describeEngine, type Engine, ensureStack, projectDir } from "./engine";
import { holdInstance } from "./hold";
import { describeStep } from "./news";
import { runPhases } from "./phases";
import { checkHost } from "./preflight";
import { writeStackConfig } from "./stackConfig";
import { startOperation } from "./update";
import { type Claim, proveWorkload, renderClaims } from "./workloadProof";

/** Options of `workload`. */
export interface WorkloadOptions {
  /** Name of the sandbox. */
  instance: string;
  /** Takes the workload out of the cluster again. */
  remove: boolean;
}

/**
 * Deploys stacks/workload into the sandbox's cluster, as a stack of its own, and proves its policies by traffic.
 * @returns 0: every claim holds; 1: the update or a claim failed; 2: there is no cluster
 */
export async function workload(options: WorkloadOptions): Promise<number> {
  checkHost();
  const instance = await findInstance(options.instance);
  if (!instance) {
    const more = options.instance === defaultInstance ? "" : ` -- --instance ${options.instance}`;
    console.error(`There is no sandbox "${options.instance}"; make it with \`npm run up${more}\`.`);
    return 2;
  }
  const release = await holdInstance(instance);
  try {
    return options.remove ? await remove(instance) : await deploy(instance);
  } finally {
    await release();
  }
}

async function deploy(instance: Instance): Promise<number> {
  const engine = await workloadEngine(instance);
  let exitCode = 1;
  let claims: Claim[] = [];
  await runPhases([
    {
      title: "Workload",
      run: async (tell) => {
        await ensureStack(engine);
        await writeStackConfig(engine, {
          "zerosteal-workload:cluster": `organization/zerosteal/${instance.name}`,
          "zerosteal-workload:image": echoImage,
          // As the sandbox's cluster has it: Cilium's Envoy is not among its images.
          "zerosteal-workload:l7Proxy": "false",
          "zerosteal-workload:bystander": "true",
        });
        exitCode = await operate(engine, ["up", "--yes", "--skip-preview"], tell);
      },
    },
    {
      title: "Proof",
      when: () => exitCode === 0,
      run: async (tell) => {
        const { kubeconfig = "" } = await stackOutputs(clusterEngine(engine));
        const outside = `http://${instance.hostAddress}:${instance.mirrorPort}/`;
        claims = await proveWorkload({ kubeconfig, outside, tell });
      },
    },
  ]);
  if (exitCode !== 0) return 1;
  console.log(renderClaims(claims));
  return claims.every(({ wanted, found }) => wanted === found) ? 0 : 1;
}

async function remove(instance: Instance): Promise<number> {
  const engine = await workloadEngine(instance);
  let exitCode = 1;
  await runPhases([
    {
      title: "Remove the workload",
      run: async (tell) => {
        await ensureStack(engine);
        exitCode = await operate(engine, ["destroy", "--yes", "--skip-preview"], tell);
      },
    },
  ]);
  return exitCode === 0 ? 0 : 1;
}

/** The engine on the project of the workload: the same home, state and passphrase, another program. */
async function workloadEngine(instance: Instance): Promise<Engine> {
  const tools = Object.values(await ensure(toolNames("engine"))).map((tool) => [tool.name, tool.path]);
  const engine = await describeEngine(instance, Object.fromEntries(tools) as Record<string, string>);
  return {
    ...engine,
    programDir: path.join(projectDir, "stacks", "workload"),
    configFile: path.join(instance.stateDir, "workload", `Pulumi.${instance.name}.yaml`),
  };
}

/** The engine on the project of the cluster again. */
function clusterEngine(engine: Engine): Engine {
  const { instance } = engine;
  const configFile = path.join(instance.stateDir, "project", `Pulumi.${instance.name}.yaml`);
  return { ...engine, programDir: projectDir, configFile };
}

async function operate(engine: Engine, args: string[], tell: (news: string) => void): Promise<number> {
  const { result } = startOperation(engine, args, (event) => {
    const news = describeStep(event);
    if (news) tell(news);
  });
  const { exitCode, errors } = await result;
  for (const { resource, message } of errors) console.error([resource, message].filter(Boolean).join(": "));
  return exitCode;
}
