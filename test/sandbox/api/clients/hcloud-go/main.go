// Drives an emulated cloud by the vendor's own Go client, the one that the command line tool and the Terraform provider
// are built on. Prints one JSON object; any mismatch ends it with an error.
//
// usage: hcloud-go ENDPOINT TOKEN PUBLIC_KEY
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

func main() {
	seen, err := run(os.Args[1], os.Args[2], os.Args[3])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(seen); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type driver struct {
	client *hcloud.Client
	ctx    context.Context
	seen   map[string]any
}

func run(endpoint, token, publicKey string) (map[string]any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client := hcloud.NewClient(
		hcloud.WithEndpoint(endpoint),
		hcloud.WithToken(token),
		hcloud.WithPollOpts(hcloud.PollOpts{BackoffFunc: hcloud.ConstantBackoff(20 * time.Millisecond)}),
		hcloud.WithRetryOpts(hcloud.RetryOpts{BackoffFunc: hcloud.ConstantBackoff(20 * time.Millisecond), MaxRetries: 50}),
	)
	d := driver{client: client, ctx: ctx, seen: map[string]any{}}
	steps := []func(string) error{d.catalogue, d.lifecycle, d.refusals}
	for _, step := range steps {
		if err := step(publicKey); err != nil {
			return nil, err
		}
	}
	return d.seen, nil
}

func (d driver) wait(actions ...*hcloud.Action) error {
	return d.client.Action.WaitFor(d.ctx, actions...)
}

func (d driver) catalogue(string) error {
	types, err := d.client.ServerType.All(d.ctx)
	if err != nil {
		return err
	}
	image, _, err := d.client.Image.GetForArchitecture(d.ctx, "ubuntu-24.04", hcloud.ArchitectureX86)
	if err != nil {
		return err
	}
	location, _, err := d.client.Location.Get(d.ctx, "fsn1")
	if err != nil {
		return err
	}
	pricing, _, err := d.client.Pricing.Get(d.ctx)
	if err != nil {
		return err
	}
	missing, _, err := d.client.Server.GetByID(d.ctx, 1)
	if err != nil {
		return fmt.Errorf("a missing server must be nil, not an error: %w", err)
	}
	d.seen["server_types"] = len(types)
	d.seen["image"] = image.ID
	d.seen["zone"] = location.NetworkZone
	d.seen["currency"] = pricing.Image.PerGBMonth.Currency
	d.seen["missing_is_nil"] = missing == nil
	return nil
}

func (d driver) lifecycle(publicKey string) error {
	c := d.client
	key, _, err := c.SSHKey.Create(d.ctx, hcloud.SSHKeyCreateOpts{Name: "go", PublicKey: publicKey})
	if err != nil {
		return err
	}
	network, _, err := c.Network.Create(d.ctx, hcloud.NetworkCreateOpts{Name: "go", IPRange: cidr("10.0.0.0/8")})
	if err != nil {
		return err
	}
	subnet := hcloud.NetworkSubnet{Type: hcloud.NetworkSubnetTypeCloud, IPRange: cidr("10.0.0.0/24"), NetworkZone: hcloud.NetworkZoneEUCentral}
	action, _, err := c.Network.AddSubnet(d.ctx, network, hcloud.NetworkAddSubnetOpts{Subnet: subnet})
	if err != nil {
		return err
	}
	if err := d.wait(action); err != nil {
		return err
	}
	group, _, err := c.PlacementGroup.Create(d.ctx, hcloud.PlacementGroupCreateOpts{Name: "go", Type: hcloud.PlacementGroupTypeSpread})
	if err != nil {
		return err
	}
	firewall, _, err := c.Firewall.Create(d.ctx, hcloud.FirewallCreateOpts{Name: "go", Rules: []hcloud.FirewallRule{{
		Direction: hcloud.FirewallRuleDirectionIn, Protocol: hcloud.FirewallRuleProtocolTCP, Port: hcloud.Ptr("22"), SourceIPs: []net.IPNet{*cidr("203.0.113.0/24")},
	}}})
	if err != nil {
		return err
	}
	created, _, err := c.Server.Create(d.ctx, hcloud.ServerCreateOpts{
		Name:           "go-1",
		ServerType:     &hcloud.ServerType{Name: "ccx13"},
		Image:          &hcloud.Image{Name: "debian-13"},
		Location:       &hcloud.Location{Name: "fsn1"},
		SSHKeys:        []*hcloud.SSHKey{key},
		PlacementGroup: group.PlacementGroup,
		Firewalls:      []*hcloud.ServerCreateFirewall{{Firewall: *firewall.Firewall}},
		UserData:       "#cloud-config\n",
	})
	if err != nil {
		return err
	}
	if err := d.wait(append(created.NextActions, created.Action)...); err != nil {
		return err
	}
	action, _, err = c.Server.AttachToNetwork(d.ctx, created.Server, hcloud.ServerAttachToNetworkOpts{Network: network, IP: net.ParseIP("10.0.0.2")})
	if err != nil {
		return err
	}
	if err := d.wait(action); err != nil {
		return err
	}
	if err := d.parallelRoutes(network); err != nil {
		return err
	}
	server, _, err := c.Server.Get(d.ctx, "go-1")
	if err != nil {
		return err
	}
	network, _, err = c.Network.GetByID(d.ctx, network.ID)
	if err != nil {
		return err
	}
	d.seen["status"] = server.Status
	d.seen["private_ip"] = server.PrivateNet[0].IP.String()
	d.seen["public_ip"] = server.PublicNet.IPv4.IP.String()
	d.seen["firewall"] = server.PublicNet.Firewalls[0].Status
	d.seen["group"] = server.PlacementGroup.Name
	d.seen["routes"] = len(network.Routes)
	d.seen["gateway"] = network.Subnets[0].Gateway.String()
	return nil
}

// parallelRoutes adds routes at the same time: the API answers conflict to some, and the client tries those again.
func (d driver) parallelRoutes(network *hcloud.Network) error {
	var group sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		group.Add(1)
		go func() {
			defer group.Done()
			route := hcloud.NetworkRoute{Destination: cidr(fmt.Sprintf("10.244.%d.0/24", i)), Gateway: net.ParseIP("10.0.0.2")}
			action, _, err := d.client.Network.AddRoute(d.ctx, network, hcloud.NetworkAddRouteOpts{Route: route})
			if err == nil {
				err = d.wait(action)
			}
			errs[i] = err
		}()
	}
	group.Wait()
	return errors.Join(errs...)
}

