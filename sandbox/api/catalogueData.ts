/**
 * What the emulated cloud offers, as of autumn 2026. Names, ids and sizes are the vendor's public ones.
 * Prices are SAMPLE PRICES made up for this sandbox (a plain formula in catalogue.ts), not the vendor's.
 * Image ids are sample ids too, except ubuntu-24.04's.
 */

export interface LocationData {
  id: number;
  name: string;
  description: string;
  country: string;
  city: string;
  latitude: number;
  longitude: number;
  networkZone: string;
}

export interface ServerTypeData {
  id: number;
  name: string;
  cores: number;
  /** GiB. */
  memory: number;
  /** GB. */
  disk: number;
  cpu: "shared" | "dedicated";
  architecture: "x86" | "arm";
  /** Names of locations that offer it. */
  locations: readonly string[];
  /** Announced and final day of a type that goes or went away. */
  deprecation?: { announced: string; unavailableAfter: string };
}

export interface ImageData {
  id: number;
  name: string;
  description: string;
  osFlavor: string;
  osVersion: string;
  architecture: "x86" | "arm";
  created: string;
  deprecated: string | null;
}

/** All locations. */
export const locations: readonly LocationData[] = [
  location(1, "fsn1", "Falkenstein DC Park 1", "DE", "Falkenstein", 50.47612, 12.370071, "eu-central"),
  location(2, "nbg1", "Nuremberg DC Park 1", "DE", "Nuremberg", 49.452102, 11.076665, "eu-central"),
  location(3, "hel1", "Helsinki DC Park 1", "FI", "Helsinki", 60.169855, 24.938379, "eu-central"),
  location(4, "ash", "Ashburn, VA", "US", "Ashburn, VA", 39.045821, -77.487073, "us-east"),
  location(5, "hil", "Hillsboro, OR", "US", "Hillsboro, OR", 45.54222, -122.951924, "us-west"),
  location(6, "sin", "Singapore", "SG", "Singapore", 1.283333, 103.833333, "ap-southeast"),
];

const europe = ["fsn1", "nbg1", "hel1"] as const;
const europeAndAsia = [...europe, "sin"] as const;
const america = ["ash", "hil"] as const;
const everywhere = [...europe, ...america, "sin"] as const;

/** All server types. */
export const serverTypes: readonly ServerTypeData[] = [
  {
    ...shared(1, "cx11", 1, 2, 20, europe),
    deprecation: { announced: "2024-06-06T00:00:00Z", unavailableAfter: "2024-09-06T00:00:00Z" },
  },
  shared(22, "cpx11", 2, 2, 40, america),
  shared(23, "cpx21", 3, 4, 80, america),
  shared(24, "cpx31", 4, 8, 160, america),
  shared(25, "cpx41", 8, 16, 240, america),
  shared(26, "cpx51", 16, 32, 360, america),
  arm(45, "cax11", 2, 4, 40),
  arm(93, "cax21", 4, 8, 80),
  arm(94, "cax31", 8, 16, 160),
  arm(95, "cax41", 16, 32, 320),
  dedicated(96, "ccx13", 2, 8, 80),
  dedicated(97, "ccx23", 4, 16, 160),
  dedicated(98, "ccx33", 8, 32, 240),
  dedicated(99, "ccx43", 16, 64, 360),
  dedicated(100, "ccx53", 32, 128, 600),
  dedicated(101, "ccx63", 48, 192, 960),
  shared(108, "cpx12", 1, 2, 40, europeAndAsia),
  shared(109, "cpx22", 2, 4, 80, europeAndAsia),
  shared(110, "cpx32", 4, 8, 160, europeAndAsia),
  shared(111, "cpx42", 8, 16, 320, europeAndAsia),
  shared(112, "cpx52", 12, 24, 480, europeAndAsia),
  shared(113, "cpx62", 16, 32, 640, europeAndAsia),
  shared(114, "cx23", 2, 4, 40, europe),
  shared(115, "cx33", 4, 8, 80, europe),
  shared(116, "cx43", 8, 16, 160, europe),
  shared(117, "cx53", 16, 32, 320, europe),
];

/** All system images, one entry per architecture. */
export const images: readonly ImageData[] = [
  ...image(114690387, "debian-12", "Debian 12", "2023-06-13T06:00:00Z"),
  ...image(45557056, "debian-11", "Debian 11", "2021-08-16T11:12:01Z", "2026-08-31T00:00:00Z"),
  ...image(67794396, "ubuntu-22.04", "Ubuntu 22.04", "2022-04-21T13:32:38Z"),
  ...image(161547269, "ubuntu-24.04", "Ubuntu 24.04", "2024-04-25T13:26:55Z"),
  ...image(310557660, "debian-13", "Debian 13", "2025-08-11T08:00:00Z"),
  ...image(360000010, "ubuntu-26.04", "Ubuntu 26.04", "2026-04-24T08:00:00Z"),
  ...image(360000020, "rocky-9", "Rocky Linux 9", "2022-07-20T10:27:58Z"),
  ...image(360000030, "rocky-10", "Rocky Linux 10", "2025-06-16T08:00:00Z"),
  ...image(360000040, "alma-9", "AlmaLinux 9", "2022-05-20T08:00:00Z"),
  ...image(360000050, "alma-10", "AlmaLinux 10", "2025-06-02T08:00:00Z"),
  ...image(360000060, "centos-stream-10", "CentOS Stream 10", "2024-12-16T08:00:00Z"),
  ...image(360000070, "fedora-43", "Fedora 43", "2025-10-30T08:00:00Z"),
];

function location(
  id: number,
  name: string,
  description: string,
  country: string,
  city: string,
  latitude: number,
  longitude: number,
  networkZone: string,
): LocationData {
  return { id, name, description, country, city, latitude, longitude, networkZone };
}

function shared(
  id: number,
  name: string,
  cores: number,
  memory: number,
  disk: number,
  where: readonly string[],
): ServerTypeData {
  return { id, name, cores, memory, disk, cpu: "shared", architecture: "x86", locations: where };
}

function arm(id: number, name: string, cores: number, memory: number, disk: number): ServerTypeData {
  return { id, name, cores, memory, disk, cpu: "shared", architecture: "arm", locations: europe };
}

function dedicated(id: number, name: string, cores: number, memory: number, disk: number): ServerTypeData {
  return { id, name, cores, memory, disk, cpu: "dedicated", architecture: "x86", locations: everywhere };
}

/** The x86 entry and, one id later, the Arm entry of an image. */
function image(
  id: number,
  name: string,
  description: string,
  created: string,
  deprecated: string | null = null,
): ImageData[] {
  const common = {
    name,
    description,
    created,
    deprecated,
    osFlavor: name.slice(0, name.indexOf("-")),
    osVersion: name.slice(name.lastIndexOf("-") + 1),
  };
  return [
    { id, architecture: "x86", ...common },
    { id: id + 1, architecture: "arm", ...common },
  ];
}
