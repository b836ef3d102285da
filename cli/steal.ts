import type { Command } from "commander";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { measureSteal, type StealOptions } from "../components/debug/steal";
import { stealMetrics } from "../components/debug/stealMetrics";
import { renderSteal } from "../components/debug/stealText";
import { CannotRun } from "../components/doctor/kube";
import { defaultProbeImage } from "../components/doctor/probePods";
import { exitCodes } from "../components/doctor/report";
import { wholeNumber } from "./capture";
import { readPlan } from "./doctor";
import { exitCodeOf, kubeconfigOption, readKubeconfig, readText, stepTeller } from "./kubeCommand";

interface Flags {
  kubeconfig?: string;
  plan?: string;
  seconds: number;
  load: boolean;
  image: string;
  json: boolean;
  serve?: number;
  every: number;
}

/** Adds `steal` to a command line. Exit codes: 0 none above its limit, 1 some above, 2 it could not run, 130 interrupted. */
export function registerSteal(program: Command): Command {
  return program
    .command("steal")
    .description("measure how much CPU time the nodes' hosts give to others, and say which machines to complain about")
    .addOption(kubeconfigOption())
    .option("--plan <file>", "plan of the cluster as JSON: tells which nodes have dedicated CPUs")
    .option("--seconds <n>", "how long to measure", wholeNumber(2, 600), 30)
    .option("--no-load", "leave the CPUs as busy as they are; steal shows on busy ones only")
    .option("--image <image>", "image with bash and coreutils", defaultProbeImage)
    .option("--json", "print the result as JSON", false)
    .option(
      "--serve <port>",
      "stay, measure again and again, and serve metrics for Prometheus on 127.0.0.1",
      wholeNumber(1, 65535),
    )
    .option("--every <seconds>", "with --serve: pause between measurements", wholeNumber(1, 86_400), 300)
    .addHelpText("after", "\nExit codes: 0 none above its limit, 1 some above, 2 it could not run, 130 interrupted.")
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : exitCodes.couldNotRun))
    .action(async (flags: Flags) => {
      process.exitCode = await exitCodeOf((signal) => run(flags, signal));
    });
}

async function run(flags: Flags, signal: AbortSignal): Promise<number> {
  const { seconds, load, image } = flags;
  const kubeconfig = await readKubeconfig(flags.kubeconfig);
  const expectation = flags.plan === undefined ? undefined : readPlan(await readText(flags.plan, "plan"), flags.plan);
  const options: StealOptions = { kubeconfig, expectation, seconds, load, image, signal, onProgress: stepTeller() };
  if (flags.serve !== undefined) return serve(flags.serve, flags.every, options, signal);
  const nodes = await measureSteal(options);
  process.stdout.write(flags.json ? `${JSON.stringify(nodes, undefined, 2)}\n` : renderSteal(nodes));
  return nodes.some(({ verdict }) => verdict === "stolen") ? exitCodes.failed : exitCodes.healthy;
}

/** Until it is interrupted. A measurement that fails is told and tried again later. */
async function serve(port: number, pause: number, options: StealOptions, signal: AbortSignal): Promise<number> {
  const metrics = stealMetrics();
  const server = createServer((request, response) => {
    if (request.url !== "/metrics") return void response.writeHead(404).end("Metrics are at /metrics.\n");
    metrics.text().then(
      (text) => response.writeHead(200, { "content-type": metrics.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(new CannotRun(`Cannot listen on 127.0.0.1:${port}: ${error.message}.`)));
    server.listen(port, "127.0.0.1", resolve);
  });
  process.stderr.write(`Metrics are at http://127.0.0.1:${port}/metrics.\n`);
  try {
    for (;;) {
      await measureSteal(options).then(metrics.record, (error: unknown) => {
        if (signal.aborted || !(error instanceof CannotRun)) throw error;
        process.stderr.write(`${error.message}\n`);
      });
      await sleep(pause * 1000, undefined, { signal });
    }
  } finally {
    server.close();
  }
}
