/* Command line of the repository: the library's own commands, and those of the sandbox. */
import { Command, InvalidArgumentError, Option } from "commander";
import { defaultInstance } from "../sandbox/instance";
import { ciliumVersions, defaultCilium } from "../toolchain/cilium";
import { registerCapture } from "./capture";
import { registerDebug } from "./debug";
import { registerDoctor } from "./doctor";
import { down } from "./down";
import { htmlOption, type ShowFlags, watchOption } from "./examine";
import { underlayNames } from "./hosts";
import { registerPlan } from "./plan";
import { registerPreviewReport } from "./previewReport";
import { registerSteal } from "./steal";
import { up, type UpOptions } from "./up";
import { verify } from "./verify";
import { workload, type WorkloadOptions } from "./workload";

const program = new Command("zerosteal").description(
  "Kubernetes clusters tuned for network latency, on this machine or in the cloud",
);
program
  .showHelpAfterError("Options go after `--`, e.g. `npm run up -- --workers 3`; `npm run up -- --help` lists them.")
  // 1 says that the work failed, 2 that it was not understood.
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
const instance = new Option("--instance <name>", "name of the sandbox").default(defaultInstance);

program
  .command("up")
  .description("make the sandbox's cluster, or bring it up to date, and verify it")
  .addOption(instance)
  .option("--workers <n>", "number of workers; default: as many as there are, two at first", count)
  .addOption(
    new Option(
      "--underlay <kind>",
      "emulated cloud, or machines that exist already (article's case: hosts-l2)",
    ).choices(underlayNames),
  )
  .addOption(
    new Option(
      "--cilium <version>",
      `version of Cilium; default: ${defaultCilium}. Another is built when it is first asked for`,
    ).choices(ciliumVersions),
  )
  .option("--no-preload", "new machines pull their container images instead of having them on their disk")
  .option(
    "--repair",
    "mend drift: read the cloud anew, put every node's files and kernel settings into effect again",
    false,
  )
  .action(async (options: UpOptions) => {
    process.exitCode = await up(options);
  });

program
  .command("down")
  .description("remove the sandbox: cluster, machines, networks, state")
  .addOption(instance)
  .action(async (options: { instance: string }) => {
    process.exitCode = await down(options.instance);
  });

registerDoctor(program);
registerPlan(program);
registerDebug(program);
registerCapture(program);
registerPreviewReport(program);
registerSteal(program);

program
  .command("verify")
  .description("run the doctor on the sandbox's cluster")
  .addOption(instance)
  .addOption(htmlOption())
  .addOption(watchOption())
  .action(async ({ instance, ...flags }: ShowFlags & { instance: string }) => {
    process.exitCode = await verify(instance, flags);
  });

program
  .command("workload")
  .description("deploy the example workload into the sandbox's cluster, and prove its policies by traffic")
  .addOption(instance)
  .option("--remove", "take it out again", false)
  .action(async (options: WorkloadOptions) => {
    process.exitCode = await workload(options);
  });

function count(text: string): number {
  // A private network holds 100 servers, and the control plane is one.
  if (!/^\d{1,2}$/.test(text)) throw new InvalidArgumentError("a whole number from 0 to 99 is wanted");
  return Number(text);
}

program.parseAsync().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
