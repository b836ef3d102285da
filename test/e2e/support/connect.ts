/** How a connection attempt ended: refused is an answer, timed out is none. */
export type Connection = "connected" | "refused" | "timed out";

/** Bash that tries one TCP connection and prints how it ended. */
export function connectScript(address: string, port: number, seconds = 3): string {
  return (
    `code=0; timeout ${seconds} bash -c "exec 3<>/dev/tcp/${address}/${port}" 2>/dev/null || code=$?; ` +
    `case $code in 0) echo connected;; 124) echo timed out;; *) echo refused;; esac`
  );
}
