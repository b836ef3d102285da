import { readFileSync } from "node:fs";
import Module from "node:module";
import path from "node:path";
import Mocha from "mocha";
import ts from "typescript";

const root = path.join(__dirname, "../..");

/** Folders whose modules are loaded anew for each run. */
const renewed = ["components", "test/plan", "test/policy"].map((folder) => path.join(root, folder) + path.sep);

type Loader = (module: { _compile(code: string, file: string): void }, file: string) => void;

const loaders = (Module as unknown as { _extensions: Record<string, Loader> })._extensions;
const compiled = new Map<string, string>();

/** File whose source another one stands for. */
let replaced: { file: string; source: string } | undefined;

function compile(source: string): string {
  return ts.transpileModule(source, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: true },
  }).outputText;
}

/** Compiles TypeScript once a file, and the replaced one each time. */
export function takeOverLoading(): void {
  loaders[".ts"] = (module, file) => {
    if (replaced?.file === file) {
      module._compile(compile(replaced.source), file);
      return;
    }
    const code = compiled.get(file) ?? compile(readFileSync(file, "utf8"));
    compiled.set(file, code);
    module._compile(code, file);
  };
}

/** A reporter that says nothing: outcomes are read from the runner's events. */
function Silent(): void {
  return;
}

/** What a run of tests came to: its first failure, or none. */
export type Outcome = { failed: string } | "passed";

/**
 * Runs test files in this process, their modules and the code under test loaded anew, until one test fails.
 * @param change what stands in place of a source file
 * @param prepare is called when the code under test is loaded, before the tests are
 */
export async function runTests(
  files: string[],
  change?: { file: string; source: string },
  prepare: () => void = () => undefined,
): Promise<Outcome> {
  replaced = change;
  for (const file of Object.keys(require.cache))
    if (renewed.some((folder) => file.startsWith(folder))) Reflect.deleteProperty(require.cache, file);
  const mocha = new Mocha({ bail: true, timeout: 60_000, reporter: "min", ui: "bdd" });
  mocha.reporter(Silent as unknown as Mocha.ReporterConstructor);
  return new Promise((resolve) => {
    let first: string | undefined;
    try {
      prepare();
      for (const file of files) mocha.addFile(path.join(root, file));
      // Loads the files first, and throws where one cannot be loaded.
      const runner = mocha.run(() => {
        mocha.dispose();
        resolve(first === undefined ? "passed" : { failed: first });
      });
      runner.on("fail", (test) => (first ??= test.fullTitle()));
    } catch (error) {
      resolve({ failed: `loading: ${error instanceof Error ? error.message : String(error)}` });
    }
  });
}
