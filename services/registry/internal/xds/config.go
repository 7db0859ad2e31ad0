package xds

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"time"
)

// Config is what the xDS face is told.
type Config struct {
	// Address is where clients reach the registry, as host:port, to be told in the bootstrap; empty: where they asked for it.
	Address string `koanf:"address"`
	// MaxStreams bounds the clients; each has one stream.
	MaxStreams int `koanf:"max_streams"`
	// Retain is how long a service is kept known after its last instance has gone. Its clients see no endpoints then, as between
	// the end of a service and its next start, and not that there is no such service.
	Retain time.Duration `koanf:"retain"`
	// Policy is how services are called, unless Policies says something else.
	Policy Policy `koanf:"policy"`
	// Policies are the differences of single services, by name.
	Policies map[string]Override `koanf:"policies"`
}

// Policy is how clients call a service.
type Policy struct {
	// Retries is how often a call is tried again that is UNAVAILABLE; 0: never. gRPC makes at most five attempts in all.
	Retries int `koanf:"retries"`
	// MaxRequests bounds the calls that one client has under way; one more is refused at once, as UNAVAILABLE.
	MaxRequests int `koanf:"max_requests"`
	// Timeout bounds each call, streams too, with all its attempts; 0: what the caller says.
	Timeout time.Duration `koanf:"timeout"`
	// Weights tells whether instances get calls by their weight; else all get the same.
	Weights bool `koanf:"weights"`
	// ZonePriority tells whether clients call instances of their own zone as long as any is there.
	ZonePriority bool `koanf:"zone_priority"`
	// Outlier tells when an instance that fails is left out for a while.
	Outlier Outlier `koanf:"outlier"`
}

// Outlier leaves out instances that fail more than others (gRFC A50). Any answer but OK is a failure to gRPC, NOT_FOUND too: the
// threshold must be one that only a broken instance passes.
type Outlier struct {
	// FailurePercent is the share of failures from which on an instance is left out, in percent; 0: none ever is.
	FailurePercent int `koanf:"failure_percent"`
	// Interval is how often failures are counted.
	Interval time.Duration `koanf:"interval"`
	// BaseEjection is for how long an instance is left out the first time; each time in a row adds as much, up to MaxEjection.
	BaseEjection time.Duration `koanf:"base_ejection"`
	MaxEjection  time.Duration `koanf:"max_ejection"`
	// MaxEjectionPercent bounds the share of the instances that are left out at the same time.
	MaxEjectionPercent int `koanf:"max_ejection_percent"`
	// MinimumHosts is how many instances must have had at least Requests calls in an interval.
	MinimumHosts int `koanf:"minimum_hosts"`
	Requests     int `koanf:"requests"`
}

// Override is what is different for one service; what isn't there is as for all.
type Override struct {
	Retries      *int           `koanf:"retries"`
	MaxRequests  *int           `koanf:"max_requests"`
	Timeout      *time.Duration `koanf:"timeout"`
	Weights      *bool          `koanf:"weights"`
	ZonePriority *bool          `koanf:"zone_priority"`
	// Outlier is given as a whole.
	Outlier *Outlier `koanf:"outlier"`
}

// Default retries and leaves out as our own clients do (mesh/rpc). The bound of requests is that of gRPC and Envoy.
func Default() Config {
	return Config{
		MaxStreams: 10_000,
		Retain:     5 * time.Minute,
		Policy: Policy{
			Retries: 3, MaxRequests: 1024, Weights: true,
			Outlier: Outlier{
				FailurePercent: 85, Interval: time.Second, BaseEjection: 5 * time.Second, MaxEjection: 30 * time.Second,
				MaxEjectionPercent: 50, MinimumHosts: 2, Requests: 5,
			},
		},
	}
}

// policy gives the policy of a service.
func (c Config) policy(service string) Policy {
	p, o := c.Policy, c.Policies[service]
	override(&p.Retries, o.Retries)
	override(&p.MaxRequests, o.MaxRequests)
	override(&p.Timeout, o.Timeout)
	override(&p.Weights, o.Weights)
	override(&p.ZonePriority, o.ZonePriority)
	override(&p.Outlier, o.Outlier)
	return p
}

func override[T any](value, with *T) {
	if with != nil {
		*value = *with
	}
}

// anyZonePriority tells whether the zone of a client can make a difference.
func (c Config) anyZonePriority() bool {
	if c.Policy.ZonePriority {
		return true
	}
	for _, o := range c.Policies {
		if o.ZonePriority != nil && *o.ZonePriority {
			return true
		}
	}
	return false
}

// Validate names every setting that can't work.
func (c Config) Validate() error {
	var errs []error
	if c.Address != "" {
		if _, _, err := net.SplitHostPort(c.Address); err != nil {
			errs = append(errs, fmt.Errorf("address: %q is not host:port", c.Address))
		}
	}
	if c.MaxStreams < 1 {
		errs = append(errs, fmt.Errorf("max_streams: %d is less than 1", c.MaxStreams))
	}
	if c.Retain < 0 || c.Retain > 24*time.Hour {
		errs = append(errs, fmt.Errorf("retain: %v is not between 0 and 24h", c.Retain))
	}
	errs = append(errs, c.Policy.validate("policy"))
	for _, service := range slices.Sorted(maps.Keys(c.Policies)) {
		if !nameable.MatchString(service) {
			errs = append(errs, fmt.Errorf("policies: %q can't be the name of a service here", service))
		}
		errs = append(errs, c.policy(service).validate("policies."+service))
	}
	return errors.Join(errs...)
}

// maxDuration bounds all times of a policy.
const maxDuration = time.Hour

func (p Policy) validate(path string) error {
	errs := []error{
		between(path+".retries", p.Retries, 0, 4),
		between(path+".max_requests", p.MaxRequests, 1, 1_000_000),
		between(path+".timeout", p.Timeout, 0, maxDuration),
	}
	if o := p.Outlier; o.FailurePercent != 0 {
		path += ".outlier"
		errs = append(errs,
			between(path+".failure_percent", o.FailurePercent, 0, 100),
			between(path+".interval", o.Interval, 100*time.Millisecond, maxDuration),
			between(path+".base_ejection", o.BaseEjection, 100*time.Millisecond, maxDuration),
			between(path+".max_ejection", o.MaxEjection, o.BaseEjection, maxDuration),
			between(path+".max_ejection_percent", o.MaxEjectionPercent, 1, 100),
			between(path+".minimum_hosts", o.MinimumHosts, 1, 10_000),
			between(path+".requests", o.Requests, 1, 1_000_000))
	}
	return errors.Join(errs...)
}

func between[T int | time.Duration](path string, value, least, most T) error {
	if value < least || value > most {
		return fmt.Errorf("%s: %v is not between %v and %v", path, value, least, most)
	}
	return nil
}
