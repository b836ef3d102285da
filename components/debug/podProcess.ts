/**
 * Shell words that print the number of a pod's first process on this node, its sandbox, whose network namespace is the pod's; nothing
 * when it has none here. Control groups of systemd's driver have `_` where the UID has `-`.
 * @param uid name of the shell variable that holds the pod's UID
 */
export function findPodProcess(uid: string): string {
  const pattern = `pod($${uid}|\${${uid}//-/_})`;
  return `grep -lE "${pattern}" /proc/[0-9]*/cgroup 2>/dev/null | cut -d/ -f3 | sort -n | head -n 1`;
}
