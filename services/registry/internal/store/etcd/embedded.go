package etcd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"go.etcd.io/etcd/client/pkg/v3/fileutil"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"
)

const (
	// defaultPrefix is where things lie if nothing else is said.
	defaultPrefix = "/eventprospect/registry"
	// keptRevisions are those that a watch can be resumed from; older ones are compacted away every five minutes.
	keptRevisions = "1000"
	// snapshotEvery bounds the changes that are read again at a start, and held in memory until then.
	snapshotEvery = 1000
	// tickMs and electionMs: there is nobody to elect but this member, which may be fast.
	tickMs, electionMs = 50, 500
)

// Embedded runs an etcd of one member in this process, with its data in this folder, and opens it. It listens on no port: nobody else
// reaches it. Everything committed is on the disk. The log is told only what etcd can't live with, which ends the process.
func Embedded(ctx context.Context, folder string, log *slog.Logger) (*Store, error) {
	server, err := serve(ctx, folder, log)
	if err != nil {
		return nil, err
	}
	return newStore(v3client.New(server.Server), defaultPrefix, log, server.Close), nil
}

// serving is a running member, with the lock of its folder.
type serving struct {
	*embed.Etcd
	lock *fileutil.LockedFile
}

// Close ends the member, and then lets others use the folder.
func (s *serving) Close() {
	s.Etcd.Close()
	_ = s.lock.Close() // nothing was written
}

func serve(ctx context.Context, folder string, log *slog.Logger) (*serving, error) {
	lock, err := lockFolder(folder)
	if err != nil {
		return nil, err
	}
	server, err := start(ctx, folder, log)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start etcd in %s: %w", folder, err), lock.Close())
	}
	return &serving{server, lock}, nil
}

// start starts the member and waits until it serves.
func start(ctx context.Context, folder string, log *slog.Logger) (*embed.Etcd, error) {
	if err := setAside(folder); err != nil {
		return nil, err
	}
	server, err := embed.StartEtcd(alone(folder, log))
	if err != nil {
		return nil, err
	}
	select {
	case <-server.Server.ReadyNotify():
		err = markServed(folder)
	case err = <-server.Err():
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		server.Close()
		return nil, err
	}
	return server, nil
}

// setAside moves aside what is left of a first start that did not come to its end: etcd, ended before it has stored who its
// members are, waits for ever for a leader when it starts again. Nothing can have been stored there.
func setAside(folder string) error {
	data := dataIn(folder)
	if fileutil.Exist(markIn(folder)) || !fileutil.Exist(data) {
		return nil
	}
	aside := data + ".unfinished"
	return errors.Join(os.RemoveAll(aside), os.Rename(data, aside))
}

// markServed notes on the disk that etcd has served from this folder.
func markServed(folder string) error {
	if fileutil.Exist(markIn(folder)) {
		return nil
	}
	mark, err := os.OpenFile(markIn(folder), os.O_CREATE|os.O_WRONLY, fileutil.PrivateFileMode)
	if err != nil {
		return err
	}
	dir, err := fileutil.OpenDir(folder)
	if err != nil {
		return errors.Join(err, mark.Close())
	}
	return errors.Join(mark.Sync(), mark.Close(), fileutil.Fsync(dir), dir.Close())
}

func dataIn(folder string) string { return filepath.Join(folder, "etcd") }
func markIn(folder string) string { return filepath.Join(folder, "served") }

// lockFolder makes sure that no other process uses the folder: etcd itself would wait for it, or end the process.
func lockFolder(folder string) (*fileutil.LockedFile, error) {
	if err := os.MkdirAll(folder, fileutil.PrivateDirMode); err != nil {
		return nil, err
	}
	lock, err := fileutil.TryLockFile(filepath.Join(folder, "lock"), os.O_CREATE|os.O_WRONLY, fileutil.PrivateFileMode)
	if errors.Is(err, fileutil.ErrLocked) {
		return nil, fmt.Errorf("another process keeps its data in %s: give this one its own folder, or both an etcd cluster", folder)
	}
	return lock, err
}

// alone configures a single member.
func alone(folder string, log *slog.Logger) *embed.Config {
	cfg := embed.NewConfig()
	cfg.Name, cfg.Dir = "registry", dataIn(folder)
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	cfg.ListenPeerUrls, cfg.ListenClientUrls, cfg.AdvertiseClientUrls = nil, nil, nil
	cfg.EnableGRPCGateway = false
	cfg.TickMs, cfg.ElectionMs = tickMs, electionMs
	cfg.AutoCompactionMode, cfg.AutoCompactionRetention = embed.CompactorModeRevision, keptRevisions
	cfg.SnapshotCount, cfg.SnapshotCatchUpEntries = snapshotEvery, 1 // nobody has to catch up
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(lastWords(log))
	return cfg
}
