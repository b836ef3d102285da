import { locations, serverType } from "./catalogue";
import type { ClusterPlan } from "./types";

/** Network zone that the catalogue's prices are of. */
const pricedZone = "eu-central";

/** What a cluster's servers cost a month. */
export interface MonthlyPrice {
  /** Euro, net, of the servers whose price is known. */
  eur: number;
  /** Server types without a known price in the cluster's location, sorted; their servers are not in the sum. */
  unknown: string[];
}

/** What the sum leaves out, as the end of a sentence. */
export const notInPrice = "public IPv4 addresses, traffic beyond what is included, VAT";

/** Adds up the catalogue's prices of a plan's servers; see `priceDate` for how old they are. */
export function monthlyPrice(plan: ClusterPlan): MonthlyPrice {
  const { underlay } = plan;
  // What existing machines cost is between their owner and the provider.
  if (underlay.kind === "hosts") return { eur: 0, unknown: [] };
  const prices = plan.nodes.map(({ serverType: type = "" }) => ({
    type,
    eur: monthlyServerPrice(type, underlay.location),
  }));
  const cents = prices.reduce((sum, { eur }) => sum + Math.round((eur ?? 0) * 100), 0);
  const unknown = new Set(prices.filter(({ eur }) => eur === undefined).map(({ type }) => type));
  return { eur: cents / 100, unknown: [...unknown].sort() };
}

/** Euro a month, net, of one server; undefined where no figure is known. */
export function monthlyServerPrice(type: string, location: string): number | undefined {
  return locations[location] === pricedZone ? serverType(type)?.priceEurMonth : undefined;
}
