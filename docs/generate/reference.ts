import path from "node:path";
import { format, resolveConfig } from "prettier";
import { apiPage } from "./api";
import { root } from "./declarations";
import { argumentsPage, decisionsPage, rulesPage, tuningPage } from "./pages";
import { policiesPage } from "./policyPage";

/** A page of the reference: where it lies and what it should say. */
export interface Page {
  file: string;
  content: string;
}

/** All pages that are made from the code. */
export async function referencePages(): Promise<Page[]> {
  const pages = {
    api: apiPage(),
    arguments: argumentsPage(),
    decisions: decisionsPage(),
    policies: policiesPage(),
    rules: rulesPage(),
    tuning: tuningPage(),
  };
  return Promise.all(
    Object.entries(pages).map(async ([name, text]) => {
      const file = path.join(root, "docs/reference", `${name}.md`);
      return { file, content: await format(text, { ...(await resolveConfig(file)), filepath: file }) };
    }),
  );
}
