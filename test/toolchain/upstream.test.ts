import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import path from "node:path";
import { beginStep } from "../../toolchain/progress";
import { DownloadError, UpstreamProbe, download } from "../../toolchain/upstream";
import { quick, sha256, withFolder, withUpstream } from "./support";

const content = "the published file";

async function fetched(url: string, wanted = sha256(content)): Promise<{ error?: DownloadError; text?: string }> {
  return withFolder(async (dir) => {
    const target = path.join(dir, "file");
    const step = beginStep("test");
    try {
      await download(url, wanted, target, step, quick);
      return { text: await readFile(target, "utf8") };
    } catch (error) {
      assert.ok(error instanceof DownloadError);
      assert.ok(!existsSync(target), "a failed download must leave nothing");
      return { error };
    } finally {
      step.end();
    }
  });
}

describe("download", () => {
  it("gives the file when the checksum is right", async () => {
    await withUpstream(
      (_, response) => response.end(content),
      async ({ url }) => assert.deepEqual(await fetched(`${url}/tool`), { text: content }),
    );
  });

  it("follows redirects", async () => {
    await withUpstream(
      (request, response) => {
        if (request.url === "/tool") response.writeHead(302, { location: "/elsewhere" }).end();
        else response.end(content);
      },
      async ({ url }) => assert.deepEqual(await fetched(`${url}/tool`), { text: content }),
    );
  });

  it("discards a file with another checksum and names both", async () => {
    await withUpstream(
      (_, response) => response.end("something else"),
      async ({ url }) => {
        const { error } = await fetched(`${url}/tool`);
        assert.equal(error?.kind, "corrupt");
        assert.match(error.message, new RegExp(`${sha256("something else")} where ${sha256(content)} was expected`));
      },
    );
  });

  it("names the status of an error answer", async () => {
    await withUpstream(
      (_, response) => response.writeHead(404).end(),
      async ({ url }) => {
        const { error } = await fetched(`${url}/tool`);
        assert.equal(error?.kind, "status");
        assert.equal(error.message, `${url}/tool answered 404.`);
      },
    );
  });

  it("refuses a file that breaks off, and leaves nothing however early that is", async () => {
    await withUpstream(
      (_, response) => {
        response.writeHead(200, { "content-length": "1000" });
        response.write(content, () => response.destroy());
      },
      async ({ url }) => {
        const tries = await Promise.all(Array.from({ length: 50 }, () => fetched(`${url}/tool`)));
        assert.deepEqual([...new Set(tries.map(({ error }) => error?.kind))], ["network"]);
      },
    );
  });

  it("gives up on a host that falls silent in the middle", async () => {
    await withUpstream(
      (_, response) => {
        response.writeHead(200, { "content-length": "1000" });
        response.write(content);
      },
      async ({ url }) => {
        const { error } = await fetched(`${url}/tool`);
        assert.equal(error?.kind, "network");
        assert.match(error.message, /no data for 2 s/);
      },
    );
  });

  it("waits for a slow host as long as data comes in", async () => {
    await withUpstream(
      (_, response) => {
        let sent = 0;
        const timer = setInterval(() => {
          response.write(content[sent++]);
          if (sent === content.length) {
            clearInterval(timer);
            response.end();
          }
        }, 150);
      },
      async ({ url }) => assert.deepEqual(await fetched(`${url}/tool`), { text: content }),
    );
  });
});

describe("UpstreamProbe", () => {
  it("counts any HTTP answer as reachable and asks a host once", async () => {
    await withUpstream(
      (_, response) => response.end(),
      async ({ url }) => {
        const probe = new UpstreamProbe(quick);
        assert.equal(await probe.reachable(`${url}/a`), true);
        assert.equal(probe.reachable(`${url}/b`), probe.reachable(`${url}/c`));
      },
    );
  });

  it("counts a refused connection as unreachable", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    assert.equal(await new UpstreamProbe(quick).reachable(`http://127.0.0.1:${port}/a`), false);
  });

  it("counts a host that accepts and says nothing as unreachable", async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => sockets.push(socket)).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    assert.equal(await new UpstreamProbe(quick).reachable(`http://127.0.0.1:${port}/a`), false);
    sockets.forEach((socket) => socket.destroy());
    await new Promise((resolve) => server.close(resolve));
  });
});
