import assert from "node:assert/strict";
import { at, start, type Harness, type Json } from "./harness";

describe("catalogue", function () {
  // Far more than needed: a busy machine must not fail a test.
  this.timeout(60_000);
  let cloud: Harness;
  before(async () => {
    cloud = await start({ architectures: ["x86"], now: () => new Date("2026-11-01T00:00:00Z") });
  });
  after(() => cloud.close());

  const list = async (url: string, key: string): Promise<Json[]> => (await cloud.ok("GET", url))[key] as Json[];

  it("has the six locations with their zones", async () => {
    const locations = await list("/locations", "locations");
    assert.deepEqual(
      locations.map((location) => [location.id, location.name, location.network_zone]),
      [
        [1, "fsn1", "eu-central"],
        [2, "nbg1", "eu-central"],
        [3, "hel1", "eu-central"],
        [4, "ash", "us-east"],
        [5, "hil", "us-west"],
        [6, "sin", "ap-southeast"],
      ],
    );
    assert.deepEqual(at(await cloud.ok("GET", "/locations/1"), "location"), locations[0]);
  });

  it("shows server types with every key, whole numbers and prices as text", async () => {
    const [type] = await list("/server_types?name=ccx13", "server_types");
    assert.deepEqual(Object.keys(type ?? {}).sort(), [
      "architecture",
      "category",
      "cores",
      "cpu_type",
      "deprecated",
      "deprecation",
      "description",
      "disk",
      "id",
      "locations",
      "memory",
      "name",
      "prices",
      "storage_type",
    ]);
    assert.deepEqual([type?.id, type?.cores, type?.memory, type?.disk, type?.cpu_type], [96, 2, 8, 80, "dedicated"]);
    assert.match(String(at(type, "prices.0.price_monthly.net")), /^\d+\.\d{10}$/);
    assert.deepEqual(at(type, "locations.0"), {
      id: 1,
      name: "fsn1",
      deprecation: null,
      recommended: true,
      available: true,
    });
  });

  it("says which types cannot be had: deprecated, or of another architecture than this host's", async () => {
    const old = at(await cloud.ok("GET", "/server_types/1"), "server_type");
    assert.equal(at(old, "deprecated"), true);
    assert.equal(at(old, "locations.0.available"), false);
    const [arm] = await list("/server_types?name=cax11", "server_types");
    assert.equal(at(arm, "locations.0.available"), false);
  });

  it("has one image of a name per architecture, at the known id", async () => {
    const images = await list("/images?name=ubuntu-24.04", "images");
    assert.deepEqual(
      images.map((image) => [image.id, image.architecture]),
      [
        [161547269, "x86"],
        [161547270, "arm"],
      ],
    );
    assert.equal((await list("/images?name=ubuntu-24.04&architecture=x86", "images")).length, 1);
    assert.equal((await list("/images?type=snapshot", "images")).length, 0);
  });

  it("hides deprecated images unless asked", async () => {
    assert.equal((await list("/images?name=debian-11", "images")).length, 0);
    assert.equal((await list("/images?name=debian-11&include_deprecated=true", "images")).length, 2);
    assert.equal((await list("/images?name=debian-11&include_deprecated=True", "images")).length, 2);
    await cloud.fails("GET", "/images?include_deprecated=maybe", undefined, 422, "invalid_input");
  });

  it("has a price list with a currency", async () => {
    assert.equal(at(await cloud.ok("GET", "/pricing"), "pricing.currency"), "EUR");
  });

  it("answers 410 for datacenters, with the announcement", async () => {
    for (const url of ["/datacenters", "/datacenters/2"]) {
      const error = await cloud.fails("GET", url, undefined, 410, "deprecated_api_endpoint");
      assert.match(String(at(error, "details.announcement")), /^https:/);
    }
  });
});
