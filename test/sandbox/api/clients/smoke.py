"""Drives an emulated cloud by the vendor's own Python client. Prints one JSON object; any mismatch is an exception.

Usage: smoke.py ENDPOINT TOKEN PUBLIC_KEY
"""

import json
import sys

from hcloud import APIException, Client
from hcloud.firewalls.domain import FirewallResource, FirewallResourceLabelSelector, FirewallRule
from hcloud.images import Image
from hcloud.locations import Location
from hcloud.networks.domain import NetworkRoute, NetworkSubnet
from hcloud.placement_groups.domain import PlacementGroup
from hcloud.server_types import ServerType


def main(endpoint, token, public_key):
    client = Client(token=token, api_endpoint=endpoint, poll_interval=0.05)
    key = client.ssh_keys.create(name="smoke", public_key=public_key, labels={"by": "python"})
    network = client.networks.create(name="smoke", ip_range="10.0.0.0/8")
    network.add_subnet(NetworkSubnet(type="cloud", ip_range="10.0.0.0/24", network_zone="eu-central")).wait_until_finished()
    group = client.placement_groups.create(name="smoke", type=PlacementGroup.TYPE_SPREAD)
    firewall = client.firewalls.create(
        name="smoke",
        rules=[
            FirewallRule(direction="in", protocol="tcp", port="22", source_ips=["203.0.113.0/24"]),
            FirewallRule(direction="in", protocol="icmp", source_ips=["0.0.0.0/0", "::/0"], description="ping"),
        ],
        resources=[
            FirewallResource(type="label_selector", label_selector=FirewallResourceLabelSelector(selector="by=python")),
        ],
    )
    created = client.servers.create(
        name="smoke-1",
        server_type=ServerType(name="ccx13"),
        image=Image(name="debian-13"),
        location=Location(name="fsn1"),
        ssh_keys=[key],
        placement_group=group.placement_group,
        labels={"by": "python"},
        user_data="#cloud-config\n{}\n",
    )
    created.action.wait_until_finished()
    for action in created.next_actions:
        action.wait_until_finished()
    server = client.servers.get_by_name("smoke-1")
    server.attach_to_network(network, ip="10.0.0.2").wait_until_finished()
    network.add_route(NetworkRoute(destination="10.244.1.0/24", gateway="10.0.0.2")).wait_until_finished()
    server.reload()
    network.reload()
    seen = {
        "status": server.status,
        "private_ip": server.private_net[0].ip,
        "firewalls": [item.status for item in server.public_net.firewalls],
        "applied_to": firewall.firewall.id == client.firewalls.get_all()[0].id
        and client.firewalls.get_all()[0].applied_to[0].type,
        "routes": [route.destination for route in network.routes],
        "members": client.placement_groups.get_by_name("smoke").servers == [server.id],
        "server_types": len(client.server_types.get_all()),
        "images": len(client.images.get_all(include_deprecated=True)),
        "locations": [location.name for location in client.locations.get_all()],
        "all_servers": len(client.servers.get_all(label_selector="by=python")),
    }
    try:
        client.servers.create(name="smoke-1", server_type=ServerType(name="ccx13"), image=Image(name="debian-13"))
    except APIException as error:
        seen["duplicate"] = error.code
    server.power_off().wait_until_finished()
    server.reload()
    seen["status_after_poweroff"] = server.status
    server.detach_from_network(network).wait_until_finished()
    server.delete().wait_until_finished()
    firewall.firewall.remove_from_resources(firewall.firewall.applied_to)
    firewall.firewall.delete()
    network.delete_route(network.routes[0]).wait_until_finished()
    network.delete_subnet(network.subnets[0]).wait_until_finished()
    network.delete()
    group.placement_group.delete()
    key.delete()
    kinds = [client.servers, client.networks, client.firewalls, client.ssh_keys, client.placement_groups, client.primary_ips]
    seen["left"] = sum(len(kind.get_all()) for kind in kinds)
    print(json.dumps(seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
