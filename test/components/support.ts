import type * as pulumi from "@pulumi/pulumi";
import { TunedCluster, type TunedClusterArgs } from "../../components";
import { serverTypes } from "../../components/plan";
import { smallCluster } from "../plan/clusters";
import { type ProgramRun, type Registration, runProgram, type RunOptions } from "./program";

/** Arguments of a small cluster: one control plane, two workers in pool `web`. */
export function clusterArgs(change: Partial<TunedClusterArgs> = {}): TunedClusterArgs {
  return { ...smallCluster(), ...change };
}

/** A cluster with another number of workers in its pool. */
export function withWorkers(count: number, change: Partial<TunedClusterArgs> = {}): TunedClusterArgs {
  return clusterArgs({ pools: [{ name: "web", count, serverType: "ccx23" }], ...change });
}

/** Runs a program that has nothing but the cluster `prod`. */
export function runCluster(
  args: TunedClusterArgs = clusterArgs(),
  options: RunOptions & { component?: pulumi.ComponentResourceOptions } = {},
): Promise<ProgramRun<TunedCluster>> {
  return runProgram(() => new TunedCluster("prod", args, options.component), { calls: catalogue, ...options });
}

/** The cloud's answer to the one question that the components ask: what a server type has. */
export function catalogue(token: string, { name }: Record<string, unknown>): Record<string, unknown> | undefined {
  if (token !== "hcloud:index/getServerType:getServerType") return undefined;
  const type = serverTypes.find((candidate) => candidate.name === name);
  return type && { name: type.name, cores: type.cores, cpuType: type.cpuType };
}

/** `type name` of a registration, short: `hcloud:index/server:Server web` is `Server web`. */
export function label({ type, name }: Registration): string {
  return `${type
    .split(":")
    .slice(type.startsWith("command") ? -2 : -1)
    .join(".")} ${name}`;
}

/** The one registration of that label. */
export function find(registrations: Registration[], wanted: string): Registration {
  const found = registrations.filter((registration) => label(registration) === wanted);
  if (found.length !== 1) throw new Error(`${found.length} resources are called ${wanted}`);
  return found[0] as Registration;
}

/** All commands, remote and local. */
export function commands(registrations: Registration[]): Registration[] {
  return registrations.filter(({ type }) => type.startsWith("command:"));
}
