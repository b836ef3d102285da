import { InvalidArgumentError, type Command } from "commander";
import { cloudAccess } from "../components/doctor/main";
import { CannotRun } from "../components/doctor/kube";
import { expectationOf } from "../components/doctor/expectation";
import { defaultProbeImage } from "../components/doctor/probePods";
import { exitCodes } from "../components/doctor/report";
import type { DoctorOptions } from "../components/doctor/run";
import type { Expectation } from "../components/doctor/types";
import type { ClusterPlan } from "../components/plan/types";
import { examine, htmlOption, type ShowFlags, watchOption } from "./examine";
import { exitCodeOf, kubeconfigOption, readKubeconfig, readText, stepTeller } from "./kubeCommand";

interface Flags extends ShowFlags {
  kubeconfig?: string;
  plan?: string;
  image: string;
  egressTarget?: string;
  rttTo: string[];
  settle: number;
  verbose: boolean;
}

/**
 * Adds `doctor` to a command line.
 * Exit codes: 0 nothing failed, 1 a check failed, 2 it could not run, 130 interrupted.
 */
export function registerDoctor(program: Command): Command {
  return (
    program
      .command("doctor")
      .description("verify a live cluster: nodes, data path, packet sizes, kernel settings, DNS")
      .addOption(kubeconfigOption())
      .option("--plan <file>", "plan of the cluster as JSON; without it only what holds on every cluster is judged")
      .option("--json", "print the report as JSON", false)
      .addOption(htmlOption())
      .addOption(watchOption().conflicts("json"))
      .option("--image <image>", "image of the probe pods", defaultProbeImage)
      .option(
        "--egress-target <host:port>",
        "what pods must reach outside; default: the nodes' resolver, or the API",
        hostAndPort,
      )
      .option(
        "--rtt-to <host[:port]>",
        "measure round trips from each node to where users are; port 443 unless named, may be given again",
        (value: string, before: string[]) => [...before, hostAndPort(/:\d+$/.test(value) ? value : `${value}:443`)],
        [],
      )
      .option("--settle <seconds>", "look again for so long while failures may turn good by themselves", seconds, 0)
      .option("--verbose", "show on stderr what each probe printed", false)
      .addHelpText("after", helpText)
      // Wrong usage is "could not run": 1 is kept for a cluster that is not healthy.
      .exitOverride((error) => process.exit(error.exitCode === 0 ? exitCodes.healthy : exitCodes.couldNotRun))
      .action(async (flags: Flags) => {
        process.exitCode = await doctor(flags);
      })
  );
}

const helpText = `
HCLOUD_TOKEN (and HCLOUD_ENDPOINT) in the environment let it compare the private network's routes.
With --watch the first run's report is followed by one line a change, until Ctrl-C; runs never overlap.
Exit codes: 0 nothing failed, 1 a check failed, 2 the doctor could not run, 130 interrupted; with --watch that of the last run.`;

function doctor(flags: Flags): Promise<number> {
  return exitCodeOf(async (signal) => examine({ ...(await optionsOf(flags)), signal }, flags));
}

async function optionsOf(flags: Flags): Promise<DoctorOptions> {
  const kubeconfig = await readKubeconfig(flags.kubeconfig);
  const expectation = flags.plan === undefined ? undefined : readPlan(await readText(flags.plan, "plan"), flags.plan);
  return {
    kubeconfig,
    expectation,
    hcloud: cloudAccess(expectation, process.env.HCLOUD_TOKEN, process.env.HCLOUD_ENDPOINT),
    probeImage: flags.image,
    egressTarget: flags.egressTarget,
    rttTargets: flags.rttTo,
    settleSeconds: flags.settle,
    onProgress: stepTeller(flags.verbose),
    onTranscript: flags.verbose ? (title, text) => process.stderr.write(`--- ${title}\n${text}\n`) : undefined,
  };
}

/**
 * A plan as `planCluster` gives it, or what the doctor derives from one.
 * @throws CannotRun when the text is neither
 */
export function readPlan(text: string, file: string): Expectation {
  let document: Partial<ClusterPlan & Expectation> | null;
  try {
    document = JSON.parse(text) as Partial<ClusterPlan & Expectation> | null;
  } catch {
    throw new CannotRun(`The plan ${file} is not JSON.`);
  }
  if (document?.underlay && document.cilium) return expectationOf(document as ClusterPlan);
  if (document?.nodes && document.mtu && document.cilium && document.sysctls) return document as Expectation;
  throw new CannotRun(
    `The file ${file} is not a cluster plan: it has no nodes, MTU, Cilium values or kernel settings.`,
  );
}

function hostAndPort(value: string): string {
  if (!/^[\w.-]+:\d{1,5}$/.test(value)) {
    throw new InvalidArgumentError(`${value} is not HOST:PORT, e.g. 192.0.2.1:443`);
  }
  return value;
}

function seconds(value: string): number {
  if (!/^\d+$/.test(value)) throw new InvalidArgumentError(`${value} is not a number of seconds`);
  return Number(value);
}
