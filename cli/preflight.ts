/**
 * Refuses what cannot work on this machine before anything is made.
 * @throws one sentence that says what is wrong and what to do
 */
export async function preflight(): Promise<void> {
  if (process.platform !== "linux") {
    throw new Error(
      "The sandbox boots Linux machines on this one: it needs Linux. The library and its plan work anywhere.",
    );
  }
  if (process.getuid?.() !== 0) {
    throw new Error(
      "The sandbox makes machines and networks: run it as root, e.g. `sudo npm run up`. The library and its plan need no root.",
    );
  }
  return Promise.resolve();
}
