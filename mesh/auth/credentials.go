package auth

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"golang.org/x/sync/singleflight"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"eventprospect/mesh/conf"
)

const (
	// tokenTimeout bounds one request for a token of our own.
	tokenTimeout = 5 * time.Second
	// renewEvery is how often a token that is still good is tried to be replaced.
	renewEvery = time.Second
	// settle is how old a token must be before its being refused is a reason to get another.
	settle = 10 * time.Second
	// assumedLife is the life of a token whose issuer doesn't say it (RFC 6749, section 5.1).
	assumedLife = time.Minute
	// maxTransit is how long before its end a token isn't sent any more: it has to be good when it arrives.
	maxTransit = 5 * time.Second
)

// Account is a service account: the credentials under which this process calls others. It holds a token of its own (OAuth
// client credentials, RFC 6749 section 4.4) and replaces it in the background when two thirds of its life are over, so that
// calls wait for the first one only, or after a pause longer than a token's life. While the issuer is away, the token at hand
// is used until it ends.
type Account struct {
	config clientcredentials.Config
	client *http.Client

	held atomic.Pointer[ownToken]
	// nextTry is when a token that is still good may be tried to be replaced, in nanoseconds since 1970.
	nextTry atomic.Int64
	// asking makes calls that need a new token at the same time ask for one together.
	asking singleflight.Group
}

var _ credentials.PerRPCCredentials = (*Account)(nil)

// ownToken is a token of this process.
type ownToken struct {
	header              string
	since, renew, until time.Time
}

// ServiceAccount makes the account that the settings name. It asks for nothing before the first call.
func ServiceAccount(cfg Config) *Account { return newAccount(cfg, http.DefaultTransport) }

// FixedAccount makes an account that has one token and never another: that of a person at a terminal. Who takes it says when it
// is over.
func FixedAccount(token conf.Secret) *Account {
	a := newAccount(Config{}, refusing{})
	now := time.Now()
	never := now.AddDate(1000, 0, 0)
	a.held.Store(&ownToken{header: "Bearer " + token.Reveal(), since: now, renew: never, until: never})
	return a
}

// refusing reaches nobody.
type refusing struct{}

func (refusing) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("there is no issuer to ask")
}

func newAccount(cfg Config, transport http.RoundTripper) *Account {
	return &Account{
		client: &http.Client{Transport: transport, Timeout: tokenTimeout},
		config: clientcredentials.Config{
			ClientID: cfg.ClientID, ClientSecret: cfg.ClientSecret.Reveal(), TokenURL: cfg.tokens(),
			AuthStyle: oauth2.AuthStyleInHeader,
		},
	}
}

// GetRequestMetadata gives the headers to send: the account's token, and that of the user on whose behalf the call is made
// (WithOutgoingUser), if it is. So nobody but a service says for whom it calls. The issuer being away is UNAVAILABLE, so that the
// call is tried again; its answer is left out, since it may repeat what was sent. A call whose context ends doesn't wait for the
// issuer.
func (a *Account) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	now := time.Now()
	if held := a.good(now); held != nil {
		if !now.Before(held.renew) {
			a.renewSoon(now)
		}
		return held.metadata(ctx), nil
	}
	select {
	case <-ctx.Done():
		return nil, status.FromContextError(ctx.Err()).Err()
	case asked := <-a.asking.DoChan("", a.askUnlessGood):
		token, ok := asked.Val.(*ownToken)
		if asked.Err != nil || !ok {
			return nil, status.Error(codes.Unavailable, "no token from the issuer for this service's account")
		}
		return token.metadata(ctx), nil
	}
}

// RequireTransportSecurity allows plaintext: it is the laptop's default, and a network's choice.
func (*Account) RequireTransportSecurity() bool { return false }

// Refused says that a receiver has refused the token of a call sent at that time, as happens when the issuer takes back the key
// that signed it. It waits for another token, as long as the context allows, and tells whether there is one to try again with. A
// token that is new isn't replaced: another wouldn't be better.
func (a *Account) Refused(ctx context.Context, sent time.Time) (another bool) {
	held := a.held.Load()
	switch {
	case held == nil:
		return false
	case held.since.After(sent):
		return true
	case time.Since(held.since) < settle:
		return false
	}
	select {
	case <-ctx.Done():
		return false
	case asked := <-a.asking.DoChan("", a.ask):
		return asked.Err == nil
	}
}

// renewSoon asks for a new token without waiting for it, unless that was tried just now.
func (a *Account) renewSoon(now time.Time) {
	next := a.nextTry.Load()
	if now.UnixNano() >= next && a.nextTry.CompareAndSwap(next, now.Add(renewEvery).UnixNano()) {
		a.asking.DoChan("", a.ask)
	}
}

// good gives the token at hand, nil if there is none that can be sent now.
func (a *Account) good(now time.Time) *ownToken {
	if held := a.held.Load(); held != nil && now.Before(held.until) {
		return held
	}
	return nil
}

// askUnlessGood is for who found no good token: another call may have got one since.
func (a *Account) askUnlessGood() (any, error) {
	if held := a.good(time.Now()); held != nil {
		return held, nil
	}
	return a.ask()
}

// ask gets a new token from the issuer. It belongs to no call, so no call's end ends it.
func (a *Account) ask() (any, error) {
	since := time.Now()
	token, err := a.config.Token(context.WithValue(context.Background(), oauth2.HTTPClient, a.client))
	if err != nil {
		return nil, err
	}
	life := assumedLife
	if !token.Expiry.IsZero() {
		life = token.Expiry.Sub(since)
	}
	held := &ownToken{
		header: "Bearer " + token.AccessToken, since: since,
		renew: since.Add(life * 2 / 3), until: since.Add(life - min(maxTransit, life/10)),
	}
	a.held.Store(held)
	return held, nil
}

func (t *ownToken) metadata(ctx context.Context) map[string]string {
	headers := map[string]string{"authorization": t.header}
	if user, ok := OutgoingUser(ctx); ok {
		headers[UserHeader] = "Bearer " + user
	}
	return headers
}
