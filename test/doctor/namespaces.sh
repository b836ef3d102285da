# A pod, a router and a node as network namespaces of their own. Pod and node believe in 1450 bytes.
# Arguments: MTU of the link between router and node, then the command that runs in the pod.
set -e
path_mtu=$1
shift
mkdir -p /run/netns
mount -t tmpfs none /run/netns
for name in pod router node; do
  ip netns add $name
  ip -n $name link set lo up
done
ip -n pod link add eth0 mtu 1450 type veth peer name to-pod netns router mtu 1450
ip -n node link add enp7s0 mtu "$path_mtu" type veth peer name to-node netns router mtu "$path_mtu"
ip -n pod addr add 10.244.1.5/32 dev eth0
ip -n node addr add 10.0.0.4/32 dev enp7s0
ip -n router addr add 10.0.0.1/32 dev to-pod
ip -n pod link set eth0 up
ip -n node link set enp7s0 up
ip -n router link set to-pod up
ip -n router link set to-node up
ip -n router route add 10.244.1.5 dev to-pod
ip -n router route add 10.0.0.4 dev to-node
ip -n pod route add 10.0.0.1 dev eth0
ip -n pod route add default via 10.0.0.1 mtu 1450
ip -n node route add 10.0.0.1 dev enp7s0
ip -n node route add default via 10.0.0.1
ip netns exec router sysctl -qw net.ipv4.ip_forward=1
exec ip netns exec pod "$@"
