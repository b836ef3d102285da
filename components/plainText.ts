/**
 * A text of somebody else's, a node's message or a resource's name, on one line and without what a terminal would obey: escape sequences,
 * and characters that change the direction of what follows.
 */
export function plainText(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ");
}
