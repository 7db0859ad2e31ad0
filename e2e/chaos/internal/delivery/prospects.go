//go:build linux

package delivery

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// prospectStore is the Prospect service's database, looked at from outside.
type prospectStore interface {
	// versions gives the version of each prospect by its id.
	versions(ctx context.Context) (map[string]int64, error)
	// waiting is how many messages wait to be published, or how many prospects there are with such messages.
	waiting(ctx context.Context) (int, error)
	// drop removes the database from a server that goes on running.
	drop() error
}

// sqliteStore is one in a file.
type sqliteStore struct{ database }

func (s sqliteStore) versions(ctx context.Context) (map[string]int64, error) {
	versions, id, version := map[string]int64{}, "", int64(0)
	err := s.each(ctx, `SELECT id, version FROM prospects`, &id, &version, func() { versions[id] = version })
	return versions, err
}

func (s sqliteStore) waiting(ctx context.Context) (int, error) {
	return s.number(ctx, `SELECT count(*) FROM outbox`)
}

func (sqliteStore) drop() error { return nil } // it goes with the folder

// dropPatience bounds how long it may take to drop a database.
const dropPatience = 10 * time.Second

// mongoStore is a database of MongoDB.
type mongoStore struct {
	url    string
	client *mongo.Client
	all    *mongo.Collection
}

// newMongoStore names a new database on the server at this URL.
func newMongoStore(server string) (*mongoStore, error) {
	at, err := url.Parse(server)
	if err != nil {
		return nil, errors.New("the prospects' store is not a URL") // its text may have a password
	}
	name := "chaos_" + strings.ToLower(rand.Text())
	at.Path = "/" + name
	client, err := mongo.Connect(options.Client().ApplyURI(server))
	if err != nil {
		return nil, err
	}
	return &mongoStore{at.String(), client, client.Database(name).Collection("prospects")}, nil
}

func (s *mongoStore) versions(ctx context.Context) (map[string]int64, error) {
	cursor, err := s.all.Find(ctx, bson.M{"deleted": false}, options.Find().SetProjection(bson.M{"version": 1}))
	if err != nil {
		return nil, err
	}
	var found []struct {
		ID      string `bson:"_id"`
		Version int64  `bson:"version"`
	}
	if err := cursor.All(ctx, &found); err != nil {
		return nil, err
	}
	versions := map[string]int64{}
	for _, p := range found {
		versions[p.ID] = p.Version
	}
	return versions, nil
}

func (s *mongoStore) waiting(ctx context.Context) (int, error) {
	n, err := s.all.CountDocuments(ctx, bson.M{"waiting": bson.M{"$exists": true}})
	return int(n), err
}

func (s *mongoStore) drop() error {
	ctx, cancel := context.WithTimeout(context.Background(), dropPatience)
	defer cancel()
	return errors.Join(s.all.Database().Drop(ctx), s.client.Disconnect(ctx))
}
