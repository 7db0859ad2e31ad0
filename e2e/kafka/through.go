//go:build linux

package kafka

// proxied adds the listener by which clients come through a proxy, to a broker's other settings.
func (b *broker) proxied(all settings) {
	if b.through == "" {
		return
	}
	all["advertised.listeners"] = all["listeners"] + ",THROUGH://" + b.advertised
	all["listeners"] += ",THROUGH://" + b.through
}

// ThroughAddresses are those of the proxies, where there are any.
func (c *Cluster) ThroughAddresses() []string {
	return c.addresses(func(b *broker) string { return b.advertised })
}
