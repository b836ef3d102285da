/**
 * Part of the probe script: what processes of a control plane use and tell. What holds for the text of probeScript.ts holds here.
 *
 * Certificates are read as those processes see them, by way of /proc, so that nothing of the node is mounted; only certificates leave the node,
 * whatever else a file holds.
 */
export const controlPlaneTasks = String.raw`certificates() {
  local status name folder file
  for status in /proc/[0-9]*/status; do
    read -r _ name 2>/dev/null <"$status" || continue
    case $name in kube-apiserver | kube-controller | kube-scheduler | etcd) ;; *) continue ;; esac
    folder=${"$"}{status%/status}
    for file in $(tr '\0' '\n' <"$folder/cmdline" | sed -nE 's/^--[a-z-]+=(\/.+\.(crt|pem|conf))$/\1/p' | sort -u); do
      printf '%s\t%s\n' "$file" "$(public_part "$folder/root$file" | base64 | tr -d '\n')"
    done
  done
}

public_part() {
  sed -n '/^-----BEGIN CERTIFICATE-----$/,/^-----END CERTIFICATE-----$/p' "$1" 2>/dev/null
  sed -n 's/^ *client-certificate-data: *//p' "$1" 2>/dev/null | base64 -d 2>/dev/null | sed -n '/BEGIN CERTIFICATE/,/END CERTIFICATE/p'
}

get() {
  timeout 3 bash -c 'exec 3<>"/dev/tcp/$0/$1" && printf "GET %s HTTP/1.0\r\n\r\n" "$2" >&3 && cat <&3' "$@"
}

# Where kubeadm has etcd tell its metrics.
etcd() {
  { get 127.0.0.1 2381 /health; get 127.0.0.1 2381 /metrics; } 2>/dev/null |
    grep -E '^(\{"health"|etcd_(server_(has_leader|is_leader|is_learner)|network_active_peers|disk_(wal_fsync|backend_commit)_duration_seconds_bucket))'
}
`;
