import { exitCodes, renderReport } from "../components/doctor";
import { defaultInstance, findInstance } from "../sandbox/instance";
import { toolNames } from "../toolchain/manifest";
import { ensure } from "../toolchain/ensure";
import { doctorRun, stackOutputs } from "./check";
import { describeEngine } from "./engine";
import { checkHost } from "./preflight";

/**
 * Verifies the sandbox's cluster with everything that is known of it: its plan, its kubeconfig, its cloud.
 * @returns the doctor's exit code; 2 where there is no cluster
 */
export async function verify(name: string): Promise<number> {
  checkHost();
  const instance = await findInstance(name);
  if (!instance) {
    console.error(`There is no sandbox "${name}"; make it with \`${upCommand(name)}\`.`);
    return exitCodes.couldNotRun;
  }
  const tools = await ensure(toolNames("engine"));
  const engine = await describeEngine(
    instance,
    Object.fromEntries(Object.values(tools).map((tool) => [tool.name, tool.path])),
  );
  const news = (line: string): void => {
    if (process.stderr.isTTY) console.error(line);
  };
  const report = await doctorRun(engine, await stackOutputs(engine), undefined, news);
  if (!report) {
    console.error(`The sandbox "${name}" has no cluster yet; make it with \`${upCommand(name)}\`.`);
    return exitCodes.couldNotRun;
  }
  console.log(renderReport(report, process.stdout.isTTY ? { columns: process.stdout.columns } : undefined));
  return report.healthy ? exitCodes.healthy : exitCodes.failed;
}

function upCommand(name: string): string {
  return name === defaultInstance ? "npm run up" : `npm run up -- --instance ${name}`;
}
