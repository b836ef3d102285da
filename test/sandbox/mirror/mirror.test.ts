import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { request } from "node:http";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { ServedArtifact } from "../../../sandbox/mirror/artifacts";
import { artifactManifest } from "../../../sandbox/mirror/artifacts";
import { createMirror } from "../../../sandbox/mirror/mirror";
import { parseRange } from "../../../sandbox/mirror/sendFile";
import type { ImageSet } from "../../../sandbox/images/images";
import { withFolder } from "../../toolchain/support";
import { manyBytes, smallSet } from "../images/support";

const tool = manyBytes(3);
const toolSum = createHash("sha256").update(tool).digest("hex");
const references = ["quay.io/a/one:v1", "quay.io/a/one:v2", "docker.io/a/one:v1", "registry.k8s.io/pause:3"];

async function withMirror(job: (base: string, set: ImageSet) => Promise<void>): Promise<void> {
  await withFolder(async (dir) => {
    const file = path.join(dir, "tool");
    await mkdir(dir, { recursive: true });
    await writeFile(file, tool);
    const artifact = { name: "tool", version: "1", url: "artifacts/tool-1", sha256: toolSum, installTo: "/bin/tool" };
    const artifacts: ServedArtifact[] = [{ artifact, file }];
    assert.deepEqual(artifactManifest(artifacts), [artifact]);
    const images = await smallSet(dir, references);
    const mirror = createMirror({ artifacts, images });
    const port = await mirror.listen("127.0.0.1", 0);
    try {
      await job(`http://127.0.0.1:${port}`, images);
    } finally {
      await mirror.close();
    }
  });
}

async function bytes(response: Response): Promise<Buffer> {
  return Buffer.from(await response.arrayBuffer());
}

describe("mirror: artifacts", () => {
  it("serves a file whole, with its checksum as tag", async () => {
    await withMirror(async (base) => {
      const response = await fetch(`${base}/artifacts/tool-1`);
      assert.equal(response.status, 200);
      assert.equal(response.headers.get("etag"), `"${toolSum}"`);
      assert.equal(response.headers.get("content-length"), String(tool.length));
      assert.ok((await bytes(response)).equals(tool));
    });
  });

  it("serves a part", async () => {
    await withMirror(async (base) => {
      const response = await fetch(`${base}/artifacts/tool-1`, { headers: { range: "bytes=1000000-1000009" } });
      assert.equal(response.status, 206);
      assert.equal(response.headers.get("content-range"), `bytes 1000000-1000009/${tool.length}`);
      assert.ok((await bytes(response)).equals(tool.subarray(1000000, 1000010)));
      const beyond = await fetch(`${base}/artifacts/tool-1`, { headers: { range: `bytes=${tool.length}-` } });
      assert.equal(beyond.status, 416);
      assert.equal(beyond.headers.get("content-range"), `bytes */${tool.length}`);
    });
  });

  it("answers HEAD with the same headers and no body", async () => {
    await withMirror(async (base) => {
      const response = await fetch(`${base}/artifacts/tool-1`, { method: "HEAD" });
      assert.equal(response.headers.get("content-length"), String(tool.length));
      assert.equal((await bytes(response)).length, 0);
    });
  });

  it("knows nothing else, above all no path out of its table", async () => {
    await withMirror(async (base) => {
      for (const name of ["tool-2", "..%2f..%2fetc%2fpasswd", "%2e%2e"]) {
        assert.equal((await fetch(`${base}/artifacts/${name}`)).status, 404, name);
      }
    });
  });
});

