import { createHash, randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { exists, keepUsed } from "../../toolchain/cache";

/** Content in the store, named by its own hash. */
export interface Blob {
  /** `sha256:` and 64 hex digits. */
  digest: string;
  /** Bytes. */
  size: number;
}

/** A stream of content. */
export interface StreamSource {
  stream: Readable;
  /** Resolves when its source ended well, e.g. a child with exit code 0. */
  ended?: Promise<unknown>;
}

/** Content-addressed files and small records that say which recipe gave which content. */
export class BlobStore {
  /** @param dir folder; made when absent */
  constructor(readonly dir: string) {}

  /**
   * Path of a blob's file, whether it exists or not.
   * @param digest `sha256:<hex>`
   */
  file(digest: string): string {
    return path.join(this.dir, "blobs", digest.replace(":", path.sep));
  }

  /** Adds text or bytes. */
  async add(content: string | Buffer): Promise<Blob> {
    const bytes = Buffer.from(content);
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    if (!(await exists(this.file(digest)))) {
      const temporary = await this.temporary();
      await writeFile(temporary, bytes);
      await this.place(temporary, digest);
    }
    return { digest, size: bytes.length };
  }

  /**
   * Adds a stream of any length. Nothing is added when it breaks or its source fails.
   * @param open begins the stream; called when its reader is ready, since a child's output is lost when it ends unread
   */
  async addStream(open: () => StreamSource): Promise<Blob> {
    const temporary = await this.temporary();
    const hash = createHash("sha256");
    let size = 0;
    try {
      const { stream, ended } = open();
      const written = pipeline(
        stream,
        async function* (chunks: AsyncIterable<Buffer>) {
          for await (const chunk of chunks) {
            hash.update(chunk);
            size += chunk.length;
            yield chunk;
          }
        },
        createWriteStream(temporary),
      );
      await Promise.all([written, ended]);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    const digest = `sha256:${hash.digest("hex")}`;
    await this.place(temporary, digest);
    return { digest, size };
  }

  /** Remembers what a recipe gave. */
  async remember(key: string, record: object): Promise<void> {
    await mkdir(path.join(this.dir, "records"), { recursive: true });
    const file = path.join(this.dir, "records", `${key}.json`);
    await writeFile(`${file}.${process.pid}`, `${JSON.stringify(record)}\n`);
    await rename(`${file}.${process.pid}`, file);
  }

  /** What a recipe gave, when remembered. */
  async recall<T extends object>(key: string): Promise<T | undefined> {
    const file = path.join(this.dir, "records", `${key}.json`);
    return (await exists(file)) ? (JSON.parse(await readFile(file, "utf8")) as T) : undefined;
  }

  /**
   * Removes what no recipe has used for a week.
   * @param digests blobs in use
   * @param keys records in use
   */
  async keepUsed(digests: string[], keys: string[]): Promise<void> {
    await keepUsed(
      path.join(this.dir, "blobs/sha256"),
      digests.map((digest) => digest.replace("sha256:", "")),
    );
    await keepUsed(
      path.join(this.dir, "records"),
      keys.map((key) => `${key}.json`),
    );
  }

  private async temporary(): Promise<string> {
    await mkdir(path.join(this.dir, "blobs/sha256"), { recursive: true });
    return path.join(this.dir, `.partial-${process.pid}-${randomBytes(4).toString("hex")}`);
  }

  private async place(temporary: string, digest: string): Promise<void> {
    await rename(temporary, this.file(digest));
  }
}
