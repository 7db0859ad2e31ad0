package system

import (
	"strings"
	"testing"
)

func TestTheIssuerListensOnLocalhostUnlessToldTwice(t *testing.T) {
	t.Parallel()
	if _, err := listen(Ports{}, "0.0.0.0", false); err == nil || !strings.Contains(err.Error(), "-expose-passwords") {
		t.Errorf("got %v, want a refusal that says how", err)
	}
	for host, expose := range map[string]bool{"": false, "localhost": true, "127.0.0.1": false, "0.0.0.0": true} {
		l, err := listen(Ports{}, host, expose)
		if err != nil {
			t.Errorf("%q: %v", host, err)
			continue
		}
		if got := address(l.issuer); !strings.HasPrefix(got, "localhost:") {
			t.Errorf("%q: the issuer's tokens would name %s", host, got)
		}
		if err := l.close(); err != nil {
			t.Error(err)
		}
	}
}
