package stream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// needs is what a client must be allowed to do.
type needs struct {
	topics map[string]kadm.ACLOperation
	group  string // which it is a member of; "" if none
}

// publishing is what the relay needs.
func publishing(cfg Config) needs {
	return needs{topics: map[string]kadm.ACLOperation{cfg.Topic: kadm.OpWrite}}
}

// consuming is what the consumer needs.
func consuming(cfg Config, group string) needs {
	return needs{topics: map[string]kadm.ACLOperation{cfg.Topic: kadm.OpRead, cfg.DLQ(): kadm.OpWrite}, group: group}
}

// allowed tells what the client can't do that it needs: a topic that isn't there, or a right that it lacks.
func (c *cluster) allowed(ctx context.Context, found topics) error {
	for _, topic := range []string{c.cfg.Topic, c.cfg.DLQ()} {
		operation, needed := c.needs.topics[topic]
		if !needed {
			continue
		}
		state := found[topic]
		switch {
		case errors.Is(state.err, kerr.UnknownTopicOrPartition):
			return fmt.Errorf("topic %s does not exist: create it, or set kafka.create_topics", topic)
		case state.err != nil:
			// Whoever has the right that is needed may describe the topic as well, unless that was denied.
			return refused("topic "+topic, operation.String()+", nor to DESCRIBE", state.err)
		// No list at all comes from brokers older than 2.3, which don't tell.
		case len(state.rights) > 0 && !slices.Contains(state.rights, operation):
			return refused("topic "+topic, operation.String(), kerr.TopicAuthorizationFailed)
		}
	}
	if c.needs.group == "" {
		return nil
	}
	_, err := c.admin.FetchOffsets(ctx, c.needs.group)
	if err == nil || errors.Is(err, kerr.GroupIDNotFound) { // not found: it has no members and no offsets yet
		err = c.mayJoin(ctx)
	}
	if errors.Is(err, kerr.GroupAuthorizationFailed) {
		return refused("group "+c.needs.group, kadm.OpRead.String(), kerr.GroupAuthorizationFailed)
	}
	return err
}

// mayJoin asks with the heartbeat of a member that there isn't, as offsets are shown to who may only DESCRIBE the group.
func (c *cluster) mayJoin(ctx context.Context) error {
	heartbeat := kmsg.NewPtrHeartbeatRequest()
	heartbeat.Group, heartbeat.MemberID = c.needs.group, "nobody"
	answer, err := heartbeat.RequestWith(ctx, c.client)
	if err == nil && answer.ErrorCode == kerr.GroupAuthorizationFailed.Code {
		return kerr.GroupAuthorizationFailed
	}
	return err
}

// refused says which right is missing where.
func refused(resource, operation string, err error) error {
	switch {
	case errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.ClusterAuthorizationFailed), errors.Is(err, kerr.GroupAuthorizationFailed):
		return fmt.Errorf("%s: this user has no right to %s: add it to Kafka's ACLs: %w", resource, operation, err)
	case errors.Is(err, kerr.InvalidReplicationFactor):
		return fmt.Errorf("%s: there are fewer brokers than kafka.replication: %w", resource, err)
	}
	return fmt.Errorf("%s: %w", resource, err)
}

// why says what keeps a client from its work, in the same words each time: an own port that changes with each attempt would
// make every message a new one.
func why(err error, cfg Config) string {
	var timeout interface{ Timeout() bool }
	var network *net.OpError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, kerr.SaslAuthenticationFailed):
		return fmt.Sprintf("the brokers don't know the user %q with this password: check kafka.sasl.user and kafka.sasl.password, and that the user has a %s password",
			cfg.SASL.User, cfg.SASL.Mechanism)
	case errors.Is(err, kerr.UnsupportedSaslMechanism):
		return fmt.Sprintf("the brokers don't speak %s: check kafka.sasl.mechanism", cfg.SASL.Mechanism)
	case errors.Is(err, kerr.IllegalSaslState):
		return "the brokers want no SASL here: check kafka.brokers and kafka.sasl"
	case errors.As(err, &certificate):
		return fmt.Sprintf("the brokers' certificate is not accepted: check kafka.tls.ca_file and kafka.brokers: %v", certificate.Err)
	case strings.Contains(err.Error(), "tls alert"): // the client has no type for it
		return "the brokers want TLS: check kafka.brokers and kafka.tls"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "no broker answers in time: check kafka.brokers"
	case errors.As(err, &network) && network.Op == "dial":
		return fmt.Sprintf("no broker answers: check kafka.brokers: %v", network.Err)
	case !hungUp(err):
		return err.Error()
	case cfg.SASL.Mechanism != "":
		return fmt.Sprintf("the brokers hang up: they may be stopping, or not know the user %q with this password: check kafka.sasl.user, kafka.sasl.password and kafka.tls", cfg.SASL.User)
	}
	return "the brokers hang up: they may be stopping, or kafka.sasl or kafka.tls is not as they want it"
}

// hungUp tells whether a broker ended the connection without a word, as one does that expects TLS or SASL, or that stops.
func hungUp(err error) bool {
	var first *kgo.ErrFirstReadEOF
	var network *net.OpError
	if errors.As(err, &network) {
		return network.Op == "read" || network.Op == "write"
	}
	return errors.As(err, &first) || kgo.IsRetryableBrokerErr(err)
}

// topics is what Kafka tells of topics, by name.
type topics map[string]topicState

type topicState struct {
	partitions, replicas int
	rights               []kadm.ACLOperation // what the client may do
	err                  error
}

func (t topics) missing() []string {
	return t.names(func(s topicState) bool { return errors.Is(s.err, kerr.UnknownTopicOrPartition) })
}

func (t topics) existing() topics {
	found := topics{}
	for _, name := range t.names(func(s topicState) bool { return s.err == nil }) {
		found[name] = t[name]
	}
	return found
}

func (t topics) names(which func(topicState) bool) []string {
	var names []string
	for name, state := range t {
		if which(state) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// look asks Kafka about the topic and its DLQ. A broker that can't be reached is met by the ping already, which doesn't try again.
func (c *cluster) look(ctx context.Context) (topics, error) {
	if err := c.client.Ping(ctx); err != nil {
		return nil, err
	}
	request := kmsg.NewPtrMetadataRequest()
	request.IncludeTopicAuthorizedOperations = true
	for _, name := range []string{c.cfg.Topic, c.cfg.DLQ()} {
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = kmsg.StringPtr(name)
		request.Topics = append(request.Topics, topic)
	}
	answer, err := request.RequestWith(ctx, c.client)
	if err != nil {
		return nil, err
	}
	found := topics{}
	for _, topic := range answer.Topics {
		state := topicState{
			partitions: len(topic.Partitions), rights: kadm.DecodeACLOperations(topic.AuthorizedOperations),
			err: kerr.ErrorForCode(topic.ErrorCode),
		}
		if len(topic.Partitions) > 0 {
			state.replicas = len(topic.Partitions[0].Replicas)
		}
		found[*topic.Topic] = state
	}
	return found, nil
}
