package issuer

import (
	"context"
	"errors"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// unasked is the rest of op.Storage: what only those handlers of the library call that routes leaves out. Should one be
// called after all, it refuses.
type unasked struct{}

func (unasked) err() error { return errors.New("the issuer doesn't do this through the library") }

func (u unasked) AuthRequestByID(context.Context, string) (op.AuthRequest, error) {
	return nil, u.err()
}

func (u unasked) AuthRequestByCode(context.Context, string) (op.AuthRequest, error) {
	return nil, u.err()
}

func (u unasked) DeleteAuthRequest(context.Context, string) error { return u.err() }

func (u unasked) TokenRequestByRefreshToken(context.Context, string) (op.RefreshTokenRequest, error) {
	return nil, u.err()
}

func (u unasked) CreateAccessAndRefreshTokens(context.Context, op.TokenRequest, string) (string, string, time.Time, error) {
	return "", "", time.Time{}, u.err()
}

func (u unasked) TerminateSession(context.Context, string, string) error { return u.err() }

func (u unasked) RevokeToken(context.Context, string, string, string) *oidc.Error {
	return oidc.ErrServerError().WithParent(u.err())
}

func (u unasked) GetRefreshTokenInfo(context.Context, string, string) (string, string, error) {
	return "", "", u.err()
}

func (u unasked) AuthorizeClientIDSecret(context.Context, string, string) error { return u.err() }

func (u unasked) SetUserinfoFromToken(context.Context, *oidc.UserInfo, string, string, string) error {
	return u.err()
}

func (u unasked) SetIntrospectionFromToken(context.Context, *oidc.IntrospectionResponse, string, string, string) error {
	return u.err()
}

func (u unasked) GetPrivateClaimsFromScopes(context.Context, string, string, []string) (map[string]any, error) {
	return nil, u.err()
}

func (u unasked) GetKeyByIDAndClientID(context.Context, string, string) (*jose.JSONWebKey, error) {
	return nil, u.err()
}

func (u unasked) ValidateJWTProfileScopes(context.Context, string, []string) ([]string, error) {
	return nil, u.err()
}

func (u unasked) Health(context.Context) error { return u.err() }
