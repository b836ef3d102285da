/*
 * Entry for programs: reads one JSON document from stdin, so that no secret stands among the arguments. Prints the
 * JSON report when the cluster is healthy; else one line a failure to stderr. Exit codes: report.ts.
 */
import { text } from "node:stream/consumers";
import { defaultCloudEndpoint, type CloudAccess } from "./cloud";
import { interruptible } from "./interrupt";
import { CannotRun } from "./kube";
import { exitCodes, failureLine } from "./report";
import { runDoctor, type DoctorOptions } from "./run";
import type { Expectation } from "./types";

/** The document on stdin. */
export interface DoctorInput {
  /** Text of a kubeconfig. */
  kubeconfig: string;
  expectation?: Expectation;
  /** Token of the cloud's API. Default: HCLOUD_TOKEN of the environment; without one the routes are not seen. */
  hcloudToken?: string;
  /** Base URL of the cloud's API. Default: HCLOUD_ENDPOINT of the environment, else the public one. */
  hcloudEndpoint?: string;
  /** Image of the probe pods. */
  image?: string;
  /** `host:port` outside of the cluster that pods must reach. */
  egressTarget?: string;
  settleSeconds?: number;
}

/**
 * Options from the document.
 * @throws CannotRun when it is not such a document; its text is not repeated, as it holds secrets
 */
export function readInput(document: string, environment: NodeJS.ProcessEnv): DoctorOptions {
  let input: Partial<DoctorInput> | null;
  try {
    input = JSON.parse(document) as Partial<DoctorInput> | null;
  } catch {
    throw new CannotRun("The doctor's input on stdin is not a JSON document.");
  }
  if (typeof input?.kubeconfig !== "string" || input.kubeconfig === "") {
    throw new CannotRun("The doctor's input on stdin has no kubeconfig.");
  }
  const { kubeconfig, expectation, image, egressTarget, settleSeconds, hcloudToken, hcloudEndpoint } = input;
  return {
    kubeconfig,
    expectation,
    probeImage: image,
    egressTarget,
    settleSeconds,
    hcloud: cloudAccess(
      expectation,
      hcloudToken ?? environment.HCLOUD_TOKEN,
      hcloudEndpoint ?? environment.HCLOUD_ENDPOINT,
    ),
  };
}

/** Access to the cloud, where both a token and a planned network are known. */
export function cloudAccess(
  expectation: Expectation | undefined,
  token: string | undefined,
  endpoint: string | undefined,
): CloudAccess | undefined {
  if (!token || !expectation?.cloudRoutes) return undefined;
  return { token, endpoint: endpoint || defaultCloudEndpoint, networkName: expectation.cloudRoutes.networkName };
}

async function main(): Promise<number> {
  try {
    const options = readInput(await text(process.stdin), process.env);
    const report = await interruptible((signal) => runDoctor({ ...options, signal }));
    if (report === "interrupted") {
      process.stderr.write("The doctor was interrupted.\n");
      return exitCodes.interrupted;
    }
    if (report.healthy) {
      process.stdout.write(`${JSON.stringify(report)}\n`);
      return exitCodes.healthy;
    }
    const failures = report.results.filter((result) => result.outcome === "failed");
    process.stderr.write(failures.map((result) => `${failureLine(result)}\n`).join(""));
    return exitCodes.failed;
  } catch (error) {
    // Anything else is a fault of this program, and keeps its stack.
    const told = error instanceof CannotRun ? error.message : error instanceof Error ? error.stack : error;
    process.stderr.write(`${String(told)}\n`);
    return exitCodes.couldNotRun;
  }
}

if (require.main === module) {
  void main().then((code) => {
    process.exitCode = code;
  });
}
