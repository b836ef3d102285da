import { createHash } from "node:crypto";
import fs from "node:fs/promises";
import path from "node:path";
import { messageOf } from "./errors";
import type { ProjectState } from "./types";

/** First id an instance gives out; the provider formats ids as integers, so large is fine. */
export const firstId = 1_000_001;

/** Finished actions kept in a project; older ones are forgotten, running ones never. */
const keptActions = 500;

/** The objects of one project in memory and their file. */
export class Project {
  private writing: Promise<void> | null = null;
  private queued: Promise<void> | null = null;

  constructor(
    private readonly store: Store,
    /** SHA-256 of the token, hex: the token itself is never stored. */
    readonly key: string,
    readonly state: ProjectState,
  ) {}

  /** The next id, unique over all projects of the instance. */
  nextId(): number {
    return this.store.nextId();
  }

  /** Resolves once everything that is in memory now is durable. Changes made meanwhile share the next write. */
  save(): Promise<void> {
    if (this.store.closed) return Promise.resolve();
    if (!this.writing) return this.startWrite();
    this.queued ??= this.writing.then(
      () => this.startWrite(),
      () => this.startWrite(),
    );
    return this.queued;
  }

  /** Resolves when no write is under way. */
  async idle(): Promise<void> {
    await (this.queued ?? this.writing);
  }

  private startWrite(): Promise<void> {
    this.queued = null;
    this.writing = this.write().finally(() => {
      this.writing = null;
    });
    return this.writing;
  }

  private async write(): Promise<void> {
    this.forgetOldActions();
    this.state.nextId = this.store.peekId();
    const file = this.store.fileOf(this.key);
    const temporary = `${file}.tmp`;
    const handle = await fs.open(temporary, "w", 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(this.state, null, 1)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await fs.rename(temporary, file);
    await syncFolder(this.store.dir);
  }

  private forgetOldActions(): void {
    const finished = this.state.actions.filter((action) => action.status !== "running");
    const forget = new Set(finished.slice(0, Math.max(0, finished.length - keptActions)).map((action) => action.id));
    if (forget.size > 0) this.state.actions = this.state.actions.filter((action) => !forget.has(action.id));
  }
}

/** All projects of an instance: one JSON file each. */
export class Store {
  private readonly projects = new Map<string, Project>();
  private next = firstId;
  /** Set by close: late results of abandoned work no longer reach the disk. */
  closed = false;

  private constructor(readonly dir: string) {}

  /**
   * Loads what is in the folder, which is made if it does not exist (mode 0700).
   * @param dir folder of the project files
   * @throws an error naming the file, if one is not readable as a project
   */
  static async open(dir: string): Promise<Store> {
    const store = new Store(dir);
    await fs.mkdir(dir, { recursive: true, mode: 0o700 });
    for (const name of (await fs.readdir(dir)).sort()) {
      if (/^[0-9a-f]{64}\.json\.tmp$/.test(name)) await fs.rm(path.join(dir, name));
      const match = /^([0-9a-f]{64})\.json$/.exec(name);
      if (match?.[1]) await store.load(match[1]);
    }
    return store;
  }

  /** The project of a token, empty if it was never used. */
  projectOf(token: string): Project {
    const key = keyOf(token);
    const known = this.projects.get(key);
    if (known) return known;
    const project = new Project(this, key, emptyState());
    this.projects.set(key, project);
    return project;
  }

  /** All projects, in the order of their keys. */
  all(): Project[] {
    return [...this.projects.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  nextId(): number {
    return this.next++;
  }

  peekId(): number {
    return this.next;
  }

  fileOf(key: string): string {
    return path.join(this.dir, `${key}.json`);
  }

  /** Waits for writes under way and refuses later ones. */
  async close(): Promise<void> {
    await Promise.all(this.all().map((project) => project.idle()));
    this.closed = true;
    await Promise.all(this.all().map((project) => project.idle()));
  }

  private async load(key: string): Promise<void> {
    const file = this.fileOf(key);
    const state = parseState(file, await fs.readFile(file, "utf8"));
    this.projects.set(key, new Project(this, key, state));
    this.next = Math.max(this.next, state.nextId);
  }
}

/** Tokens that begin with this are read-only; the rest of the token names the project. */
export const readOnlyPrefix = "ro-";

/** The prefix of the read-write twin of a read-only token. */
export const readWritePrefix = "rw-";

/** SHA-256 of the token, where a read-only token counts as its read-write twin. */
export function keyOf(token: string): string {
  const readWrite = token.startsWith(readOnlyPrefix) ? readWritePrefix + token.slice(readOnlyPrefix.length) : token;
  return createHash("sha256").update(readWrite).digest("hex");
}

function emptyState(): ProjectState {
  return {
    version: 1,
    nextId: firstId,
    sshKeys: [],
    networks: [],
    servers: [],
    placementGroups: [],
    firewalls: [],
    primaryIps: [],
    actions: [],
  };
}

function parseState(file: string, text: string): ProjectState {
  let state: Partial<ProjectState>;
  try {
    state = JSON.parse(text) as Partial<ProjectState>;
  } catch (error) {
    throw new Error(`${file} is not a project file (${messageOf(error)}); restore it or move it away`, {
      cause: error,
    });
  }
  const lists = Object.entries(emptyState()).filter(([, value]) => Array.isArray(value));
  const missing = lists.map(([key]) => key).filter((key) => !Array.isArray(state[key as keyof ProjectState]));
  if (state.version !== 1 || typeof state.nextId !== "number" || missing.length > 0) {
    throw new Error(`${file} is not a project file of version 1; restore it or move it away`);
  }
  return state as ProjectState;
}

async function syncFolder(dir: string): Promise<void> {
  const handle = await fs.open(dir, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
