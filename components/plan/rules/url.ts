import type { Finding } from "../problems";

/**
 * What is wrong with an http or https address, if anything. A password in it is never repeated.
 * @param base given: the address may be relative
 */
export function urlFindings(path: string, text: string | undefined, fix: string, base?: string): Finding[] {
  if (text === undefined) return [];
  // Control characters would go into files as they are; the parser drops some and escapes others.
  const url =
    /[\s"'\\]|\p{Cc}/u.test(text) || text === "" || !URL.canParse(text, base) ? undefined : new URL(text, base);
  if (url !== undefined && (url.username !== "" || url.password !== "")) {
    const message = "the address holds a user name or password, which everybody could read in plans and on nodes";
    return [{ path, message, fix: "serve it without, to the nodes' network only" }];
  }
  if (url?.protocol === "http:" || url?.protocol === "https:") return [];
  return [{ path, message: `${JSON.stringify(text)} is not an http or https address`, fix }];
}
