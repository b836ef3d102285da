import { InvalidArgumentError, type Command } from "commander";
import { capture } from "../components/debug/capture";
import { renderCapture } from "../components/debug/captureText";
import { parsePodRef, type PodRef } from "../components/debug/pods";
import { defaultProbeImage } from "../components/doctor/probePods";
import { exitCodes } from "../components/doctor/report";
import { exitCodeOf, kubeconfigOption, readKubeconfig, stepTeller } from "./kubeCommand";

interface Flags {
  kubeconfig?: string;
  from: PodRef;
  to: PodRef;
  port: number;
  count: number;
  watch?: number;
  image: string;
  json: boolean;
}

/** Adds `capture` to a command line. Exit codes: 0 measured, 2 it could not run, 130 interrupted. */
export function registerCapture(program: Command): Command {
  return program
    .command("capture")
    .description("measure the time from SYN to SYN-ACK between two pods, and what part of it nodes, wire and pod took")
    .addOption(kubeconfigOption())
    .requiredOption("--from <[namespace/]pod>", "pod that connects", podRef)
    .requiredOption("--to <[namespace/]pod>", "pod that answers", podRef)
    .requiredOption("--port <port>", "TCP port of the pod that answers", wholeNumber(1, 65535))
    .option("--count <n>", "how many connections to make, one after the other", wholeNumber(1, 10_000), 100)
    .option("--watch <seconds>", "watch the pods' own connections instead of making any", wholeNumber(1, 600))
    .option("--image <image>", "image with bash, tcpdump, iproute2 and nsenter", defaultProbeImage)
    .option("--json", "print the result as JSON", false)
    .addHelpText("after", helpText)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : exitCodes.couldNotRun))
    .action(async (flags: Flags) => {
      process.exitCode = await exitCodeOf((signal) => run(flags, signal));
    });
}

const helpText = `
Runs a privileged pod on the nodes of both pods while it measures. XDP programs take packets before they can be seen on a node.
Exit codes: 0 measured, 2 it could not run, 130 interrupted.`;

async function run(flags: Flags, signal: AbortSignal): Promise<number> {
  const { from, to, port, count, image } = flags;
  const kubeconfig = await readKubeconfig(flags.kubeconfig);
  const onProgress = stepTeller();
  const result = await capture({
    kubeconfig,
    from,
    to,
    port,
    count,
    watchSeconds: flags.watch,
    image,
    onProgress,
    signal,
  });
  process.stdout.write(flags.json ? `${JSON.stringify(result, undefined, 2)}\n` : renderCapture(result));
  return exitCodes.healthy;
}

function podRef(text: string): PodRef {
  const ref = parsePodRef(text);
  if (!ref) throw new InvalidArgumentError(`${text} is not POD or NAMESPACE/POD`);
  return ref;
}

/** Reads a whole number within limits. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`a whole number from ${least} to ${most} is wanted`);
    }
    return value;
  };
}
