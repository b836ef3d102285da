/**
 * Server types and locations of Hetzner Cloud, as of 2026-09 (public price list and API documentation). The plan judges by this
 * table; where a server type is used, the API's own answer is compared with it.
 */
export const catalogueDate = "2026-09";

/**
 * When the prices were read: those of new servers since 2026-06-15
 * (https://docs.hetzner.com/general/infrastructure-and-availability/price-adjustment/), by way of mixxor/eu-cloud-prices of 2026-08-17,
 * which has them with 19 % VAT and an IPv4 address of EUR 0.50; both are taken off here. They have no say in the plan.
 */
export const priceDate = "2026-08";

/** A server type of the cloud. */
export interface ServerType {
  name: string;
  /** Whether the vCPUs are reserved for this server or shared with others, which shows as steal time. */
  cpuType: "shared" | "dedicated";
  cores: number;
  memoryGiB: number;
  arch: "x86" | "arm";
  /** Names of the locations that offer it. */
  locations: readonly string[];
  /**
   * Euro a month, net, for a server in network zone eu-central, as of `priceDate`; without a public IPv4 address and without traffic
   * beyond what is included. Absent: no figure is known. Other zones have other prices, of which none is known here.
   */
  priceEurMonth?: number;
}

/** Location name to country, by ISO 3166. */
export const countries: Readonly<Record<string, string>> = {
  fsn1: "DE",
  nbg1: "DE",
  hel1: "FI",
  ash: "US",
  hil: "US",
  sin: "SG",
};

/** Location name to network zone. All subnets of a network lie in one zone. */
export const locations: Readonly<Record<string, string>> = {
  fsn1: "eu-central",
  nbg1: "eu-central",
  hel1: "eu-central",
  ash: "us-east",
  hil: "us-west",
  sin: "ap-southeast",
};

const europe = ["fsn1", "nbg1", "hel1"];
const america = ["ash", "hil"];
const everywhere = [...europe, ...america, "sin"];

/** A row: name, cores, memory in GiB, price in eu-central where it is known. */
type Row = readonly [name: string, cores: number, memoryGiB: number, priceEurMonth?: number];

function line(cpuType: ServerType["cpuType"], arch: ServerType["arch"], at: string[], rows: Row[]): ServerType[] {
  return rows.map(([name, cores, memoryGiB, priceEurMonth]) => ({
    name,
    cpuType,
    arch,
    cores,
    memoryGiB,
    locations: at,
    ...(priceEurMonth === undefined ? {} : { priceEurMonth }),
  }));
}

/** All server types of the catalogue. */
export const serverTypes: readonly ServerType[] = [
  ...line("shared", "x86", europe, [
    ["cx23", 2, 4, 5.49],
    ["cx33", 4, 8, 8.49],
    ["cx43", 8, 16, 15.99],
    ["cx53", 16, 32, 29.49],
  ]),
  ...line(
    "shared",
    "x86",
    [...europe, "sin"],
    [
      ["cpx12", 1, 2, 11.49],
      ["cpx22", 2, 4, 19.49],
      ["cpx32", 4, 8, 35.49],
      ["cpx42", 8, 16, 69.49],
      ["cpx52", 12, 24, 100.49],
      ["cpx62", 16, 32, 129.99],
    ],
  ),
  ...line("shared", "x86", america, [
    ["cpx11", 2, 2],
    ["cpx21", 3, 4],
    ["cpx31", 4, 8],
    ["cpx41", 8, 16],
    ["cpx51", 16, 32],
  ]),
  ...line("shared", "arm", europe, [
    ["cax11", 2, 4, 5.99],
    ["cax21", 4, 8, 10.49],
    ["cax31", 8, 16, 20.99],
    ["cax41", 16, 32, 40.99],
  ]),
  ...line("dedicated", "x86", everywhere, [
    ["ccx13", 2, 8, 42.99],
    ["ccx23", 4, 16, 85.99],
    ["ccx33", 8, 32, 138.49],
    ["ccx43", 16, 64, 275.99],
    ["ccx53", 32, 128, 533.49],
    ["ccx63", 48, 192, 853.49],
  ]),
];

/** Finds a server type by name; undefined when the catalogue has none. */
export function serverType(name: string): ServerType | undefined {
  return serverTypes.find((type) => type.name === name);
}
