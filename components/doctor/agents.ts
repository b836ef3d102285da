import type { CollectOptions } from "./collect";
import type { AgentWindow, CiliumAgent, CiliumStatus, Seen } from "./evidence";
import { execInPod } from "./exec";
import type { Kube } from "./kube";
import { mapLimited } from "./limit";
import { parseAgentWindow, parseCiliumStatus, parseCiliumVersion } from "./parseCilium";
import type { AgentPod, ClusterObjects } from "./readCluster";

/** Asks all agents of Cilium at the same time. */
export async function askAgents(
  kube: Kube,
  agents: ClusterObjects["agents"],
  options: CollectOptions,
  signal: AbortSignal,
): Promise<Seen<CiliumAgent[]>> {
  if ("unseen" in agents) return agents;
  const asked = await mapLimited(agents.value, 16, async (agent): Promise<CiliumAgent> => {
    const { node, pod, ready } = agent;
    const silent = { unseen: `the agent ${pod} is not ready, so it cannot be asked` };
    if (!ready) return { node, pod, ready, status: silent, window: silent };
    const run = runner(kube, agent, options, signal);
    const [status, window] = await Promise.all([askStatus(pod, run, signal), askWindow(pod, run, signal)]);
    return { node, pod, ready, status, window };
  });
  return { value: asked };
}

type Run = (limit: number, ...command: string[]) => Promise<{ stdout: string; stderr: string }>;

function runner(kube: Kube, agent: AgentPod, options: CollectOptions, signal: AbortSignal): Run {
  const where = { namespace: agent.namespace, pod: agent.pod, container: "cilium-agent" };
  return async (limit, ...command) => {
    const result = await execInPod(kube, where, command, limit, signal);
    options.onTranscript?.(`${agent.pod}: ${command.join(" ")}`, result.stdout + result.stderr);
    return result;
  };
}

/** Before Cilium 1.15 the command had another name. */
async function askStatus(pod: string, run: Run, signal: AbortSignal): Promise<Seen<CiliumStatus>> {
  let problem = "";
  for (const command of ["cilium-dbg", "cilium"]) {
    try {
      const result = await run(15_000, command, "status", "--verbose", "-o", "json");
      if (result.stdout.includes("{")) {
        const status = parseCiliumStatus(result.stdout);
        // The status lacks the version where the build's version text has less than its usual three words.
        if (status.version === "") status.version = parseCiliumVersion((await run(15_000, command, "version")).stdout);
        return { value: status };
      }
      problem ||= result.stderr.trim().split("\n").at(-1) || "no output";
    } catch (error) {
      if (signal.aborted) throw error;
      problem ||= (error as Error).message;
    }
  }
  return { unseen: `the agent ${pod} did not tell its status: ${problem}` };
}

export const windowScript = `c=cilium-dbg; command -v $c >/dev/null || c=cilium
counters() { echo "=== $1"; $c metrics list -p 'bpf_map_pressure|drop_count_total' -o json 2>&1; }
echo "=== begin"; date +%s
counters first
sleep 7
counters last
echo "=== health"; cilium-health status -o json 2>&1`;

async function askWindow(pod: string, run: Run, signal: AbortSignal): Promise<Seen<AgentWindow>> {
  try {
    const { stdout, stderr } = await run(40_000, "sh", "-c", windowScript);
    const window = parseAgentWindow(stdout);
    return window ? { value: window } : { unseen: `the agent ${pod} did not tell its counters: ${stderr.trim()}` };
  } catch (error) {
    if (signal.aborted) throw error;
    return { unseen: `the agent ${pod} did not tell its counters: ${(error as Error).message}` };
  }
}
