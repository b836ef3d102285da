import { type ChildProcess, spawn } from "node:child_process";

/** A child process in a process group of its own, so that it ends together with everything it started. */
export interface Group {
  child: ChildProcess;
  /** Resolves with what the child ended with, after its last output. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Its last lines of output, standard error included. */
  lastLines(): string[];
}

/** How a group is started. */
export interface GroupOptions {
  cwd: string;
  env?: NodeJS.ProcessEnv;
  /** Is told every message that the child sends by `process.send`. Without it there is no channel. */
  onMessage?: (message: unknown) => void;
  /** Is told every line of output. */
  onLine?: (line: string) => void;
}

const linesKept = 80;
const running = new Set<Group>();

/** Starts a Node.js program without standard input, its output caught. */
export function startGroup(args: string[], options: GroupOptions): Group {
  const child = spawn(process.execPath, args, {
    cwd: options.cwd,
    // Output is caught: colours would be noise in it.
    env: { ...process.env, NO_COLOR: "1", ...options.env },
    detached: true,
    stdio: options.onMessage ? ["ignore", "pipe", "pipe", "ipc"] : ["ignore", "pipe", "pipe"],
  });
  const lines: string[] = [];
  const keep = (line: string): void => {
    lines.push(line);
    if (lines.length > linesKept) lines.shift();
    options.onLine?.(line);
  };
  if (options.onMessage) child.on("message", options.onMessage);
  eachLine(child.stdout, keep);
  eachLine(child.stderr, keep);
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once("error", (error) => {
      keep(error.message);
      running.delete(group);
      resolve({ code: null, signal: null });
    });
    // "exit", not "close": something the child left behind may hold its output open.
    child.once("exit", (code, signal) => {
      running.delete(group);
      killGroup(group, "SIGKILL");
      setImmediate(resolve, { code, signal });
    });
  });
  const group: Group = { child, ended, lastLines: () => [...lines] };
  running.add(group);
  return group;
}

/** Sends a signal to a group; one that is gone already is fine. */
export function killGroup(group: Group, signal: NodeJS.Signals): void {
  if (group.child.pid === undefined) return;
  try {
    process.kill(-group.child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Asks a group to end, and ends it when it has not within the time given. */
export function endGroup(group: Group, graceMs: number): void {
  killGroup(group, "SIGINT");
  const timer = setTimeout(() => killGroup(group, "SIGKILL"), graceMs);
  void group.ended.then(() => clearTimeout(timer));
}

/** All groups that run now. */
export function runningGroups(): Group[] {
  return [...running];
}

function eachLine(stream: NodeJS.ReadableStream | null, tell: (line: string) => void): void {
  let rest = "";
  stream?.setEncoding("utf8");
  stream?.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) tell(line.trimEnd());
  });
  stream?.on("end", () => {
    if (rest) tell(rest);
  });
}
