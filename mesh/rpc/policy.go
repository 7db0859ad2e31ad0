package rpc

import (
	"encoding/json"
	"fmt"
	"time"

	"eventprospect/mesh/balance"
)

// The gRPC service config of a client (https://github.com/grpc/grpc/blob/master/doc/service_config.md).
type serviceConfig struct {
	LoadBalancing []map[string]struct{} `json:"loadBalancingConfig"`
	Methods       []methodConfig        `json:"methodConfig"`
	Throttling    throttling            `json:"retryThrottling"`
}

type methodConfig struct {
	Names        []methodName `json:"name"`
	WaitForReady bool         `json:"waitForReady"`
	Retry        *retryPolicy `json:"retryPolicy,omitempty"`
}

type methodName struct {
	Service string `json:"service,omitempty"`
	Method  string `json:"method,omitempty"`
}

type retryPolicy struct {
	MaxAttempts int      `json:"maxAttempts"`
	Initial     string   `json:"initialBackoff"`
	Max         string   `json:"maxBackoff"`
	Multiplier  int      `json:"backoffMultiplier"`
	Codes       []string `json:"retryableStatusCodes"`
}

type throttling struct {
	MaxTokens  int     `json:"maxTokens"`
	TokenRatio float64 `json:"tokenRatio"`
}

// policy gives the service config: calls wait for an instance, and what is UNAVAILABLE is tried again. It leaves repeatable
// methods to attempts: if both tried again, attempts would multiply.
func policy(calls Calls, repeatable methods) (string, error) {
	rest := methodConfig{Names: []methodName{{}}, WaitForReady: true}
	if calls.Attempts > 1 {
		rest.Retry = &retryPolicy{
			MaxAttempts: calls.Attempts, Initial: seconds(pauseAfter), Max: seconds(maxPauseAfter), Multiplier: 2,
			Codes: []string{"UNAVAILABLE"},
		}
	}
	config := serviceConfig{
		LoadBalancing: []map[string]struct{}{{balance.Name: {}}},
		Methods:       []methodConfig{rest},
		Throttling:    throttling{MaxTokens: 100, TokenRatio: 0.1},
	}
	if len(repeatable) > 0 {
		own := methodConfig{WaitForReady: true}
		for _, m := range repeatable {
			own.Names = append(own.Names, methodName{Service: string(m.Parent().FullName()), Method: string(m.Name())})
		}
		config.Methods = append(config.Methods, own)
	}
	text, err := json.Marshal(config)
	return string(text), err
}

// seconds writes a duration as the service config does (google.protobuf.Duration in JSON).
func seconds(d time.Duration) string { return fmt.Sprintf("%.3fs", d.Seconds()) }
