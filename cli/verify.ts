import { CannotRun } from "../components/doctor/kube";
import { defaultInstance, findInstance } from "../sandbox/instance";
import { toolNames } from "../toolchain/manifest";
import { ensure } from "../toolchain/ensure";
import { doctorOptions, type StackOutputs, stackOutputs } from "./check";
import { describeEngine, type Engine } from "./engine";
import { examine, type ShowFlags } from "./examine";
import { exitCodeOf, stepTeller } from "./kubeCommand";
import { checkHost } from "./preflight";

/**
 * Verifies the sandbox's cluster with everything that is known of it: its plan, its kubeconfig, its cloud.
 * @returns the doctor's exit code; 2 where there is no cluster
 */
export function verify(name: string, flags: ShowFlags = {}): Promise<number> {
  return exitCodeOf(async (signal) => {
    checkHostToLook();
    const instance = await findInstance(name);
    if (!instance) throw new CannotRun(`There is no sandbox "${name}"; make it with \`${upCommand(name)}\`.`);
    const tools = await ensure(toolNames("engine"));
    const paths = Object.fromEntries(Object.values(tools).map((tool) => [tool.name, tool.path]));
    const engine = await describeEngine(instance, paths);
    const options = doctorOptions(engine, await outputsOf(engine, name));
    if (!options) {
      throw new CannotRun(`The sandbox "${name}" has no cluster yet; make it with \`${upCommand(name)}\`.`);
    }
    return examine({ ...options, onProgress: stepTeller(), signal }, flags);
  });
}

/** The same refusal as for `up`, with the doctor's exit code. @throws CannotRun */
function checkHostToLook(): void {
  try {
    checkHost();
  } catch (error) {
    throw new CannotRun((error as Error).message);
  }
}

/** @throws CannotRun where there is no such stack, or an earlier run left none that can be read */
async function outputsOf(engine: Engine, name: string): Promise<StackOutputs> {
  try {
    return await stackOutputs(engine);
  } catch (error) {
    const why = (error as Error).message
      .trim()
      .split("\n")
      .at(-1)
      ?.replace(/^error: /, "");
    throw new CannotRun(`The sandbox "${name}" has no stack to read: ${why}. Make it with \`${upCommand(name)}\`.`);
  }
}

function upCommand(name: string): string {
  return name === defaultInstance ? "npm run up" : `npm run up -- --instance ${name}`;
}
