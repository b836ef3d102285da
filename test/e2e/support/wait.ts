import { setTimeout as sleep } from "node:timers/promises";

/**
 * Repeats a look until it no longer throws. Bounds are generous: they end a hang, they judge no speed.
 * @param look throws while things are not as they should be
 * @param limit seconds
 * @returns what the look gave at last
 * @throws the last look's error
 */
export async function eventually<T>(look: () => Promise<T>, limit = 120): Promise<T> {
  const deadline = Date.now() + limit * 1000;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await sleep(500);
  }
}
