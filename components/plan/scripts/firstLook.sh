# Looks whether this machine can run a step at all, before anything else does. For any shell of POSIX: the machine may have no other.
# Every problem is named before it ends, and nothing is changed.
problems=0
problem() {
  echo "node $NODE_NAME: $*" >&2
  problems=$((problems + 1))
}

has() { command -v "$1" >/dev/null 2>&1; }

# Elsewhere the rest would be about programs that nobody misses there.
if [ "$(uname -s)" != Linux ]; then
  problem "runs $(uname -s); a node needs Linux"
else
  for tool in bash flock timeout; do
    has "$tool" || problem "lacks the program $tool, which every step needs; install it"
  done
  if [ "$LOGIN_USER" != root ]; then
    if ! has sudo; then
      problem "lacks the program sudo; install it, or set underlay.user to root"
    elif ! sudo -n true 2>/dev/null; then
      problem "lets $LOGIN_USER not run sudo without a password; allow that, or set underlay.user to one who may"
    fi
  fi
fi
if [ "$problems" -gt 0 ]; then
  echo "node $NODE_NAME: $problems problems, and nothing was changed on it" >&2
  exit 1
fi