func (d driver) refusals(publicKey string) error {
	c := d.client
	_, _, err := c.SSHKey.Create(d.ctx, hcloud.SSHKeyCreateOpts{Name: "other", PublicKey: publicKey})
	d.seen["same_key"] = hcloud.IsError(err, hcloud.ErrorCodeUniquenessError)
	_, _, err = c.Network.Create(d.ctx, hcloud.NetworkCreateOpts{Name: "bad", IPRange: cidr("8.8.8.0/24")})
	var refused hcloud.Error
	if !errors.As(err, &refused) {
		return fmt.Errorf("expected an API error, got %v", err)
	}
	details, ok := refused.Details.(hcloud.ErrorDetailsInvalidInput)
	d.seen["details"] = ok && len(details.Fields) == 1 && details.Fields[0].Name == "ip_range"
	d.seen["correlation"] = refused.Response() != nil && refused.Response().Header.Get("X-Correlation-Id") != ""
	server, _, err := c.Server.Get(d.ctx, "go-1")
	if err != nil {
		return err
	}
	network, _, err := c.Network.Get(d.ctx, "go")
	if err != nil {
		return err
	}
	_, _, err = c.Network.DeleteSubnet(d.ctx, network, hcloud.NetworkDeleteSubnetOpts{Subnet: network.Subnets[0]})
	d.seen["subnet_in_use"] = hcloud.IsError(err, hcloud.ErrorCodeServiceError)
	deleted, _, err := c.Server.DeleteWithResult(d.ctx, server)
	if err != nil {
		return err
	}
	if err := d.wait(deleted.Action); err != nil {
		return err
	}
	if _, err := c.Network.Delete(d.ctx, network); err != nil {
		return err
	}
	firewalls, err := c.Firewall.All(d.ctx)
	if err != nil {
		return err
	}
	_, err = c.Firewall.Delete(d.ctx, firewalls[0])
	if err != nil {
		return err
	}
	left, err := c.Server.All(d.ctx)
	d.seen["servers_left"] = len(left)
	return err
}

func cidr(text string) *net.IPNet {
	_, block, err := net.ParseCIDR(text)
	if err != nil {
		panic(err)
	}
	return block
}
