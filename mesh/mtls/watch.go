package mtls

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// lookEvery is how old what is known of the files may be when a connection is made.
	lookEvery = time.Second
	// checkEvery is how often Watch looks at the files of a process that nobody connects to.
	checkEvery = time.Minute
	// warnEvery is how often it is said that a certificate ends soon.
	warnEvery = 24 * time.Hour
	// soonPart: a certificate ends soon when less than this part of its life is left. Who renews by itself, has
	// done so at a third.
	soonPart = 4
)

// source gives what the files hold, as they were when they could last be used.
//
// The files are looked at when a connection is made, so there is nothing to start and nothing to stop. Reading them anew costs
// microseconds, and notices what a time of change or a notification of the file system can miss, such as a volume of Kubernetes.
type source struct {
	paths paths
	log   *slog.Logger
	known atomic.Pointer[material]

	mu     sync.Mutex // held by who looks
	looked time.Time
	broken string    // what was wrong with the files when last looked at
	warned time.Time // when it was last said that the certificate ends soon
}

func newSource(p paths, log *slog.Logger) (*source, error) {
	first, err := p.read()
	if err != nil {
		return nil, err
	}
	s := &source{paths: p, log: log, looked: time.Now()}
	s.known.Store(first)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.warn(first)
	return s, nil
}

// now gives what to use for a new connection. Who comes while another looks at the files uses what is known.
func (s *source) now() *material {
	if s.mu.TryLock() {
		defer s.mu.Unlock()
		if time.Since(s.looked) >= lookEvery {
			s.look()
			s.looked = time.Now()
		}
	}
	return s.known.Load()
}

// look takes over what the files hold now, all of it or nothing: files that are being replaced, one after the other, may
// not belong together for a moment.
func (s *source) look() {
	known := s.known.Load()
	defer func() { s.warn(s.known.Load()) }()
	held, err := s.paths.texts()
	if err == nil && held.sum() == known.sum {
		s.broken = ""
		return
	}
	var found *material
	if err == nil {
		found, err = s.paths.parse(held)
	}
	if err != nil {
		if s.broken != err.Error() {
			s.broken = err.Error()
			s.log.Warn("certificate files can't be used, those read before stay in use", "error", err)
		}
		return
	}
	s.broken = ""
	s.known.Store(found)
	s.log.Info("certificate files read anew", found.end()...)
}

// warn says that the certificate ends soon, if it does and that wasn't said today.
func (s *source) warn(m *material) {
	if m.certificate == nil || (!s.warned.IsZero() && time.Since(s.warned) < warnEvery) {
		return
	}
	leaf := m.certificate.Leaf
	if time.Until(leaf.NotAfter) < leaf.NotAfter.Sub(leaf.NotBefore)/soonPart {
		s.warned = time.Now()
		s.log.Warn("certificate ends soon", m.end()...)
	}
}

// end tells the log which certificate it is, and when it ends.
func (m *material) end() []any {
	if m.certificate == nil {
		return nil
	}
	leaf := m.certificate.Leaf
	return []any{"certificate", identity(leaf), "ends", leaf.NotAfter.UTC()}
}

// watch looks at the files until the context ends, so that the log hears of their state though nobody connects.
func (s *source) watch(ctx context.Context) {
	ticker := time.NewTicker(checkEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.now()
		case <-ctx.Done():
			return
		}
	}
}
