import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ImageSet } from "../images/images";
import type { OciImage } from "../images/oci";
import { manifestType } from "../images/oci";
import { exists } from "../../toolchain/cache";
import { sendFile } from "./sendFile";

/** Error codes of the distribution specification that a read-only registry gives. */
type ErrorCode = "NAME_UNKNOWN" | "MANIFEST_UNKNOWN" | "BLOB_UNKNOWN" | "UNSUPPORTED";

/**
 * Adds a read-only OCI distribution registry to a server: manifests by tag and digest, blobs, tag lists. One registry stands for
 * several hosts: containerd says in `?ns=` which one it means; without it every host's repositories are looked through.
 * @param server not yet listening
 * @param set images and the store that holds them
 */
export function addRegistry(server: FastifyInstance, set: ImageSet): void {
  server.addHook("onSend", async (request, reply) => {
    if (request.url.startsWith("/v2/")) void reply.header("docker-distribution-api-version", "registry/2.0");
  });
  server.route({
    method: ["GET", "HEAD"],
    url: "/v2/*",
    handler: (request, reply) => answer(set, request, reply),
  });
  server.route({
    method: ["POST", "PUT", "PATCH", "DELETE"],
    url: "/v2/*",
    handler: (_request, reply) => fail(reply, 405, "UNSUPPORTED", "this registry is read-only"),
  });
}

async function answer(set: ImageSet, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const path = decodeURIComponent((request.params as { "*": string })["*"]);
  if (path === "") return reply.type("application/json").send("{}");
  const match = /^(.+)\/(manifests|blobs|tags)\/([^/]+)$/.exec(path);
  if (!match) return fail(reply, 404, "NAME_UNKNOWN", `no such path: ${path}`);
  const [, repository = "", kind = "", name = ""] = match;
  const { ns } = request.query as { ns?: string };
  const images = set.images.filter((image) => image.repository === repository && (!ns || image.registry === ns));
  if (images.length === 0) {
    return fail(reply, 404, "NAME_UNKNOWN", `no repository ${repository}${ns ? ` of ${ns}` : ""} here`);
  }
  if (kind === "tags") return reply.send({ name: repository, tags: images.map((image) => image.tag) });
  if (kind === "manifests") return sendManifest(set, images, name, request, reply);
  return sendBlob(set, images, name, request, reply);
}

async function sendManifest(
  set: ImageSet,
  images: OciImage[],
  name: string,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const image = images.find((candidate) => candidate.tag === name || candidate.digest === name);
  if (!image) return fail(reply, 404, "MANIFEST_UNKNOWN", `no manifest ${name} of ${images[0]?.repository}`);
  return sendFile(request, reply, set.store.file(image.digest), {
    "content-type": manifestType,
    "docker-content-digest": image.digest,
    etag: `"${image.digest}"`,
  });
}

async function sendBlob(
  set: ImageSet,
  images: OciImage[],
  digest: string,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const known = images.some((image) => image.blobs.includes(digest) || image.digest === digest);
  if (!known || !(await exists(set.store.file(digest)))) {
    return fail(reply, 404, "BLOB_UNKNOWN", `no blob ${digest} of ${images[0]?.repository}`);
  }
  return sendFile(request, reply, set.store.file(digest), {
    "content-type": "application/octet-stream",
    "docker-content-digest": digest,
    etag: `"${digest}"`,
  });
}

function fail(reply: FastifyReply, status: number, code: ErrorCode, message: string): FastifyReply {
  return reply.code(status).send({ errors: [{ code, message, detail: null }] });
}
