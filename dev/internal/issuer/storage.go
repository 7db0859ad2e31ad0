package issuer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// storage is what the op package asks of the issuer while it authorizes, signs and publishes keys.
type storage struct {
	unasked
	issuer *Issuer
}

var (
	_ op.Storage                        = storage{}
	_ op.CanSetUserinfoFromRequest      = storage{}
	_ op.CanGetPrivateClaimsFromRequest = storage{}
)

// CreateAuthRequest remembers a request that has passed validateAuthRequest, until the person signs in.
func (s storage) CreateAuthRequest(_ context.Context, asked *oidc.AuthRequest, _ string) (op.AuthRequest, error) {
	waiting := login{id: rand.Text(), asked: asked}
	s.issuer.logins.put(waiting.id, waiting)
	return waiting, nil
}

// SaveAuthCode turns a finished sign-in into what its code is good for. The sign-in is used up.
func (s storage) SaveAuthCode(_ context.Context, id, code string) error {
	done, ok := s.issuer.logins.take(id)
	if !ok || done.session.user == nil {
		return errors.New("no finished sign-in for this code")
	}
	s.issuer.codes.put(code, redeem{done.session, done.asked.RedirectURI, done.asked.CodeChallenge})
	return nil
}

// CreateAccessToken gives a new token its `jti` and its end.
func (s storage) CreateAccessToken(context.Context, op.TokenRequest) (string, time.Time, error) {
	return rand.Text(), time.Now().Add(s.issuer.realm.tokenLife), nil
}

// GetPrivateClaimsFromRequest fills an access token.
func (s storage) GetPrivateClaimsFromRequest(
	_ context.Context, request op.TokenRequest, _ []string,
) (map[string]any, error) {
	asked, ok := request.(accessRequest)
	if !ok {
		return nil, fmt.Errorf("access token asked for by a %T", request)
	}
	return asked.accessClaims(), nil
}

// SetUserinfoFromRequest fills an ID token.
func (s storage) SetUserinfoFromRequest(
	_ context.Context, info *oidc.UserInfo, request op.IDTokenRequest, _ []string,
) error {
	asked, ok := request.(idRequest)
	if !ok {
		return fmt.Errorf("ID token asked for by a %T", request)
	}
	info.Subject = asked.user.id
	for key, value := range asked.idClaims() {
		info.AppendClaims(key, value)
	}
	return nil
}

// SetUserinfoFromScopes is the deprecated form of SetUserinfoFromRequest; the library calls both.
func (s storage) SetUserinfoFromScopes(context.Context, *oidc.UserInfo, string, string, []string) error {
	return nil
}

func (s storage) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	c, ok := s.issuer.realm.clients[id]
	if !ok || !c.enabled {
		return nil, oidc.ErrInvalidClient().WithDescription(badClient)
	}
	return protocolClient{client: c, issuer: s.issuer}, nil
}

func (s storage) SigningKey(context.Context) (op.SigningKey, error) {
	return s.issuer.keys.signing(), nil
}

func (s storage) KeySet(context.Context) ([]op.Key, error) {
	var all []op.Key
	for _, key := range s.issuer.keys.published() {
		all = append(all, publicKey{key})
	}
	return all, nil
}

func (s storage) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.RS256}, nil
}
