import type { MochaTier } from "./mochaTier";

/** A tier of the ladder, from the quickest to the one that needs most. */
export type Tier = (MochaTier | { name: string; limitMinutes: number; files?: undefined }) & {
  /** Whether `npm test` makes packages of the host and tools of the toolchain ready for it. */
  tools: boolean;
  /** Whether it boots virtual machines. */
  machines?: boolean;
  /** Whether it runs only when it is named: it takes too long for the ladder, or is not yet known to hold on every host. */
  named?: boolean;
};

/** The ladder. `check` has no test files: it judges the sources themselves. */
export const tiers: readonly Tier[] = [
  { name: "check", limitMinutes: 10, tools: false },
  {
    name: "repository",
    files: ["test/runner/**/*.test.ts", "test/repository/**/*.test.ts"],
    limitMinutes: 10,
    tools: false,
  },
  { name: "plan", files: ["test/plan/**/*.test.ts"], limitMinutes: 10, tools: true },
  { name: "policy", files: ["test/policy/**/*.test.ts"], limitMinutes: 5, tools: true },
  { name: "preview", files: ["test/preview/**/*.test.ts"], limitMinutes: 5, tools: false },
  { name: "doctor", files: ["test/doctor/**/*.test.ts", "test/debug/**/*.test.ts"], limitMinutes: 5, tools: false },
  { name: "cli", files: ["test/cli/**/*.test.ts"], limitMinutes: 5, tools: false },
  { name: "components", files: ["test/components/**/*.test.ts"], limitMinutes: 5, tools: false },
  { name: "toolchain", files: ["test/toolchain/**/*.test.ts"], limitMinutes: 10, tools: true },
  { name: "sandbox", files: ["test/sandbox/**/*.test.ts"], limitMinutes: 20, tools: true },
  {
    name: "engine",
    files: ["test/engine/**/*.test.ts"],
    limitMinutes: 30,
    tools: true,
  },
  {
    name: "kernel",
    files: ["test/kernel/**/*.test.ts"],
    limitMinutes: 30,
    tools: true,
    machines: true,
    named: true,
  },
  { name: "e2e", files: ["test/e2e/**/*.test.ts"], limitMinutes: 60, tools: true, live: true },
  {
    name: "soak",
    files: ["test/soak/**/*.test.ts"],
    limitMinutes: 120,
    tools: true,
    machines: true,
    live: true,
    named: true,
  },
];
