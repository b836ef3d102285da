import { plannedMode } from "../loadBalancerMode";
import { at } from "../merge";
import { resolveDataPath } from "../resolve";
import type { Tunnel } from "../types";
import { capabilitiesOf } from "../underlay";
import { ciliumOf } from "./ciliumValues";
import type { Subject } from "./rule";

/** How packets go in the end: what the plan chooses, with the user's own values over it. */
export interface PacketPath {
  /** network.tunnel. */
  tunnel: Tunnel;
  routing: unknown;
  protocol: unknown;
  mode: unknown;
  dispatch: unknown;
}

/** The path of a cluster's packets, as far as its arguments tell. */
export function pathOf(subject: Subject): PacketPath {
  const { values } = ciliumOf(subject);
  const planned = resolveDataPath(subject.args.network);
  const { tunnel } = planned;
  const { sourceCheck } = capabilitiesOf(subject.args);
  return {
    tunnel,
    routing: at(values, "routingMode") ?? (tunnel === "none" ? "native" : "tunnel"),
    protocol: at(values, "tunnelProtocol") ?? (tunnel === "none" ? undefined : tunnel),
    mode: at(values, "loadBalancer.mode") ?? plannedMode(sourceCheck, planned),
    dispatch: at(values, "loadBalancer.dsrDispatch") ?? "opt",
  };
}

/** What is wrong with the dispatch of DSR, given that the mode is one; undefined when nothing is. */
export function dispatchProblem({
  dispatch,
  routing,
  protocol,
}: PacketPath): { message: string; fix: string } | undefined {
  const tunnel = routing === "tunnel";
  const geneve = protocol === "geneve";
  if (dispatch === "ipip")
    return { message: "ipip is for nodes that do nothing but balance load", fix: "use opt, or geneve" };
  if (dispatch !== "opt" && dispatch !== "geneve")
    return { message: `there is no dispatch ${JSON.stringify(dispatch)}`, fix: "use opt, or geneve" };
  if (tunnel && !geneve) return { message: "DSR does not go with a VXLAN tunnel", fix: "set tunnelProtocol: geneve" };
  if (dispatch === "geneve" && !geneve)
    return { message: "geneve needs tunnelProtocol: geneve", fix: "set it, or use opt" };
  if (dispatch === "opt" && tunnel)
    return { message: "opt needs native routing, and routingMode is tunnel", fix: "use geneve, or native routing" };
  return undefined;
}
