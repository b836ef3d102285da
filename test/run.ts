/*
 * `npm test`: the whole ladder, one tier after the other. `npm test -- plan doctor` runs some tiers, `--quick` leaves packages and tools
 * as they are. The last line says what it came to; the exit code is 0 only when nothing failed.
 */
import { capabilities } from "./capabilities";
import { runChecks, sourceChecks } from "./runner/checks";
import { runMocha } from "./runner/mochaTier";
import { endGroup, killGroup, runningGroups } from "./runner/process";
import { makeReady } from "./runner/ready";
import { renderTable, Screen, totalLine, type TierResult } from "./runner/result";
import { type Tier, tiers } from "./runner/tiers";

/** In which interrupted tests may clean up. */
const graceMs = 60_000;

const screen = new Screen();
/** A signal that comes by two ways, from the terminal and from a parent, is one. */
const sameSignalMs = 1_000;
let interrupted = 0;

async function main(args: string[]): Promise<number> {
  const quick = args.includes("--quick");
  const chosen = chooseTiers(args.filter((arg) => arg !== "--quick"));
  const results: TierResult[] = [];
  const machines = chosen.some((tier) => tier.machines);
  if (!quick && chosen.some((tier) => tier.tools)) results.push(await makeReady(screen, machines));
  for (const tier of chosen) {
    if (interrupted > 0) break;
    screen.tell(tier.name, "begins");
    results.push(await runTier(tier));
  }
  printSkips(results);
  screen.recallFailures();
  screen.print(["", ...renderTable(results), ""]);
  if (interrupted > 0) screen.print(["Interrupted: the tiers after this one did not run.", ""]);
  screen.print([totalLine(results)]);
  if (interrupted > 0) return 130;
  return results.some((result) => result.failed > 0) ? 1 : 0;
}

function chooseTiers(names: string[]): Tier[] {
  const unknown = names.filter((name) => !tiers.some((tier) => tier.name === name));
  if (unknown.length > 0) {
    const known = tiers.map((tier) => tier.name).join(", ");
    throw new Error(`No tier is called ${unknown.join(", ")}; the tiers are ${known}.`);
  }
  return tiers.filter((tier) => (names.length === 0 ? !tier.named : names.includes(tier.name)));
}

function runTier(tier: Tier): Promise<TierResult> {
  if (tier.files) return runMocha(tier, { screen });
  return runChecks(tier.name, sourceChecks, tier.limitMinutes, screen);
}

function printSkips(results: TierResult[]): void {
  const skips = results.flatMap((result) => result.skips.map((skip) => ({ ...skip, tier: result.tier })));
  for (const { name, reason } of capabilities) {
    const bound = skips.filter((skip) => skip.capability === name);
    if (bound.length === 0) continue;
    screen.print(["", `Skipped, as this host lacks ${name}. ${reason}`]);
    screen.print(bound.map((skip) => `  ${skip.tier}: ${skip.title}`));
  }
}

function interrupt(): void {
  if (Date.now() - interrupted < sameSignalMs) return;
  const groups = runningGroups();
  if (interrupted > 0) for (const group of groups) killGroup(group, "SIGKILL");
  else for (const group of groups) endGroup(group, graceMs);
  interrupted = Date.now();
  // Nothing to wait for: packages and tools are made ready within this process.
  if (groups.length === 0) process.exit(130);
}

process.on("SIGINT", interrupt);
process.on("SIGTERM", interrupt);
main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(2);
  },
);
