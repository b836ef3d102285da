/* Previews of a standing cluster, made by hand: what no program of the library does. */
import { type Finding, type PreviewReport, readPreview, reportPreview } from "../../components/preview";

export const clusterUrn = "urn:pulumi:eng::zerosteal::zerosteal:index:TunedCluster::eng";
export const command = "command:remote:Command";
export const server = "hcloud:index/server:Server";

type Inputs = Record<string, unknown>;

/** A resource of a preview, as the engine writes it. */
export interface MadeStep {
  op: string;
  urn: string;
  provider?: string;
  oldState?: { parent: string; inputs: Inputs };
  newState?: { parent: string; inputs: Inputs };
  diffReasons?: string[];
}

/** A child of the cluster, or of another resource. */
export function child(
  op: string,
  type: string,
  name: string,
  states: [old?: Inputs, next?: Inputs],
  parent = clusterUrn,
): MadeStep {
  const [old, next] = states.map((inputs) => inputs && { parent, inputs });
  const provider = type.startsWith("pulumi:providers:") ? {} : { provider: "p" };
  return {
    op,
    urn: `urn:pulumi:eng::zerosteal::zerosteal:index:TunedCluster$${type}::${name}`,
    ...provider,
    oldState: old,
    newState: next,
  };
}

/** A changed input of a step. */
export function changed(type: string, name: string, old: Inputs, next: Inputs): MadeStep {
  return { ...child("update", type, name, [old, next]), diffReasons: Object.keys({ ...old, ...next }) };
}

/** The report of a preview with these steps beside a cluster that stays. */
export function reportOf(...steps: MadeStep[]): PreviewReport {
  const state = { parent: "", inputs: {} };
  const own = { op: "same", urn: clusterUrn, oldState: state, newState: state };
  return reportPreview(readPreview(JSON.stringify({ changeSummary: {}, steps: [own, ...steps] })));
}

/** Everything that a report says. */
export function findingsOf({ clusters, others }: PreviewReport): Finding[] {
  return [
    ...clusters.flatMap(({ findings, nodes }) => [...findings, ...nodes.flatMap((node) => node.findings)]),
    ...others,
  ];
}

/** What a report says with this id; fails loudly where it does not. */
export function saidOf(report: PreviewReport, id: string): Finding {
  const found = findingsOf(report).find((one) => one.id === id);
  if (found === undefined) throw new Error(`nothing of ${id} in ${JSON.stringify(findingsOf(report))}`);
  return found;
}