describe("mirror: registry", () => {
  it("says that it is a registry", async () => {
    await withMirror(async (base) => {
      const response = await fetch(`${base}/v2/`);
      assert.equal(response.status, 200);
      assert.equal(response.headers.get("docker-distribution-api-version"), "registry/2.0");
    });
  });

  it("gives manifests by tag and by digest, and blobs, all with their digests", async () => {
    await withMirror(async (base, set) => {
      const pause = set.images[3];
      const byTag = await fetch(`${base}/v2/pause/manifests/3?ns=registry.k8s.io`);
      assert.equal(byTag.headers.get("content-type"), "application/vnd.oci.image.manifest.v1+json");
      assert.equal(byTag.headers.get("docker-content-digest"), pause?.digest);
      const manifest = await bytes(byTag);
      assert.equal(`sha256:${createHash("sha256").update(manifest).digest("hex")}`, pause?.digest);
      const byDigest = await fetch(`${base}/v2/pause/manifests/${pause?.digest}`);
      assert.ok((await bytes(byDigest)).equals(manifest));
      for (const digest of pause?.blobs ?? []) {
        const blob = await fetch(`${base}/v2/pause/blobs/${digest}`);
        assert.equal(blob.headers.get("docker-content-digest"), digest);
        assert.equal(
          `sha256:${createHash("sha256")
            .update(await bytes(blob))
            .digest("hex")}`,
          digest,
        );
        const head = await fetch(`${base}/v2/pause/blobs/${digest}`, { method: "HEAD" });
        assert.equal(head.headers.get("content-length"), blob.headers.get("content-length"));
      }
    });
  });

  it("resumes a blob by Range", async () => {
    await withMirror(async (base, set) => {
      const digest = set.images[3]?.blobs[1] ?? "";
      const whole = await bytes(await fetch(`${base}/v2/pause/blobs/${digest}`));
      const rest = await fetch(`${base}/v2/pause/blobs/${digest}`, { headers: { range: "bytes=100-" } });
      assert.equal(rest.status, 206);
      assert.ok((await bytes(rest)).equals(whole.subarray(100)));
    });
  });

  it("stands for the host that containerd names, and keeps the hosts apart", async () => {
    await withMirror(async (base, set) => {
      const digestOf = async (query: string) =>
        (await fetch(`${base}/v2/a/one/manifests/v1${query}`)).headers.get("docker-content-digest");
      assert.equal(await digestOf("?ns=quay.io"), set.images[0]?.digest);
      assert.equal(await digestOf("?ns=docker.io"), set.images[2]?.digest);
      assert.equal((await fetch(`${base}/v2/a/one/manifests/v2?ns=docker.io`)).status, 404);
      const tags = await fetch(`${base}/v2/a/one/tags/list?ns=quay.io`);
      assert.deepEqual(await tags.json(), { name: "a/one", tags: ["v1", "v2"] });
    });
  });

  it("answers errors as the distribution specification wants them", async () => {
    await withMirror(async (base, set) => {
      const code = async (url: string, method = "GET") => {
        const response = await fetch(`${base}${url}`, { method });
        const body = (await response.json()) as { errors: { code: string; message: string }[] };
        return [response.status, body.errors[0]?.code];
      };
      assert.deepEqual(await code("/v2/nowhere/manifests/v1"), [404, "NAME_UNKNOWN"]);
      assert.deepEqual(await code("/v2/a/one/manifests/v1?ns=ghcr.io"), [404, "NAME_UNKNOWN"]);
      assert.deepEqual(await code("/v2/a/one/manifests/v3"), [404, "MANIFEST_UNKNOWN"]);
      assert.deepEqual(await code(`/v2/a/one/blobs/sha256:${"0".repeat(64)}`), [404, "BLOB_UNKNOWN"]);
      const foreign = set.images[3]?.blobs[1];
      assert.deepEqual(await code(`/v2/a/one/blobs/${foreign}`), [404, "BLOB_UNKNOWN"], "a blob of another repository");
      assert.deepEqual(await code("/v2/a/one/blobs/uploads/", "POST"), [405, "UNSUPPORTED"]);
    });
  });
});

describe("mirror: listening", () => {
  it("binds the one address that it is given", async () => {
    await withMirror(async (base) => {
      const { port } = new URL(base);
      const code = await new Promise((resolve) => {
        request({ host: "127.0.0.2", port, path: "/v2/" }, resolve)
          .on("error", (error: NodeJS.ErrnoException) => resolve(error.code))
          .end();
      });
      assert.equal(code, "ECONNREFUSED");
    });
  });

  it("fails where the port is in use", async () => {
    await withMirror(async (base, images) => {
      const second = createMirror({ artifacts: [], images });
      await assert.rejects(second.listen("127.0.0.1", Number(new URL(base).port)), /EADDRINUSE/);
      await second.close();
    });
  });
});

describe("parseRange", () => {
  const cases: [string | undefined, unknown][] = [
    [undefined, undefined],
    ["bytes=0-0", { start: 0, end: 0 }],
    ["bytes=2-", { start: 2, end: 9 }],
    ["bytes=-3", { start: 7, end: 9 }],
    ["bytes=-30", { start: 0, end: 9 }],
    ["bytes=5-99", { start: 5, end: 9 }],
    ["bytes=10-", "unsatisfiable"],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=5-4", undefined],
    ["bytes=0-1,3-4", undefined],
    ["lines=0-1", undefined],
    ["bytes=-", undefined],
  ];
  for (const [header, wanted] of cases) {
    it(`reads ${header ?? "no header"}`, () => assert.deepEqual(parseRange(header, 10), wanted));
  }
});
