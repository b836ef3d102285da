import { readFile } from "node:fs/promises";
import { exists } from "../../toolchain/cache";

/** What of the host decides how a machine must be prepared. Found by probing. */
export interface HostTraits {
  /** 1: controllers in hierarchies of their own, which newer systemd and kubelet refuse; 2: one unified tree. */
  cgroupVersion: 1 | 2;
  /** Whether processes may lower their OOM score (CAP_SYS_RESOURCE). */
  sysResource: boolean;
}

const CAP_SYS_RESOURCE = 24n;

/** Probes this host. */
export async function probeHost(): Promise<HostTraits> {
  const status = await readFile("/proc/self/status", "utf8");
  const bounding = BigInt(`0x${/^CapBnd:\s+(\S+)$/m.exec(status)?.[1] ?? "0"}`);
  return {
    cgroupVersion: (await exists("/sys/fs/cgroup/cgroup.controllers")) ? 2 : 1,
    sysResource: ((bounding >> CAP_SYS_RESOURCE) & 1n) === 1n,
  };
}
