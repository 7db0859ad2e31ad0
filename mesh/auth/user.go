package auth

import (
	"context"
	"log/slog"

	"eventprospect/mesh/fault"
)

const (
	// UserHeader is the metadata key under which a service sends, besides its own token, that of the user on whose behalf it
	// calls: "Bearer" and the user's access token, which the receiver verifies by the same rules.
	UserHeader = "user-authorization"
	// ServiceRole is the role of a process of the mesh. Who has it may say on whose behalf it calls.
	ServiceRole = "service"
)

// hidden holds a token that prints as nothing, however a context with it in is printed: a function has no text.
type hidden func() string

func (hidden) String() string       { return "[secret]" }
func (hidden) GoString() string     { return "[secret]" }
func (hidden) LogValue() slog.Value { return slog.StringValue("[secret]") }
func (h hidden) reveal() string     { return h() }
func hide(token string) hidden      { return func() string { return token } }

type userKey struct{}

// WithOutgoingUser returns a context whose calls to other services are on behalf of the user whose verified token this is.
func WithOutgoingUser(ctx context.Context, token string) context.Context {
	return context.WithValue(ctx, userKey{}, hide(token))
}

// OutgoingUser gives the token of the user on whose behalf calls are made; false if there is none.
func OutgoingUser(ctx context.Context) (token string, ok bool) {
	value, ok := ctx.Value(userKey{}).(hidden)
	if !ok {
		return "", false
	}
	return value.reveal(), true
}

// OnBehalf gives a caller's identity together with that of the user whom the value of its UserHeader speaks for. Only a
// service may say so (else Denied); the user's token must be as good as any caller's, and errors are those of verify.
func OnBehalf(
	ctx context.Context, verify func(ctx context.Context, token string) (Identity, error), caller Identity, header string,
) (Identity, error) {
	if !caller.HasAny([]string{ServiceRole}) {
		f := fault.New(fault.Denied, "only a service may call on behalf of a user: leave out the header %s", UserHeader)
		f.Roles = []string{ServiceRole}
		return Identity{}, f
	}
	token, err := Bearer(header)
	if err != nil {
		return Identity{}, fault.New(fault.Unauthenticated, "the %s header must be \"Bearer\" and a token", UserHeader)
	}
	user, err := verify(ctx, token)
	if err != nil {
		return Identity{}, err
	}
	caller.User = &user
	return caller, nil
}
