package xds

import (
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	upstreamv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// The pauses between attempts, as those of our own clients (mesh/rpc).
const (
	pauseAfter    = 20 * time.Millisecond
	maxPauseAfter = 500 * time.Millisecond
)

// connectTimeout bounds Envoy's attempts to connect.
const connectTimeout = 5 * time.Second

// httpOptions is the key of HttpProtocolOptions in a cluster.
const httpOptions = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

// ads says that a resource comes over the same stream.
func ads() *corev3.ConfigSource {
	return &corev3.ConfigSource{
		ResourceApiVersion:    corev3.ApiVersion_V3,
		ConfigSourceSpecifier: &corev3.ConfigSource_Ads{Ads: &corev3.AggregatedConfigSource{}},
	}
}

// pack never fails: the messages are ours, without text that isn't UTF-8.
func pack(message proto.Message) *anypb.Any {
	packed, err := anypb.New(message)
	if err != nil {
		panic(err)
	}
	return packed
}

// listener is where a gRPC client begins (gRFC A27). Envoy has listeners of its own and begins at the route or the cluster.
func listener(name string) *listenerv3.Listener {
	return &listenerv3.Listener{Name: name, ApiListener: &listenerv3.ApiListener{ApiListener: pack(&hcmv3.HttpConnectionManager{
		StatPrefix:     name,
		RouteSpecifier: &hcmv3.HttpConnectionManager_Rds{Rds: &hcmv3.Rds{ConfigSource: ads(), RouteConfigName: name}},
		HttpFilters: []*hcmv3.HttpFilter{{
			Name: "envoy.filters.http.router", ConfigType: &hcmv3.HttpFilter_TypedConfig{TypedConfig: pack(&routerv3.Router{})},
		}},
	})}}
}

// route leads whatever is asked of the service, by whatever host name, to its cluster.
func route(name string, policy Policy) *routev3.RouteConfiguration {
	action := &routev3.RouteAction{
		ClusterSpecifier: &routev3.RouteAction_Cluster{Cluster: name},
		Timeout:          durationpb.New(0), // lifts Envoy's 15s, which would break streams
	}
	if policy.Timeout > 0 {
		action.MaxStreamDuration = &routev3.RouteAction_MaxStreamDuration{MaxStreamDuration: durationpb.New(policy.Timeout)}
	}
	if policy.Retries > 0 {
		action.RetryPolicy = retries(policy.Retries)
	}
	return &routev3.RouteConfiguration{Name: name, VirtualHosts: []*routev3.VirtualHost{{
		Name: name, Domains: []string{"*"},
		Routes: []*routev3.Route{{
			Match:  &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Prefix{Prefix: "/"}},
			Action: &routev3.Route_Route{Route: action},
		}},
	}}}
}

// retries are of what is UNAVAILABLE (gRFC A44). The other reasons, for which Envoy retries, are those for which gRPC does
// without being told: the request has not reached an instance.
func retries(n int) *routev3.RetryPolicy {
	return &routev3.RetryPolicy{
		RetryOn: "unavailable,connect-failure,refused-stream", NumRetries: wrapperspb.UInt32(uint32(n)),
		RetryBackOff: &routev3.RetryPolicy_RetryBackOff{
			BaseInterval: durationpb.New(pauseAfter), MaxInterval: durationpb.New(maxPauseAfter),
		},
	}
}

// cluster says how to choose an endpoint, and when not to.
func cluster(name string, policy Policy) *clusterv3.Cluster {
	return &clusterv3.Cluster{
		Name:                 name,
		ClusterDiscoveryType: &clusterv3.Cluster_Type{Type: clusterv3.Cluster_EDS},
		EdsClusterConfig:     &clusterv3.Cluster_EdsClusterConfig{EdsConfig: ads(), ServiceName: name},
		ConnectTimeout:       durationpb.New(connectTimeout),
		LbPolicy:             clusterv3.Cluster_ROUND_ROBIN,
		CircuitBreakers:      circuitBreakers(uint32(policy.MaxRequests)),
		OutlierDetection:     outlierDetection(policy.Outlier),
		// gRPC goes by the weights of localities anyway, Envoy only if told to.
		CommonLbConfig: &clusterv3.Cluster_CommonLbConfig{
			LocalityConfigSpecifier: &clusterv3.Cluster_CommonLbConfig_LocalityWeightedLbConfig_{
				LocalityWeightedLbConfig: &clusterv3.Cluster_CommonLbConfig_LocalityWeightedLbConfig{},
			},
		},
		// gRPC speaks HTTP/2 anyway, Envoy only if told to.
		TypedExtensionProtocolOptions: map[string]*anypb.Any{httpOptions: pack(&upstreamv3.HttpProtocolOptions{
			UpstreamProtocolOptions: &upstreamv3.HttpProtocolOptions_ExplicitHttpConfig_{
				ExplicitHttpConfig: &upstreamv3.HttpProtocolOptions_ExplicitHttpConfig{
					ProtocolConfig: &upstreamv3.HttpProtocolOptions_ExplicitHttpConfig_Http2ProtocolOptions{
						Http2ProtocolOptions: &corev3.Http2ProtocolOptions{},
					},
				},
			},
		})},
	}
}

// circuitBreakers bound the concurrent requests of each client (gRFC A32). In Envoy there are bounds beside, which must not bite
// before; and at most every fifth request may be a retry, where its default is three retries at once.
func circuitBreakers(requests uint32) *clusterv3.CircuitBreakers {
	return &clusterv3.CircuitBreakers{Thresholds: []*clusterv3.CircuitBreakers_Thresholds{{
		Priority:    corev3.RoutingPriority_DEFAULT,
		MaxRequests: wrapperspb.UInt32(requests), MaxConnections: wrapperspb.UInt32(requests), MaxPendingRequests: wrapperspb.UInt32(requests),
		RetryBudget: &clusterv3.CircuitBreakers_Thresholds_RetryBudget{BudgetPercent: &typev3.Percent{Value: 20}},
	}}}
}

// outlierDetection leaves an endpoint out for a while by its share of failures (gRFC A50). The other reasons, which are on by
// default in Envoy, are off.
func outlierDetection(outlier Outlier) *clusterv3.OutlierDetection {
	if outlier.FailurePercent == 0 {
		return nil
	}
	number := func(n int) *wrapperspb.UInt32Value { return wrapperspb.UInt32(uint32(n)) }
	return &clusterv3.OutlierDetection{
		Interval:                       durationpb.New(outlier.Interval),
		BaseEjectionTime:               durationpb.New(outlier.BaseEjection),
		MaxEjectionTime:                durationpb.New(outlier.MaxEjection),
		MaxEjectionPercent:             number(outlier.MaxEjectionPercent),
		FailurePercentageThreshold:     number(outlier.FailurePercent),
		EnforcingFailurePercentage:     number(100),
		FailurePercentageMinimumHosts:  number(outlier.MinimumHosts),
		FailurePercentageRequestVolume: number(outlier.Requests),
		EnforcingSuccessRate:           number(0),
		EnforcingConsecutive_5Xx:       number(0),
	}
}
