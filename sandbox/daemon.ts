/*
 * The process behind one sandbox: cloud API and mirror. Machines and networks are none of its children: they go on when it ends, and the
 * next one finds them by the state on disk.
 * usage: daemon.ts INSTANCE
 */
import { rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { createApi } from "./api";
import { HostDriver } from "./driver";
import { findInstance, instanceSecret } from "./instance";
import { machineImages, openMirror } from "./supplies";

async function main(name: string): Promise<void> {
  const instance = await findInstance(name);
  if (!instance) throw new Error(`there is no sandbox "${name}"`);
  const driver = new HostDriver(instance, machineImages(instance));
  await driver.open();
  const mirror = await openMirror(instance);
  const api = await createApi({
    stateDir: path.join(instance.stateDir, "api"),
    driver,
    publicRange: instance.publicRange,
    tokens: [await instanceSecret(instance, "api-token")],
  });
  for (const problem of await api.reconcile()) console.error(problem);
  await api.listen(instance.apiPort);
  process.once("SIGTERM", () => {
    void Promise.all([api.close(), mirror.close()]).then(() => process.exit(0));
  });
  // Renamed into place only now: whoever sees the file may call the API.
  const ready = path.join(instance.stateDir, "daemon.json");
  await writeFile(`${ready}.new`, JSON.stringify({ pid: process.pid }));
  await rename(`${ready}.new`, ready);
}

main(process.argv[2] ?? "").catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
