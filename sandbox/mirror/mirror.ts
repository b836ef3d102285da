import type { AddressInfo } from "node:net";
import fastify from "fastify";
import type { ImageSet } from "../images/images";
import type { ServedArtifact } from "./artifacts";
import { addRegistry } from "./registry";
import { sendFile } from "./sendFile";

/** What a mirror serves. */
export interface MirrorContent {
  artifacts: ServedArtifact[];
  images: ImageSet;
}

/** A server of node artifacts and container images. */
export interface Mirror {
  /**
   * Begins to listen.
   * @param host the address to bind, never all of them
   * @param port 0 picks a free one
   * @returns the port
   * @throws Error when the address does not exist here or the port is in use
   */
  listen(host: string, port: number): Promise<number>;
  /** Ends every connection and stops listening. */
  close(): Promise<void>;
}

/**
 * Makes a mirror: `/artifacts/<name>-<version>` with Range support, and a read-only OCI registry under `/v2/`. Everything streams from
 * the cache's files.
 * @param content from `ensureArtifacts` and `ensureImages`
 */
export function createMirror(content: MirrorContent): Mirror {
  const server = fastify({ forceCloseConnections: true, exposeHeadRoutes: false });
  const byUrl = new Map(content.artifacts.map((served) => [served.artifact.url, served]));
  server.route({
    method: ["GET", "HEAD"],
    url: "/artifacts/:name",
    handler: async (request, reply) => {
      const { name } = request.params as { name: string };
      const served = byUrl.get(`artifacts/${name}`);
      if (!served) return reply.code(404).type("text/plain").send(`no artifact ${name} here\n`);
      return sendFile(request, reply, served.file, {
        "content-type": "application/octet-stream",
        etag: `"${served.artifact.sha256}"`,
      });
    },
  });
  addRegistry(server, content.images);
  return {
    async listen(host, port) {
      await server.listen({ host, port });
      return (server.server.address() as AddressInfo).port;
    },
    close: () => server.close(),
  };
}
