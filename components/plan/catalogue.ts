/**
 * Server types and locations of Hetzner Cloud, as of 2026-09 (public price list and API documentation). The plan judges by this
 * table; where a server type is used, the API's own answer is compared with it.
 */
export const catalogueDate = "2026-09";

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
}

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

/** A row: name, cores, memory in GiB. */
type Row = readonly [string, number, number];

function line(cpuType: ServerType["cpuType"], arch: ServerType["arch"], at: string[], rows: Row[]): ServerType[] {
  return rows.map(([name, cores, memoryGiB]) => ({ name, cpuType, arch, cores, memoryGiB, locations: at }));
}

/** All server types of the catalogue. */
export const serverTypes: readonly ServerType[] = [
  ...line("shared", "x86", europe, [
    ["cx23", 2, 4],
    ["cx33", 4, 8],
    ["cx43", 8, 16],
    ["cx53", 16, 32],
  ]),
  ...line(
    "shared",
    "x86",
    [...europe, "sin"],
    [
      ["cpx12", 1, 2],
      ["cpx22", 2, 4],
      ["cpx32", 4, 8],
      ["cpx42", 8, 16],
      ["cpx52", 12, 24],
      ["cpx62", 16, 32],
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
    ["cax11", 2, 4],
    ["cax21", 4, 8],
    ["cax31", 8, 16],
    ["cax41", 16, 32],
  ]),
  ...line("dedicated", "x86", everywhere, [
    ["ccx13", 2, 8],
    ["ccx23", 4, 16],
    ["ccx33", 8, 32],
    ["ccx43", 16, 64],
    ["ccx53", 32, 128],
    ["ccx63", 48, 192],
  ]),
];

/** Finds a server type by name; undefined when the catalogue has none. */
export function serverType(name: string): ServerType | undefined {
  return serverTypes.find((type) => type.name === name);
}
