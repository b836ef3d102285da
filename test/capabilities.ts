import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import type { Context, Runnable, Suite } from "mocha";
import { cachedChart, cachedTool } from "./plan/tools";
import { cachedQemu } from "../sandbox/vm/qemu";
import { cachedPolicyCrd } from "./policy/schema";
import { canHaveGoClient, canHavePythonClient } from "./sandbox/api/clients";

/** Something of the host that some tests cannot do without. */
export interface Capability {
  name: string;
  /** Which tests are bound to it, and why. */
  reason: string;
  /** Whether this host has it. Quick, changes nothing. */
  probe(): boolean;
}

/** The only reasons for which a test may be skipped. */
export const capabilities: readonly Capability[] = [
  {
    name: "root",
    reason: "Root file systems, mounts and a container runtime of our own need root.",
    probe: () => process.getuid?.() === 0,
  },
  {
    name: "go",
    reason: "Building tools from Go modules needs the go command.",
    probe: () => runs("go", "version"),
  },
  {
    name: "cc",
    reason: "Building pause, the stand-in for every tool in the tests of the toolchain, needs a C compiler.",
    probe: () => runs("cc", "--version"),
  },
  {
    name: "zstd",
    reason: "Packing compressed layers needs the zstd command.",
    probe: () => runs("zstd", "--version"),
  },
  {
    name: "ping",
    reason: "Measuring packet sizes across network namespaces needs ip, unshare and ping as iputils has it.",
    probe: () => runs("ip", "-V") && runs("unshare", "--version") && runs("ping", "-V"),
  },
  {
    name: "tun",
    reason: "Making a path longer needs python3 and a TUN device.",
    probe: () => runs("python3", "--version") && existsSync("/dev/net/tun"),
  },
  {
    name: "mmdebstrap",
    reason: "Making Debian root file systems needs mmdebstrap.",
    probe: () => runs("mmdebstrap", "--version"),
  },
  {
    name: "namespaces",
    reason:
      "Running a node's setup script away from the host needs mount and network namespaces, overlayfs and iproute2.",
    probe: () => runs("ip", "-V") && runs("unshare", "--mount", "--net", "sh", "-c", overlayOverEtc),
  },
  {
    name: "ssh-port",
    reason:
      "Pretended machines of the engine's tests listen on port 22 of loopback addresses, which an SSH server of the host on all addresses takes.",
    probe: () => runs(process.execPath, "-e", listenAsMachine),
  },
  {
    name: "kubeadm",
    reason:
      "Having kubeadm judge the planned documents needs the toolchain's kubeadm in the cache; `up` puts it there.",
    probe: () => cachedTool("kubeadm") !== undefined,
  },
  {
    name: "cilium-chart",
    reason:
      "Having the chart's schema judge the planned values needs helm and the chart in the cache; `up` puts them there.",
    probe: () => cachedTool("helm") !== undefined && cachedChart() !== undefined,
  },
  {
    name: "cilium-crds",
    reason:
      "Having the schema of Cilium's own types judge the planned policies needs Cilium's sources in the cache; `up` puts them there.",
    probe: () => cachedPolicyCrd() !== undefined,
  },
  {
    name: "qemu",
    reason: "Booting a stock kernel needs QEMU in the cache, which is made on x86-64 alone; `npm test` puts it there.",
    probe: () => process.arch === "x64" && cachedQemu() !== undefined,
  },
  {
    name: "hcloud-python",
    reason: "Driving the emulated cloud by the vendor's Python client needs python3 and that package.",
    probe: canHavePythonClient,
  },
  {
    name: "hcloud-go",
    reason: "Driving the emulated cloud by the vendor's Go client needs the go command and that module.",
    probe: canHaveGoClient,
  },
];

const overlayOverEtc =
  "mount -t tmpfs t /mnt && mkdir /mnt/u /mnt/w && mount -t overlay o -o lowerdir=/etc,upperdir=/mnt/u,workdir=/mnt/w /etc";

const listenAsMachine = "require('node:net').createServer().listen(22, '127.77.0.254', () => process.exit(0))";

const answers = new Map<string, boolean>();

/** Skipped tests, and suites whose hook skipped them, with the capability that the host lacks. The run reports and judges them. */
export const skippedFor = new WeakMap<Runnable | Suite, string>();

/**
 * Skips a test or a suite where the host lacks something. Call it first, in `it(…, function () {…})` or `before(function () {…})`.
 * @param context mocha's `this`
 * @param names of `capabilities`
 */
export function needs(context: Context, ...names: string[]): void {
  for (const name of names) {
    const capability = capabilities.find((candidate) => candidate.name === name);
    if (!capability) throw new Error(`no capability is called ${name}`);
    const there = answers.get(name) ?? capability.probe();
    answers.set(name, there);
    if (there) continue;
    const runnable = context.runnable();
    skippedFor.set(isHook(runnable) ? (runnable.parent ?? runnable) : runnable, name);
    context.skip();
  }
}

function isHook(runnable: Runnable): boolean {
  return "type" in runnable && runnable.type === "hook";
}

function runs(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
