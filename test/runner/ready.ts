import { ensureQemu } from "../../sandbox/vm/qemu";
import { ensureVmImage } from "../../sandbox/vm/vmImage";
import { type DebianPackage, ensureDebianPackages, sandboxPackages } from "../../toolchain/debian";
import { ensure } from "../../toolchain/ensure";
import { toolNames } from "../../toolchain/manifest";
import type { ProgressEvent } from "../../toolchain/progress";
import { ensureCiliumSources } from "../../toolchain/sources";
import type { Screen, TierResult } from "./result";

/** What tests need of the host besides the sandbox's own needs. */
const testPackages: DebianPackage[] = [
  { name: "iputils-ping", why: "measures packet sizes" },
  { name: "zstd", why: "packs compressed layers" },
  { name: "python3-venv", why: "runs the vendor's Python client against the emulated cloud" },
];

/**
 * Makes packages of the host and tools ready, so that no test has to wait for a build. What is missing counts as one failure.
 * @param machines whether a tier boots virtual machines
 */
export async function makeReady(screen: Screen, machines: boolean): Promise<TierResult> {
  const started = Date.now();
  const result: TierResult = { tier: "ready", passed: 0, failed: 0, skips: [], seconds: 0 };
  const heard = new Map<string, number>();
  const onProgress = ({ step, detail, elapsedMs }: ProgressEvent): void => {
    // A build tells many lines a second.
    if (elapsedMs - (heard.get(step) ?? -Infinity) < 15_000) return;
    heard.set(step, elapsedMs);
    screen.tell("ready", `${step}: ${detail}`);
  };
  try {
    await ensureDebianPackages([...sandboxPackages, ...testPackages], onProgress);
    await ensure(toolNames("engine", "node", "image"), { onProgress });
    await ensureCiliumSources();
    if (machines && process.arch === "x64") {
      await ensureQemu({ onProgress });
      await ensureVmImage({ onProgress });
    }
  } catch (error) {
    result.failed = 1;
    screen.fail("ready", "tools of the tests", error instanceof Error ? error.message : String(error));
  }
  result.seconds = (Date.now() - started) / 1000;
  return result;
}
