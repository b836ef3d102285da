import path from "node:path";
import { format, resolveConfig } from "prettier";
import { apiPage } from "./api";
import { root } from "./declarations";
import { checksPage } from "./checksPage";
import { facadeArguments } from "./facade";
import { argumentsPage, decisionsPage, rulesPage, tuningPage } from "./pages";
import { policiesPage } from "./policyPage";
import { versionsPage } from "./versionsPage";

/** A page of the reference, or another file that follows from the code: where it lies and what it should say. */
export interface Page {
  file: string;
  content: string;
}

/** All of them that are made from the code. */
export async function referencePages(): Promise<Page[]> {
  const pages = {
    api: apiPage(),
    arguments: argumentsPage(),
    checks: checksPage(),
    decisions: decisionsPage(),
    policies: policiesPage(),
    rules: rulesPage(),
    tuning: tuningPage(),
    versions: versionsPage(),
  };
  const texts = Object.entries(pages).map(([name, text]) => [`docs/reference/${name}.md`, text] as const);
  return Promise.all(
    [...texts, ["plugin/arguments.ts", facadeArguments()] as const].map(async ([name, text]) => {
      const file = path.join(root, name);
      return { file, content: await format(text, { ...(await resolveConfig(file)), filepath: file }) };
    }),
  );
}
