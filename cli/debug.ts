import type { Command } from "commander";
import { spawn } from "node:child_process";
import { parsePodRef, type PodRef, readPod } from "../components/debug/pods";
import { enforcedLevel, shellCommand } from "../components/debug/shell";
import { CannotRun, openKube } from "../components/doctor/kube";
import { defaultProbeImage } from "../components/doctor/probePods";
import { exitCodes } from "../components/doctor/report";
import { exitCodeOf, kubeconfigOption, readKubeconfig } from "./kubeCommand";

interface Flags {
  kubeconfig?: string;
  namespace: string;
  image: string;
  container?: string;
  viaNode: boolean;
  kubectl: string;
  print: boolean;
}

/** Adds `debug` to a command line. Exit codes: that of the session, 2 it could not be opened. */
export function registerDebug(program: Command): Command {
  return program
    .command("debug")
    .description(
      "open a session with network tools in a running pod: kubectl debug with the profile that lets tcpdump see packets",
    )
    .argument("<[namespace/]pod>", "pod to look into")
    .argument("[command...]", "what to run there, after `--`; default: bash")
    .addOption(kubeconfigOption())
    .option("-n, --namespace <name>", "namespace, where the pod's name has none", "default")
    .option("--image <image>", "image with the tools", defaultProbeImage)
    .option("-c, --container <name>", "container whose processes are shown; default: the first")
    .option("--via-node", "look from the node: where pod security refuses more, and to leave nothing in the pod", false)
    .option("--kubectl <file>", "kubectl to use, 1.27 or newer", "kubectl")
    .option("--print", "print the command, run nothing", false)
    .addHelpText("after", helpText)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : exitCodes.couldNotRun))
    .action(async (pod: string, command: string[], flags: Flags) => {
      process.exitCode = await exitCodeOf((signal) => debug(pod, command, flags, signal));
    });
}

const helpText = `
A debug container stays in its pod, ended, until the pod is deleted; with --via-node kubectl leaves an ended pod node-debugger-… behind.
A session with --via-node ends after four hours.`;

async function debug(text: string, command: string[], flags: Flags, signal: AbortSignal): Promise<number> {
  const ref = parsePodRef(text, flags.namespace);
  if (!ref) throw new CannotRun(`${text} is not POD or NAMESPACE/POD.`);
  const kube = openKube(await readKubeconfig(flags.kubeconfig), signal);
  const [pod, enforced] = await Promise.all([readPod(kube, ref), enforcedLevel(kube, ref.namespace)]);
  const { image, container, viaNode } = flags;
  const terminal = process.stdin.isTTY && process.stdout.isTTY;
  const asked = command.length > 0 ? command : undefined;
  const waits = !flags.print;
  const args = shellCommand(ref, pod, enforced, { image, container, viaNode, command: asked, terminal, waits });
  if (flags.print) {
    process.stdout.write(`${[flags.kubectl, ...args].map(quote).join(" ")}\n`);
    return 0;
  }
  return session(flags, args, ref, asked !== undefined && !terminal);
}

/**
 * The session takes the terminal over; Ctrl-C is its own.
 * @param byLine whether the session's command begins with the first line of its input
 */
function session(flags: Flags, args: string[], ref: PodRef, byLine: boolean): Promise<number> {
  const env = { ...process.env, KUBECONFIG: flags.kubeconfig };
  return new Promise((resolve, reject) => {
    const child = spawn(flags.kubectl, args, { stdio: [byLine ? "pipe" : "inherit", "inherit", "inherit"], env });
    if (child.stdin) {
      // A session that ends before its input does is no fault.
      child.stdin.on("error", () => process.stdin.unpipe());
      child.stdin.write("\n");
      // Left open at the input's end: a container runtime that sees the end of it takes the output away as well.
      process.stdin.pipe(child.stdin, { end: false });
    }
    child.on("error", (error: NodeJS.ErrnoException) => {
      const why = error.code === "ENOENT" ? "it is not on the PATH; install it, or give --kubectl FILE" : error.message;
      reject(new CannotRun(`${flags.kubectl} cannot open the session in ${ref.name}: ${why}.`));
    });
    child.on("exit", (code) => {
      if (byLine) process.stdin.destroy();
      resolve(code ?? exitCodes.interrupted);
    });
  });
}

function quote(word: string): string {
  return /^[\w./:@=-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
