import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { BlobStore } from "../../../sandbox/images/blobs";
import { echoImage, imageRecipes, probeImage } from "../../../sandbox/images/images";
import { ensureImage, parseReference } from "../../../sandbox/images/oci";
import { checkSandboxRoom } from "../../../sandbox/images/room";
import { manifest, manifestWith, toolNames, versions } from "../../../toolchain/manifest";
import { withFolder } from "../../toolchain/support";
import { smallImage } from "./support";

describe("image names", () => {
  it("are split into registry, repository and tag", () => {
    assert.deepEqual(parseReference("registry.k8s.io/coredns/coredns:v1"), {
      registry: "registry.k8s.io",
      repository: "coredns/coredns",
      tag: "v1",
    });
    assert.throws(() => parseReference("pause"), /pause is not an image name with registry and tag/);
  });

  it("are those that kubeadm, the chart and the doctor ask for", () => {
    const file = (name: string) =>
      ({ path: `/tools/${name}`, sha256: name, version: manifestWith("1.16.1").get(name)?.version }) as never;
    const tools = Object.fromEntries([...toolNames("image"), "loopback"].map((name) => [name, file(name)]));
    const debian = { key: "d", rootDir: "/d/root", unpackedDir: "/d/unpacked" };
    const sources = { chart: "/s/chart", bpf: "/s/bpf", crds: "/s/crds", scripts: ["/s/init-container.sh"] };
    const recipes = imageRecipes(tools, debian, sources);
    assert.deepEqual(
      recipes.map((recipe) => recipe.reference),
      [
        `registry.k8s.io/kube-apiserver:v${versions.kubernetes}`,
        `registry.k8s.io/kube-controller-manager:v${versions.kubernetes}`,
        `registry.k8s.io/kube-scheduler:v${versions.kubernetes}`,
        "registry.k8s.io/coredns/coredns:v1.14.2",
        "registry.k8s.io/etcd:3.6.8-0",
        "registry.k8s.io/pause:3.10.2",
        "quay.io/cilium/operator-generic:v1.16.1",
        "quay.io/cilium/cilium:v1.16.1",
        echoImage,
        probeImage,
      ],
    );
    const [agent, , probe] = recipes.slice(-3);
    assert.equal(agent?.layers[0], probe?.layers[0], "Cilium and the probe share their Debian layer");
    const used = JSON.stringify(recipes);
    for (const name of toolNames("image")) assert.ok(used.includes(`"/tools/${name}"`), `${name} is in an image`);
  });
});

interface Manifest {
  config: { digest: string };
  layers: { digest: string }[];
}

interface Config {
  config: { Cmd?: string[]; Env?: string[] };
  rootfs: { diff_ids: string[] };
}

describe("images", () => {
  it("have a manifest and a config that name what is stored", async () => {
    await withFolder(async (dir) => {
      const store = new BlobStore(path.join(dir, "store"));
      const recipe = await smallImage(dir, "quay.io/a/b:v1", "text");
      const { image } = await ensureImage(store, { ...recipe, cmd: ["/x"], env: { A: "b" } }, "none");
      const read = async <T>(digest: string): Promise<T> => JSON.parse(await readFile(store.file(digest), "utf8")) as T;
      const { config, layers } = await read<Manifest>(image.digest);
      assert.deepEqual(
        [config, ...layers].map((blob) => blob.digest),
        image.blobs,
      );
      const { config: settings, rootfs } = await read<Config>(config.digest);
      assert.deepEqual(rootfs.diff_ids, [layers[0]?.digest], "a plain layer is its own content");
      assert.deepEqual(settings.Cmd, ["/x"]);
      assert.ok(settings.Env?.includes("A=b"));
      assert.deepEqual(await ensureImage(store, { ...recipe, cmd: ["/x"], env: { A: "b" } }, "none"), {
        image,
        layerKeys: [(await ensureImage(store, recipe, "none")).layerKeys[0]],
      });
    });
  });

  it("leave no half-written blob when a stream breaks or its source fails", async () => {
    await withFolder(async (dir) => {
      const store = new BlobStore(dir);
      const broken = Readable.from(
        (async function* () {
          yield Buffer.from("half");
          throw new Error("broke off");
        })(),
      );
      await assert.rejects(
        store.addStream(() => ({ stream: broken })),
        /broke off/,
      );
      assert.deepEqual(await readdir(dir), ["blobs"]);
      assert.deepEqual(await readdir(path.join(dir, "blobs/sha256")), []);
      const failing = () => ({
        stream: Readable.from([Buffer.from("half")]),
        ended: Promise.reject(new Error("exit code 1")),
      });
      await assert.rejects(store.addStream(failing), /exit code 1/);
      assert.deepEqual(await readdir(path.join(dir, "blobs/sha256")), []);
    });
  });
});

describe("checkSandboxRoom", () => {
  it("adds up tools, file systems and images before anything is made", async () => {
    await withFolder(async (dir) => {
      await checkSandboxRoom({ cacheDir: path.join(dir, "cache") });
      const tools = [...manifest.values()].reduce((sum, tool) => sum + tool.sizeMiB, 0);
      assert.ok(tools > 1000);
      await assert.rejects(
        checkSandboxRoom({ cacheDir: path.join(dir, "cache") }, { dir, mib: 1e9 }),
        /Not enough disk under .*: 9765\d\d\.\d GiB needed/,
      );
    });
  });
});
