package rpc

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
)

// Account is under what a process calls others; auth.Account is one.
type Account interface {
	credentials.PerRPCCredentials
	// Refused says that a receiver has refused the account's token in a call sent at that time. It tells whether there is
	// another one, for which it may wait.
	Refused(ctx context.Context, sent time.Time) (another bool)
}

// WithAccount makes all calls of a connection under this account. With auth.Account each is on behalf of the user whom its
// context names (auth.WithOutgoingUser), if it does. A call whose token is refused, as happens when the issuer takes back a key, is made
// once more with another token, if the account has one; no handler has seen it. Streams are for their callers to open again.
func WithAccount(account Account) grpc.DialOption {
	return accountOption{grpc.WithPerRPCCredentials(account), account}
}

// accountOption is to gRPC the credentials alone; the interceptors are for NewClient.
type accountOption struct {
	grpc.DialOption
	account Account
}

func (o accountOption) unary(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	sent := time.Now()
	err := invoke(ctx, method, req, reply, cc, opts...)
	if status.Code(err) == codes.Unauthenticated && o.account.Refused(ctx, sent) {
		return invoke(ctx, method, req, reply, cc, opts...)
	}
	return err
}

func (o accountOption) stream(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	sent := time.Now()
	stream, err := open(ctx, desc, cc, method, opts...)
	if err != nil {
		return nil, o.heed(ctx, sent, err)
	}
	return heeded{stream, o, sent}, nil
}

// heed tells the account if a stream was refused for its token's sake, or may have been: the token of a user beside it may be
// the bad one, and then a new one of our own does no harm.
func (o accountOption) heed(ctx context.Context, sent time.Time, err error) error {
	if status.Code(err) == codes.Unauthenticated {
		o.account.Refused(ctx, sent)
	}
	return err
}

// heeded is a stream that heeds a refusal, which is its first answer.
type heeded struct {
	grpc.ClientStream
	option accountOption
	sent   time.Time
}

func (h heeded) RecvMsg(m any) error {
	return h.option.heed(h.Context(), h.sent, h.ClientStream.RecvMsg(m))
}
