package auth

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"golang.org/x/sync/singleflight"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
)

// tokenTimeout bounds one request for a token of our own.
const tokenTimeout = 5 * time.Second

// ServiceAccount gives the credentials under which this process calls others: a token of its own (OAuth client
// credentials, RFC 6749 section 4.4), kept until shortly before it expires.
func ServiceAccount(cfg Config) credentials.PerRPCCredentials {
	ctx := context.WithValue(context.Background(), oauth2.HTTPClient, &http.Client{Timeout: tokenTimeout})
	account := clientcredentials.Config{
		ClientID: cfg.ClientID, ClientSecret: cfg.ClientSecret.Reveal(), TokenURL: cfg.tokens(),
		AuthStyle: oauth2.AuthStyleInHeader,
	}
	return &serviceAccount{tokens: account.TokenSource(ctx)}
}

type serviceAccount struct {
	tokens oauth2.TokenSource
	// asking makes calls that need a new token at the same time ask for one together.
	asking singleflight.Group
}

// GetRequestMetadata gives the header to send. The issuer being away is UNAVAILABLE, so that the call is tried again; its
// answer is left out, since it may repeat what was sent. A call whose context ends doesn't wait for the issuer.
func (s *serviceAccount) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	select {
	case <-ctx.Done():
		return nil, status.FromContextError(ctx.Err()).Err()
	case asked := <-s.asking.DoChan("", func() (any, error) { return s.tokens.Token() }):
		token, ok := asked.Val.(*oauth2.Token)
		if asked.Err != nil || !ok {
			return nil, status.Error(codes.Unavailable, "no token from the issuer for this service's account")
		}
		return map[string]string{"authorization": "Bearer " + token.AccessToken}, nil
	}
}

// RequireTransportSecurity allows plaintext: it is the laptop's default, and a network's choice.
func (*serviceAccount) RequireTransportSecurity() bool { return false }
