import { readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { contentKey, exists, sha256File } from "../../toolchain/cache";
import type { ToolFile } from "../../toolchain/ensure";

/** Where Cilium looks for loaded modules, and an empty file whose name is as long. */
const list = "/proc/modules";
const empty = "/dev/././null";

/**
 * An agent for a kernel that has no loadable modules, and so no /proc/modules. Cilium 1.16.1 ends at its start without that file; newer ones go
 * on. In a copy of the executable the file's name is that of an empty one: no module is loaded, which is true there.
 * @param agent of any version
 * @param dir where the copy is kept
 * @param kernelList replaced in tests
 * @returns the agent itself where the kernel has the file, or the version does not need it
 * @throws Error when the executable does not name the file once
 */
export async function agentForKernel(agent: ToolFile, dir: string, kernelList = list): Promise<ToolFile> {
  if (agent.version !== "1.16.1" || (await exists(kernelList))) return agent;
  const copy = path.join(dir, `${agent.name}-${contentKey([agent.sha256, empty])}`);
  if (!(await exists(copy))) {
    const program = await readFile(agent.path);
    const at = program.indexOf(list);
    if (at < 0 || program.includes(list, at + 1)) throw new Error(`${agent.path} does not name ${list} once`);
    program.write(empty, at);
    await writeFile(`${copy}.new`, program, { mode: 0o755 });
    await rename(`${copy}.new`, copy);
  }
  return { ...agent, path: copy, sha256: await sha256File(copy) };
}
