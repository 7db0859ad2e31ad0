package rpc

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"eventprospect/mesh/audit"
	"eventprospect/mesh/auth"
	"eventprospect/mesh/fault"
)

// guard verifies the caller's token, applies the method's access rule, and knows on whose behalf the call is made.
type guard struct {
	verifier Verifier
	rules    auth.Rules
}

func (g *guard) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	ctx, err := g.admit(ctx, info.FullMethod)
	if err != nil {
		return nil, err
	}
	return handle(ctx, req)
}

func (g *guard) stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	ctx, err := g.admit(ss.Context(), info.FullMethod)
	if err != nil {
		return err
	}
	return handle(srv, withContext{ss, ctx})
}

// admit returns a context that knows the caller, and the user for whom the handler's own calls are made; or it says why the
// caller may not.
func (g *guard) admit(ctx context.Context, method string) (context.Context, error) {
	if g.rules[method].GetAnonymous() {
		return ctx, nil
	}
	token, err := bearer(ctx)
	if err != nil {
		return nil, err
	}
	var identity auth.Identity
	if token != "" {
		if identity, err = g.verifier.Verify(ctx, token); err != nil {
			return nil, err
		}
		audit.SetCaller(ctx, identity)
	}
	if err := g.rules.Check(method, identity, token != ""); err != nil {
		return nil, err
	}
	identity, user, err := g.onBehalf(ctx, identity, token)
	if err != nil {
		return nil, err
	}
	audit.SetCaller(ctx, identity)
	ctx = auth.NewContext(ctx, identity)
	if user != "" {
		ctx = auth.WithOutgoingUser(ctx, user)
	}
	return ctx, nil
}

// onBehalf finds the user for whom a verified caller calls: the one whom a service names, or the caller itself if it is no
// service. It gives the user's token, which is empty if there is no user, and completes the identity.
func (g *guard) onBehalf(ctx context.Context, caller auth.Identity, token string) (auth.Identity, string, error) {
	values := metadata.ValueFromIncomingContext(ctx, auth.UserHeader)
	switch {
	case len(values) > 1:
		return caller, "", fault.New(fault.Unauthenticated, "there is more than one %s header", auth.UserHeader)
	case len(values) == 1:
		identity, err := auth.OnBehalf(ctx, g.verifier.Verify, caller, values[0])
		if err != nil {
			return caller, "", err
		}
		user, err := auth.Bearer(values[0])
		return identity, user, err
	case caller.HasAny([]string{auth.ServiceRole}):
		return caller, "", nil
	}
	return caller, token, nil
}

// bearer finds the token in the call's metadata (RFC 6750, section 2.1); empty if there is none.
func bearer(ctx context.Context) (string, error) {
	values := metadata.ValueFromIncomingContext(ctx, "authorization")
	switch len(values) {
	case 0:
		return "", nil
	case 1:
		return auth.Bearer(values[0])
	}
	return "", fault.New(fault.Unauthenticated, "there is more than one authorization header")
}

// withContext is a stream whose context knows the caller.
type withContext struct {
	grpc.ServerStream
	ctx context.Context
}

func (s withContext) Context() context.Context { return s.ctx }
